"""Attestations of services as PDF."""

from datetime import UTC, datetime, time

from sav_contracts.auth.fields import Locale
from sav_contracts.catalog.servicing import air_quality
from sav_contracts.interventions.attestation import AttestationView
from sav_interventions.printing import printed


def attestation_pdf(attestation: AttestationView, locale: Locale) -> bytes:
    """An attestation as PDF/A-2b; the same bytes each time it is made."""
    made = datetime.combine(attestation.serviced_on, time(), UTC)
    inputs = {"attestation": attestation.model_dump_json(), "locale": locale}
    ppm = attestation.attested.co_ppm if attestation.attested else None
    if ppm is not None:
        inputs["air"] = air_quality(ppm, attestation.serviced_on)
    return printed("attestation", inputs, made, "a-2b")
