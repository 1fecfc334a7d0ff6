"""Where figures go is known before anything is measured."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bench import __main__ as bench
from bench.report import prepare, publish
from fleetpulse.cli.commandline import run
from fleetpulse.errors import ConfigurationError
from fleetpulse.stack import lifecycle


def test_a_page_that_is_not_there_is_made_and_then_filled(tmp_path: Path) -> None:
    page = tmp_path / "new.md"
    prepare(page, "latency", "state")
    publish("1 ms", page, "latency")
    publish("2 MiB", page, "state")
    assert page.read_text().split("\n") == [
        *("<!-- latency -->", "1 ms", "<!-- end of latency -->"),
        *("<!-- state -->", "2 MiB", "<!-- end of state -->", ""),
    ]


def test_a_page_with_its_marks_stays_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n<!-- state -->\nold\n<!-- end of state -->\nend\n")
    prepare(page, "state")
    assert "old" in page.read_text()
    publish("new", page, "state")
    assert page.read_text() == "# Title\n<!-- state -->\nnew\n<!-- end of state -->\nend\n"


@pytest.mark.parametrize("text", ["", "<!-- state -->", "<!-- end of state -->\n<!-- state -->", "# another page\n"])
def test_a_page_without_marks_is_refused_and_not_changed(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(ConfigurationError, match=r"--output: .*page.md has no section between"):
        prepare(page, "state")
    assert page.read_text() == text


def unwritable(folder: Path) -> Iterator[Path]:
    (folder / "file").touch()
    yield folder / "absent" / "page.md"
    yield folder / "file" / "page.md"
    yield folder
    yield folder / ("x" * 300)


def test_a_page_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    for page in unwritable(tmp_path):
        with pytest.raises(ConfigurationError, match=r"--output: .* cannot be"):
            prepare(page, "state")


@pytest.mark.parametrize("name", bench.ALL)
def test_no_measurement_begins_before_its_page_is_ready(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def begun(*_: object) -> None:
        raise AssertionError("the stack was started")

    monkeypatch.setattr(lifecycle, "up", begun)
    assert run(bench.main, [name, "--output", str(tmp_path / "absent" / "page.md")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: --output")
    assert error.count("\n") == 1


def test_a_measurement_with_a_new_page_finds_it_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "new.md"
    started = []
    monkeypatch.setattr(lifecycle, "up", lambda _: iter(["kafka"]))
    command = bench._on_the_stack("state", click.Command("state", callback=lambda output: started.append(output)))
    assert command.callback is not None
    command.callback(output=page)
    assert started == [page]
    assert "<!-- state -->" in page.read_text()
