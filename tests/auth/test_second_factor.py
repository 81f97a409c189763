"""The second factor: an authenticator, recovery codes, and admins who must have one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from given_auth import (
    PASSWORD,
    WRONG,
    SignedIn,
    account,
    refreshed,
    refused,
    session,
    sign_in,
    signed_in,
    wrong_fields,
)
from pydantic import SecretStr, ValidationError

from sav_auth import totp
from sav_chassis.testing import Stage
from sav_contracts.actor import Role
from sav_contracts.auth.account import ChangeProfile, InviteUser
from sav_contracts.auth.session import (
    ConfirmSecondFactor,
    FindSignIns,
    RemoveSecondFactor,
    ResetSecondFactor,
    SecondFactorTurned,
    SetUpSecondFactor,
    SignOut,
)

STEP = timedelta(seconds=totp.STEP_SECONDS)


def confirmation(code: str) -> ConfirmSecondFactor:
    return ConfirmSecondFactor(code=SecretStr(code))


class Authenticator:
    """Léa's telephone: it knows the secret and what time it is."""

    def __init__(self, stage: Stage, secret: str) -> None:
        self.stage = stage
        padded = secret + "=" * (-len(secret) % 8)
        from base64 import b32decode

        self.secret = b32decode(padded)

    def code(self, later: timedelta = timedelta()) -> str:
        return totp.code(self.secret, int((self.stage.now() + later).timestamp()) // totp.STEP_SECONDS)

    def wrong(self) -> str:
        return f"{(int(self.code()) + 1) % 1_000_000:06}"


async def set_up(stage: Stage, me: SignedIn) -> Authenticator:
    told = (await stage.when(SetUpSecondFactor(password=PASSWORD), by=me.actor)).reply
    return Authenticator(stage, told["secret"])


async def turned_on(stage: Stage, me: SignedIn) -> tuple[Authenticator, list[str]]:
    phone = await set_up(stage, me)
    codes = (await stage.when(confirmation(phone.code()), by=me.actor)).reply["codes"]
    await stage.passes(STEP)
    return phone, codes


# RFC 6238, appendix B, the last six of eight digits.
@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    secret = b"12345678901234567890"
    assert totp.code(secret, seconds // 30) == code
    at = datetime.fromtimestamp(seconds, UTC)
    assert totp.step_of(secret, code, at) == seconds // 30
    assert totp.step_of(secret, code, at + timedelta(seconds=30)) == seconds // 30
    assert totp.step_of(secret, code, at + timedelta(seconds=90)) is None


async def test_setting_it_up_needs_the_password_and_changes_nothing_yet(stage: Stage) -> None:
    await account(stage)
    me = await signed_in(stage)
    assert wrong_fields(await stage.when(SetUpSecondFactor(password=WRONG), by=me.actor)) == ["password"]
    outcome = await stage.when(SetUpSecondFactor(password=PASSWORD), by=me.actor)
    uri = urlsplit(outcome.reply["uri"])
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/SAV:lea%40example.com")
    assert parse_qs(uri.query) == {"secret": [outcome.reply["secret"]], "issuer": ["SAV"]}
    await signed_in(stage)


async def test_once_confirmed_every_sign_in_asks_for_a_code(stage: Stage) -> None:
    await account(stage)
    me = await signed_in(stage)
    phone = await set_up(stage, me)
    assert wrong_fields(await stage.when(confirmation(phone.wrong()), by=me.actor)) == ["code"]
    on = await stage.when(confirmation(phone.code()), by=me.actor)
    assert on.only(SecondFactorTurned).on
    assert len(set(on.reply["codes"])) == 10
    refused(await stage.when(sign_in()), 401, "second_factor_required")
    await stage.passes(STEP)
    refused(await stage.when(sign_in(code=phone.wrong())), 401, "not_signed_in")
    await signed_in(stage, code=phone.code())


async def test_turning_it_on_or_off_ends_the_other_sessions(stage: Stage) -> None:
    await account(stage)
    here, there = await signed_in(stage), await signed_in(stage)
    phone = await set_up(stage, here)
    command = confirmation(phone.code())
    on = (await stage.when(command, by=here.actor)).only(SecondFactorTurned)
    assert on.revoked == (there.session_id,)
    refused(await refreshed(stage, there.refresh_token), 401, "not_signed_in")
    again = await stage.when(command, by=here.actor)
    assert (again.problem, again.events) == (None, []), "whose answer was lost"

    await stage.passes(STEP)
    there = await signed_in(stage, code=phone.code())
    off = (await stage.when(RemoveSecondFactor(password=PASSWORD), by=here.actor)).only(SecondFactorTurned)
    assert off.revoked == (there.session_id,)
    refused(await refreshed(stage, there.refresh_token), 401, "not_signed_in")
    session(stage, await refreshed(stage, here.refresh_token))


async def test_who_only_began_to_set_it_up_stays_signed_in(stage: Stage) -> None:
    await account(stage)
    here, there = await signed_in(stage), await signed_in(stage)
    await set_up(stage, here)
    outcome = await stage.when(RemoveSecondFactor(password=PASSWORD), by=here.actor)
    assert (outcome.problem, outcome.events) == (None, [])
    session(stage, await refreshed(stage, there.refresh_token))


async def test_without_the_password_nobody_learns_that_there_is_a_second_factor(stage: Stage) -> None:
    await account(stage)
    phone, _ = await turned_on(stage, await signed_in(stage))
    unknown = await stage.when(sign_in("nobody@example.com", WRONG))
    for wrong in (sign_in(password=WRONG), sign_in(password=WRONG, code=phone.code())):
        assert (await stage.when(wrong)).problem == unknown.problem


async def test_a_code_works_once_and_none_older_than_it(stage: Stage) -> None:
    await account(stage)
    phone, _ = await turned_on(stage, await signed_in(stage))
    earlier, code = phone.code(), phone.code(STEP)
    await signed_in(stage, code=code)
    for used in (code, earlier):
        refused(await stage.when(sign_in(code=used)), 401, "not_signed_in")


async def test_the_code_that_confirmed_opens_nothing(stage: Stage) -> None:
    await account(stage)
    me = await signed_in(stage)
    phone = await set_up(stage, me)
    code = phone.code()
    await stage.when(confirmation(code), by=me.actor)
    refused(await stage.when(sign_in(code=code)), 401, "not_signed_in")


async def test_a_wrong_code_counts_as_a_failure_and_a_missing_one_does_not(stage: Stage) -> None:
    await account(stage)
    phone, _ = await turned_on(stage, await signed_in(stage))
    for _ in range(7):
        refused(await stage.when(sign_in()), 401, "second_factor_required")
    for _ in range(5):
        refused(await stage.when(sign_in(code=phone.wrong())), 401, "not_signed_in")
    refused(await stage.when(sign_in(code=phone.code())), 429, "too_many_attempts")


async def test_a_recovery_code_stands_in_once(stage: Stage) -> None:
    lea = await account(stage)
    _, codes = await turned_on(stage, await signed_in(stage))
    me = await signed_in(stage, code=codes[3].upper())
    refused(await stage.when(sign_in(code=codes[3])), 401, "not_signed_in")
    told = (await stage.when(FindSignIns(account_id=lea.id), by=me.actor)).reply
    assert (told["second_factor"], told["recovery_codes_left"]) == (True, 9)
    await signed_in(stage, code=codes[9])


async def test_confirming_again_gets_the_codes_for_a_moment_only(stage: Stage) -> None:
    await account(stage)
    me = await signed_in(stage)
    phone = await set_up(stage, me)
    code = phone.code()
    first = await stage.when(confirmation(code), by=me.actor)
    again = await stage.when(confirmation(code), by=me.actor)
    assert (again.reply, again.events) == (first.reply, [])
    refused(await stage.when(confirmation(phone.wrong()), by=me.actor), 409, "conflict")
    await stage.passes(timedelta(seconds=61))
    refused(await stage.when(confirmation(code), by=me.actor), 409, "conflict")


async def test_a_code_of_later_does_not_show_the_recovery_codes_again(stage: Stage) -> None:
    await account(stage)
    me = await signed_in(stage)
    phone, _ = await turned_on(stage, me)
    await stage.passes(timedelta(minutes=2))
    code = phone.code()
    await signed_in(stage, code=code)
    refused(await stage.when(confirmation(code), by=me.actor), 409, "conflict")


async def test_one_that_is_on_is_not_set_up_anew(stage: Stage) -> None:
    await account(stage)
    me = await signed_in(stage)
    phone, _ = await turned_on(stage, me)
    refused(await stage.when(SetUpSecondFactor(password=PASSWORD), by=me.actor), 409, "conflict")
    await signed_in(stage, code=phone.code())


async def test_nothing_is_confirmed_that_was_not_set_up(stage: Stage) -> None:
    await account(stage)
    me = await signed_in(stage)
    refused(await stage.when(confirmation("123456"), by=me.actor), 409, "conflict")


async def test_it_is_turned_off_with_the_password_or_a_code(stage: Stage) -> None:
    await account(stage)
    me = await signed_in(stage)
    phone, codes = await turned_on(stage, me)
    for password in (WRONG, SecretStr("")):
        wrong = RemoveSecondFactor(password=password)
        assert wrong_fields(await stage.when(wrong, by=me.actor)) == ["password"]
    wrong = RemoveSecondFactor(code=SecretStr(phone.wrong()))
    assert wrong_fields(await stage.when(wrong, by=me.actor)) == ["code"]
    off = await stage.when(RemoveSecondFactor(code=SecretStr(codes[0])), by=me.actor)
    assert not off.only(SecondFactorTurned).on
    await signed_in(stage)
    await turned_on(stage, me)
    off = await stage.when(RemoveSecondFactor(password=PASSWORD), by=me.actor)
    assert not off.only(SecondFactorTurned).on
    again = await stage.when(RemoveSecondFactor(password=PASSWORD), by=me.actor)
    assert (again.reply, again.events) == ({"accepted": True}, [])


def test_it_is_not_turned_off_without_a_proof() -> None:
    with pytest.raises(ValidationError):
        RemoveSecondFactor()


async def test_an_admin_takes_it_from_who_has_lost_it(stage: Stage) -> None:
    lea = await account(stage)
    alex = await account(stage, Role.ADMIN, "alex@example.com")
    marie = await account(stage, Role.MANAGER, "marie@example.com")
    me = await signed_in(stage)
    await turned_on(stage, me)
    refused(await stage.when(ResetSecondFactor(account_id=lea.id), by=marie), 403, "not_allowed")
    refused(await stage.when(sign_in()), 401, "second_factor_required")
    off = (await stage.when(ResetSecondFactor(account_id=lea.id), by=alex)).only(SecondFactorTurned)
    assert (off.on, off.revoked) == (False, (me.session_id,))
    refused(await refreshed(stage, me.refresh_token), 401, "not_signed_in")
    await signed_in(stage)


async def test_the_secret_is_not_readable_where_it_is_kept(stage: Stage) -> None:
    await account(stage)
    me = await signed_in(stage)
    phone, codes = await turned_on(stage, me)
    kept = await stage.database.pool.fetchval("SELECT secret FROM second_factor")
    assert phone.secret not in kept
    for table in ("second_factor", "event_log", "task", "answered"):
        rows = str(await stage.database.pool.fetch(f"SELECT t::text FROM {table} t"))
        assert phone.secret.hex() not in rows
        assert totp.spelled(phone.secret) not in rows
        assert not any(code in rows for code in codes)


@pytest.fixture
def required(stage: Stage) -> Iterator[None]:
    stage.settings.admin_second_factor = True
    yield
    stage.settings.admin_second_factor = False


@pytest.mark.usefixtures("required")
async def test_an_admin_without_one_may_only_set_one_up(stage: Stage) -> None:
    await account(stage, Role.ADMIN)
    me = await signed_in(stage)
    assert me.actor.enrolling
    assert me.reply["second_factor_missing"]
    invite = InviteUser(email="x@example.com", name="X", role=Role.MANAGER)
    for command in (invite, ChangeProfile(name="Alex")):
        refused(await stage.when(command, by=me.actor), 403, "second_factor_missing")
    again = session(stage, await refreshed(stage, me.refresh_token))
    assert again.actor.enrolling
    await turned_on(stage, again)
    after = session(stage, await refreshed(stage, again.refresh_token))
    assert not after.actor.enrolling
    assert (await stage.when(invite, by=after.actor)).problem is None


@pytest.mark.usefixtures("required")
async def test_it_is_asked_of_admins_only_and_they_may_leave(stage: Stage) -> None:
    await account(stage, Role.ADMIN)
    await account(stage, Role.MANAGER, "marie@example.com")
    assert not (await signed_in(stage, "marie@example.com")).actor.enrolling
    me = await signed_in(stage)
    assert (await stage.when(SignOut(), by=me.actor)).problem is None


async def test_codes_are_taken_as_people_write_them(stage: Stage) -> None:
    await account(stage)
    phone, codes = await turned_on(stage, await signed_in(stage))
    said = phone.code()
    await signed_in(stage, code=f" {said[:3]} {said[3:]} ")
    written = codes[0].upper(), codes[1].replace("-", " "), codes[2].replace("-", "")
    for code, as_written in zip(codes, written, strict=False):
        await signed_in(stage, code=as_written)
        refused(await stage.when(sign_in(code=code)), 401, "not_signed_in")
