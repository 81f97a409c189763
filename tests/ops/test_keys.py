"""A home's signing keys, one after the other."""

import json
from pathlib import Path

import pytest

from sav_chassis.identity import Signer
from sav_ops.home import GIVEN, Home, OpsError
from sav_ops.launch import signing_keys


def test_a_new_key_stands_before_the_one_in_use_and_the_one_before_that_goes(tmp_path: Path) -> None:
    first = Home(tmp_path).settings()
    second = dict(zip((signing_keys.SIGNING, signing_keys.PUBLIC), with_another(first), strict=True))
    third = dict(zip((signing_keys.SIGNING, signing_keys.PUBLIC), with_another(second), strict=True))
    [a], [b, also_a], [c, also_b] = (ids(settings) for settings in (first, second, third))
    assert (also_a, also_b) == (a, b)
    assert len({a, b, c}) == 3
    for settings in (second, third):
        assert json.loads(settings[signing_keys.PUBLIC]).keys() == set(ids(settings))


def with_another(settings: dict[str, str]) -> tuple[str, str]:
    private, public = signing_keys.with_another(settings)
    return private, json.dumps(public)


def ids(settings: dict[str, str]) -> list[str]:
    return [signer.key_id for signer in Signer.each(settings[signing_keys.SIGNING])]


def test_keys_of_the_shell_are_the_shells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GIVEN, signing_keys.SIGNING, "…")
    with pytest.raises(OpsError, match=signing_keys.SIGNING):
        signing_keys.rotate(Home(tmp_path))
    assert not (tmp_path / "env").exists()
