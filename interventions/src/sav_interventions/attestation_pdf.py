"""Attestations of services as PDF."""

from datetime import UTC, datetime, time

from sav_contracts.auth.fields import Locale
from sav_contracts.interventions.attestation import AttestationView
from sav_interventions.printing import printed


def attestation_pdf(attestation: AttestationView, locale: Locale) -> bytes:
    """An attestation as PDF/A-2b; the same bytes each time it is made."""
    made = datetime.combine(attestation.serviced_on, time(), UTC)
    inputs = {"attestation": attestation.model_dump_json(), "locale": locale}
    return printed("attestation", inputs, made, "a-2b")
