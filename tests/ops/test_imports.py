"""What a process imports that should start fast, or stay small."""

import subprocess
import sys

import pytest

IMPORTED = "import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"


@pytest.mark.parametrize("module", ["sav_ops.cli", "sav_ops.launch.keeper"])
def test_the_command_line_and_the_keeper_import_nothing_of_the_rooms(module: str) -> None:
    said = subprocess.run(
        [sys.executable, "-P", "-c", IMPORTED.format(module=module)],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(said.stdout.split())
    assert "sav_ops" in imported
    assert {name for name in imported if name.startswith("sav_")} == {"sav_ops"}
    assert not imported & {"pydantic", "sqlalchemy", "asyncpg", "faststream"}
