"""A home's signing keys, one after the other."""

import json
from pathlib import Path

import pytest

from sav_chassis.identity import Signer
from sav_ops import keys
from sav_ops.home import Home, Problem


def test_a_new_key_stands_before_the_one_in_use_and_the_one_before_that_goes(tmp_path: Path) -> None:
    first = Home(tmp_path).settings()
    second = dict(zip((keys.SIGNING, keys.PUBLIC), with_another(first), strict=True))
    third = dict(zip((keys.SIGNING, keys.PUBLIC), with_another(second), strict=True))
    [a], [b, also_a], [c, also_b] = (ids(settings) for settings in (first, second, third))
    assert (also_a, also_b) == (a, b)
    assert len({a, b, c}) == 3
    for settings in (second, third):
        assert json.loads(settings[keys.PUBLIC]).keys() == set(ids(settings))


def with_another(settings: dict[str, str]) -> tuple[str, str]:
    private, public = keys.with_another(settings)
    return private, json.dumps(public)


def ids(settings: dict[str, str]) -> list[str]:
    return [signer.key_id for signer in Signer.each(settings[keys.SIGNING])]


def test_keys_of_the_shell_are_the_shells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(keys.GIVEN, keys.SIGNING, "…")
    with pytest.raises(Problem, match=keys.SIGNING):
        keys.rotate(Home(tmp_path))
    assert not (tmp_path / "env").exists()
