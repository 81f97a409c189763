"""The rooms' logs as one stream: in the order of time, filtered, readable, followed past rotations."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from sav_ops.home import Home, OpsError
from sav_ops.inspect import logs

ONE, TWO = "01a2-one", "01b3-two"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def write(home: Home, process: str, *lines: dict[str, Any] | str, name: str = "{}.log") -> Path:
    path = home.logs / name.format(process)
    with path.open("a") as file:
        file.writelines(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    return path


def line(second: int, event: str, level: str = "info", **fields: Any) -> dict[str, Any]:
    return {"event": event, "level": level, "timestamp": f"2026-03-02T09:00:{second:02}.500000Z", **fields}


def shown(capsys: pytest.CaptureFixture[str], home: Home, *names: str, **options: Any) -> list[str]:
    """What is printed, without the line that names the day."""
    usual = {"lines": 50, "request": None, "level": "debug", "follow": False}
    logs.show(home, names, **(usual | options))
    return [row for row in capsys.readouterr().out.splitlines() if not row.endswith("2026-03-02")]


def test_the_rooms_are_merged_in_the_order_of_time(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    write(home, "claims", line(1, "one"), line(3, "three"))
    write(home, "claims-2", line(2, "two"), line(5, "five"))
    write(home, "edge", line(4, "four"))
    write(home, "postgres", "2026-03-02 09:00:02.900 UTC [1] LOG:  a server")
    rows = shown(capsys, home)
    assert [row.split()[1::2] for row in rows] == [
        ["claims", "one"],
        ["claims-2", "two"],
        ["claims", "three"],
        ["edge", "four"],
        ["claims-2", "five"],
    ]
    assert [row.split()[1] for row in shown(capsys, home, "claims", lines=2)] == ["claims", "claims-2"]
    assert [row.split()[1] for row in shown(capsys, home, "claims-2")] == ["claims-2", "claims-2"]


def test_one_request_is_followed_through_all_rooms(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    write(
        home, "edge", line(1, "asked", correlation_id=ONE), line(2, "other", correlation_id=TWO), "not JSON"
    )
    write(home, "claims", line(3, "reacted", correlation_id=ONE), line(4, "idle"))
    rows = shown(capsys, home, request="01A2")
    assert ["asked" in rows[0], "reacted" in rows[1], len(rows)] == [True, True, 2]
    assert rows[0].endswith(f"request={ONE}")


def test_a_level_hides_what_is_lower_and_never_what_is_not_json(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        home,
        "edge",
        line(1, "fine"),
        line(2, "odd", "warning"),
        "Segmentation fault",
        line(3, "bad", "error"),
    )
    rows = shown(capsys, home, level="warning")
    assert [row.split()[-1] for row in rows] == ["odd", "fault", "bad"]


def test_a_line_that_is_not_json_stays_behind_the_one_before_it(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    write(home, "edge", line(1, "one"), "Traceback", "  File x", line(9, "nine"))
    write(home, "auth", line(5, "five"))
    rows = shown(capsys, home)
    assert [row.split()[-1] for row in rows] == ["one", "Traceback", "x", "five", "nine"]
    assert rows[2].endswith("edge            File x")


def test_values_are_quoted_where_they_are_no_word_and_drive_no_terminal(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    write(home, "edge", line(1, "a [red]b[/red]", word="x", two="x y", none=None, n=3, evil="\x1b[2J"))
    [row] = shown(capsys, home)
    assert row.endswith('a [red]b[/red]  word=x  two="x y"  n=3  evil=\\x1b[2J')


def test_a_traceback_is_printed_in_pythons_order(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise ValueError("outer") from inner
    except ValueError as error:
        told = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)(
            (type(error), error, error.__traceback__)
        )
    write(home, "edge", line(1, "failed", "error", exception=told))
    rows = [row.strip() for row in shown(capsys, home)]
    assert rows.index("KeyError: 'inner'") < rows.index("which caused:") < rows.index("ValueError: outer")
    assert f'File "{__file__}"' in rows[1]


def test_what_was_rotated_away_is_read_where_it_is_needed(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "BLOCK", 50)  # lines across several blocks
    write(home, "edge", line(1, "oldest"), line(2, "old"), name="{}.log.1")
    write(home, "edge", line(3, "new"), line(4, "newest"))
    assert [row.split()[-1] for row in shown(capsys, home, lines=3)] == ["old", "new", "newest"]


def test_an_unknown_room_is_refused_and_an_empty_home_says_so(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(OpsError, match=r"no log of nowhere; there are: .*claims"):
        shown(capsys, home, "nowhere")
    assert shown(capsys, home) == ["There are no logs yet: ./sav up"]


def following(home: Home) -> Iterator[str]:
    """The events of what comes from now on."""
    tails = {path: logs.Tail(path) for path in logs.files(home, ())}
    coming = logs.following(lambda: logs.files(home, ()), tails, poll=0.01)
    return (str((each.fields or {"event": each.text})["event"]) for each in coming)


def test_following_goes_on_past_a_rotation_and_hears_new_replicas(home: Home) -> None:
    path = write(home, "claims", line(1, "before"))
    coming = following(home)
    write(home, "claims", line(2, "first"))
    assert next(coming) == "first"
    write(home, "claims", line(3, "last words"))
    path.replace(path.with_suffix(".log.1"))
    write(home, "claims", line(4, "after"))
    assert [next(coming), next(coming)] == ["last words", "after"]
    write(home, "claims-2", line(5, "replica"))
    assert next(coming) == "replica"


def test_a_line_is_told_once_it_is_finished(home: Home) -> None:
    path = write(home, "claims", line(1, "before"))
    with path.open("a") as file:
        file.write('{"event": "whole", ')
    coming = following(home)
    with path.open("a") as file:
        file.write('"timestamp": "2026-03-02T09:00:02Z"}\n')
    assert next(coming) == "whole"
