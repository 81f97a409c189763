"""`sav check` reads the tests as it reads the code, and says which file is too long."""

from pathlib import Path

import pytest
from mypy.main import process_options

from sav_ops.develop import checks
from sav_ops.home import REPO


def written(path: Path, lines: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x = 1\n" * lines)


def test_every_test_is_typed_as_the_code_is() -> None:
    sources, options = process_options(["--config-file", str(REPO / "pyproject.toml")])
    read = {Path(source.path).resolve() for source in sources if source.path}
    assert {path for path in REPO.glob("tests/**/*.py") if "versions" not in path.parts} - read == set()
    assert not any(options.per_module_options.values()), "one strictness for all"


@pytest.mark.parametrize(
    "name", ["claims/src/sav_claims/much.py", "tests/claims/much.py", "benchmarks/much.py"]
)
def test_a_file_past_400_lines_is_named(tmp_path: Path, name: str) -> None:
    written(tmp_path / name, 400)
    assert checks.too_long(tmp_path) is None
    written(tmp_path / name, 401)
    assert checks.too_long(tmp_path) == f"{name}: 401 lines, 400 at most"


def test_the_check_fails_with_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(checks, "CHECKS", [])
    assert checks.run(fix=False)
    monkeypatch.setattr(checks, "LONGEST", 10)
    assert not checks.run(fix=False)
    assert "ops/src/sav_ops/develop/checks.py: " in capsys.readouterr().out
