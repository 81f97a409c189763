from pathlib import Path

import pytest

from sav_ops import generated


def test_a_document_that_differs_from_the_code_is_found_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.json"
    monkeypatch.setattr(generated, "REPO", tmp_path)
    monkeypatch.setattr(generated, "DOCUMENTS", [(page, lambda: "today")])
    assert generated.outdated() == [page]
    generated.write()
    assert page.read_text() == "today"
    assert generated.outdated() == []
