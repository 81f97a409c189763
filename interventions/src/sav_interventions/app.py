"""The interventions service."""

from sav_chassis.service import Service

interventions = Service("interventions")
