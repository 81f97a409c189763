"""The auth service."""

from sav_chassis.service import Service

auth = Service("auth")
