"""However an address, a password or a code is written, it is the same one."""

from typing import Any

import pytest
from argon2 import PasswordHasher
from cheap_passwords import CHEAP
from given_auth import PASSWORD, account, link, refused, sign_in
from pydantic import SecretStr

from sav_auth import passwords
from sav_chassis.testing import Stage
from sav_contracts.auth.account import RegisterClient, SignUpRepeated, UserRegistered
from sav_contracts.auth.session import PasswordResetRequested, RequestPasswordReset, ResetPassword

IDNA = "max@xn--strae-oqa.example"
SPELLINGS = ["max@straße.example", "MAX@STRAẞE.example", IDNA.upper(), " max@stra\u00dfe。example"]
COMPOSED = "mot de passe d'été"
# As a Mac sends what was typed; and with the space that AltGr makes on a French keyboard.
DECOMPOSED = "mot de passe d'e\u0301te\u0301"
NO_BREAK = COMPOSED.replace(" ", "\u00a0")


def sign_up(email: str, password: str = PASSWORD.get_secret_value()) -> RegisterClient:
    return RegisterClient(email=email, password=SecretStr(password), name="Max")


@pytest.mark.parametrize("again", SPELLINGS)
async def test_two_spellings_of_an_address_are_one_account(stage: Stage, again: str) -> None:
    first = await stage.when(sign_up("max@straße.example"))
    assert first.only(UserRegistered).state.email == IDNA
    (await stage.when(sign_up(again))).only(SignUpRepeated)
    assert (await stage.when(sign_in(again))).problem is None


async def test_whoever_owns_the_other_domain_is_somebody_else(stage: Stage) -> None:
    await stage.when(sign_up("max@straße.example"))
    other = await stage.when(sign_up("max@strasse.example", "another password"))
    assert other.only(UserRegistered).state.email == "max@strasse.example"
    refused(await stage.when(sign_in("max@strasse.example")), 401, "not_signed_in")


async def test_links_are_asked_for_by_any_spelling(stage: Stage) -> None:
    await stage.when(sign_up("max@straße.example"))
    await stage.when(RequestPasswordReset(email="MAX@straße.example"))
    asked = (await stage.passes(stage.now())).only(PasswordResetRequested)
    chosen = ResetPassword(
        token=link(stage, "password-reset", asked.grant_id), password=SecretStr(DECOMPOSED)
    )
    assert (await stage.when(chosen)).problem is None
    assert (await stage.when(sign_in(IDNA, SecretStr(COMPOSED)))).problem is None


@pytest.mark.parametrize("chosen", [COMPOSED, DECOMPOSED, NO_BREAK])
@pytest.mark.parametrize("typed", [COMPOSED, DECOMPOSED, NO_BREAK])
async def test_a_password_is_the_same_on_every_keyboard(stage: Stage, chosen: str, typed: str) -> None:
    await stage.when(sign_up("lea@example.com", chosen))
    assert (await stage.when(sign_in(password=SecretStr(typed)))).problem is None


@pytest.mark.parametrize("kept", [COMPOSED, DECOMPOSED, NO_BREAK])
async def test_a_password_that_was_kept_as_it_was_typed_still_opens(stage: Stage, kept: str) -> None:
    await account(stage, password_hash=CHEAP.hash(kept))
    assert (await stage.when(sign_in(password=SecretStr(kept)))).problem is None
    refused(await stage.when(sign_in(password=SecretStr(f"{kept}!"))), 401, "not_signed_in")


@pytest.mark.parametrize(("typed", "looks"), [(COMPOSED, 1), (DECOMPOSED, 2)])
async def test_a_wrong_password_is_as_much_work_with_an_account_as_without(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, typed: str, looks: int
) -> None:
    looked: list[Any] = []

    class Counted(PasswordHasher):
        def verify(self, *what: Any) -> Any:
            looked.append(what)
            return super().verify(*what)

    monkeypatch.setattr(passwords, "_hasher", Counted())
    await account(stage)
    for email in ("lea@example.com", "nobody@example.com"):
        refused(await stage.when(sign_in(email, SecretStr(typed))), 401, "not_signed_in")
        assert len(looked) == looks
        looked.clear()
