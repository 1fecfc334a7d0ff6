"""Vector's own tests of its programs, by Vector where there is one, and by its language's library everywhere."""

import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.unit.deploy.observability.vector import FILES, FOLDER, Dropped, as_vrl, configuration, program, run

TESTS = sorted(file for file in (FOLDER / "tests").glob("*.yaml") if file.name != "nowhere.yaml")
CASES = [case for file in TESTS for case in YAML(typ="safe").load(file)["tests"]]
VECTOR = shutil.which("vector")


def path_to(transform: str, start: str) -> list[str]:
    """The remaps on the way from `start` to `transform`, with `.dropped` where an event leaves by that way."""
    if transform == start:
        return [transform]
    for before in configuration()["transforms"][transform]["inputs"]:
        name = before.removesuffix(".dropped")
        if name in configuration()["transforms"] and (way := path_to(name, start)):
            return [*way[:-1], before, transform]
    return []


def check(case: dict[str, Any]) -> None:
    """Check a case by the library."""
    [given], [expected] = case["inputs"], case["outputs"]
    source = given["source"]
    *before, last = path_to(expected["extract_from"], given["insert_at"])
    for step in before:
        name, _, dropped = step.partition(".")
        assert dropped, "only what is dropped goes on to another program"
        with pytest.raises(Dropped) as reason:
            run(source + program(name), {})
        source += f'.metadata = {{"dropped": {{"message": {as_vrl(str(reason.value))}, "reason": "abort"}}}}\n'
    [condition] = expected["conditions"]
    run(source + program(last) + condition["source"], {})


def check_all() -> None:
    """Check all cases by Vector."""
    assert VECTOR is not None
    tests = [str(Path("tests", file.name)) for file in (FOLDER / "tests").glob("*.yaml")]
    tested = subprocess.run([VECTOR, "test", *FILES, *tests], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize(
    "holds",
    [
        *(pytest.param(partial(check, case), id=case["name"]) for case in CASES),
        *([pytest.param(check_all, id="all, by Vector itself")] if VECTOR else []),
    ],
)
def test_vectors_own_tests_hold(holds: Callable[[], None]) -> None:
    holds()


def test_a_case_that_does_not_hold_fails() -> None:
    with pytest.raises(RuntimeError, match="assertion failed"):
        run('. = {}\nassert_eq!(., {"a": 1})', {})


def test_every_program_has_a_case() -> None:
    reached = {case["outputs"][0]["extract_from"] for case in CASES}
    assert reached == set(configuration()["transforms"])
