"""The reporting service."""

from sav_chassis.service import Service

reporting = Service("reporting")
