"""The first admin of a platform that has none: by a link that works once, or by an invitation."""

from sav_chassis.commands.client import CommandClient
from sav_chassis.identity import Links, Signer
from sav_chassis.settings import Settings
from sav_chassis.topology import connect
from sav_contracts.actor import SYSTEM
from sav_contracts.auth.account import FirstAdmin, OfferFirstAdmin
from sav_ops.home import OpsError
from sav_ops.settings import edge_address

HAS_ONE = 409


async def way_in(settings: Settings) -> str | None:
    """Return what the operator tells the first admin; None if there is an admin."""
    offer = await _offered(settings)
    if offer is None:
        return None
    if offer.invited:
        return f"There is no admin yet: an invitation is on its way to {settings.first_admin_email}."
    code = Links(settings.link_secret).token("first-admin", offer.grant_id)
    until = f"{offer.expires_at:%d %B, %H:%M} UTC"
    return f"""There is no admin yet. Whoever opens this page becomes the first (once, until {until}):

  {settings.public_url.rstrip("/") or edge_address(settings)}/first-admin?token={code}

The next ./sav up makes another link, and this one is worth nothing then."""


async def _offered(settings: Settings) -> FirstAdmin | None:
    connection = await connect(settings.broker_url, "first admin")
    client = CommandClient(connection)
    await client.start()
    try:
        token = Signer(settings.signing_key).token(SYSTEM, seconds=60)
        asked = OfferFirstAdmin.model_validate({"email": settings.first_admin_email or None})
        answer = await client.ask(asked, 10, token=token)
    finally:
        await client.close()
        await connection.close()
    if answer.problem and answer.problem.status == HAS_ONE:
        return None
    if answer.problem or answer.body is None:
        raise OpsError(f"No way in for the first admin: {answer.problem and answer.problem.detail}")
    return FirstAdmin.model_validate_json(answer.body)
