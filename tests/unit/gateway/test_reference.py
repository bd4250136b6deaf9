"""The reference pages of the documentation, written from the code."""

from pathlib import Path

from tongguan.gateway import reference

COMMITTED = Path(__file__).parents[3] / "docs" / "reference"


def test_the_committed_pages_are_what_the_code_says() -> None:
    assert reference.stale(COMMITTED) == []


def test_a_missing_a_changed_and_a_superfluous_page_are_stale(tmp_path: Path) -> None:
    reference.write(tmp_path)
    (tmp_path / "faults.md").unlink()
    (tmp_path / "rules.md").write_text("")
    (tmp_path / "more.md").write_text("")

    assert reference.stale(tmp_path) == ["faults.md", "more.md", "rules.md"]
