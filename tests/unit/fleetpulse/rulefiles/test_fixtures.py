"""`fleetpulse rules test` judges fixtures, and says what differs."""

import re
from pathlib import Path

import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.cli.main import fleetpulse
from fleetpulse.rulefiles.fixtures import differences, read_fixture

ROOT = Path(__file__).resolve().parents[4]
SHIPPED = sorted((ROOT / "rules" / "tests").glob("*.yaml"))
PAGE = (ROOT / "docs" / "rules.md").read_text()
HOT = """
rules:
  - {kind: threshold, id: hot, metric: temperature_c, above: {critical: 50}}
records:
  - {device: d1, at: 0, temperature_c: 60}
  - {device: d1, at: 2026-01-01T00:00:10Z, temperature_c: 20}
"""
BOTH = """
expect:
  - {device: d1, rule: hot, at: 0, severity: critical, value: 60}
  - {device: d1, rule: hot, at: 10, state: recovered}
"""


@pytest.fixture
def test(tmp_path, capsys):
    """Exit code, and lines of what is said without the names of files."""

    def call(*contents: str) -> tuple[int, list[str]]:
        files = [tmp_path / f"{number}.yaml" for number in range(len(contents))]
        for file, content in zip(files, contents, strict=True):
            file.write_text(content)
        code = run(fleetpulse, ["rules", "test", *map(str, files)])
        output = capsys.readouterr()
        return code, (output.out + output.err).replace(f"{tmp_path}/", "").splitlines()

    return call


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_every_shipped_fixture_passes(path: Path) -> None:
    assert list(differences(read_fixture(path))) == []


def test_every_shipped_set_has_a_fixture() -> None:
    assert {path.name for path in (ROOT / "rules").glob("*.yaml")} == {path.name for path in SHIPPED}


def test_the_example_on_the_page_passes(test) -> None:
    [example] = re.findall(r"^```yaml fixture\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    code, said = test(example)
    assert code == 0, said
    fields = set(re.findall(r"^ *(?:- )?\{?(\w+):", example, re.MULTILINE))
    assert fields >= {"rules", "records", "until", "expect"}


def test_alerts_as_expected(test) -> None:
    assert test(HOT + BOTH) == (0, ["0.yaml: 2 alerts as expected"])


def test_what_is_missing_and_what_is_unexpected_is_told(test) -> None:
    wrong = HOT + BOTH.replace("at: 10", "at: 11").replace("value: 60", "value: 60.5")
    assert test(HOT + BOTH, wrong) == (
        1,
        [
            "0.yaml: 2 alerts as expected",
            "1.yaml: FAILED",
            "  missing: open of hot for d1 at 0 s (2026-01-01T00:00:00.000Z), critical, value 60.5",
            "  missing: recovered of hot for d1 at 11 s (2026-01-01T00:00:11.000Z)",
            "  unexpected: open of hot for d1 at 0 s (2026-01-01T00:00:00.000Z), critical, value 60",
            "  unexpected: recovered of hot for d1 at 10 s (2026-01-01T00:00:10.000Z), critical, value 20",
            "error: 1 of 2 fixtures failed; see above",
        ],
    )


def test_more_may_come_where_it_says_so(test) -> None:
    assert test(HOT + "expect: []\nexpect_nothing_else: false")[0] == 0
    assert test(HOT + "expect: []")[0] == 1


def test_one_alert_is_not_two(test) -> None:
    twice = BOTH + "  - {device: d1, rule: hot, at: 0}\n"
    assert test(HOT + twice)[1][1] == "  missing: open of hot for d1 at 0 s (2026-01-01T00:00:00.000Z)"


def test_silence_up_to_the_end_is_judged(test) -> None:
    silent = HOT + "until: 90\n" + BOTH + "  - {device: d1, rule: inactivity, at: 90, value: 80}\n"
    assert test(silent)[0] == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("records: []\nexpect: []", "0.yaml: no fixture of rules: `rules` is missing"),
        (HOT + "expect: [{device: d1, rule: hot}]", "expect[0]: `at` is missing"),
        (HOT + "expect: [{device: d1, rule: hot, at: noon}]", "0.yaml: expect[0].at: 'noon' is neither"),
        (HOT + "  - {device: d1, at: 0, humidity: wet}\nexpect: []", "0.yaml: records[2].humidity: expected a number"),
        (HOT + "  - {at: 0}\nexpect: []", "0.yaml: records[2]: expected `device`"),
        (HOT + "  - {value: {ts: 1}}\nexpect: []", "records[2].value: it is rejected, for unknown_schema"),
        (HOT + "  - {value: {device_id: d}, humidity: 1}\nexpect: []", "records[2].humidity: with `value`"),
        ("rules: [{kind: battery, id: b}]\nrecords: []\nexpect: []", "rules[0]: `below` is missing"),
        ("rules: [{kind: battery, id: low, below: {critical: 5}}]", "no fixture of rules: `records` is missing"),
        ("[]", "no fixture of rules: expected a mapping, got a list of 0"),
        (HOT + "expect: []\nexpect_nothing_else: 5", "expect_nothing_else: expected true or false, got 5"),
        ("rules: 5\nrecords: []\nexpect: []", "rules: expected text or a list, got 5"),
        ("rules: nowhere.yaml\nrecords: []\nexpect: []", "nowhere.yaml: cannot be read"),
        ("rules: [", "no YAML"),
    ],
)
def test_what_is_no_fixture_is_refused_with_its_place(test, content: str, said: str) -> None:
    code, lines = test(content)
    assert code == 2
    assert said in lines[-1]


@pytest.mark.parametrize(
    "at", [".nan", ".inf", "-.inf", "1e300", "-1e300", "1e13", "9" * 400, "-1e10", "253402300800", '"10000-01-01"']
)
@pytest.mark.parametrize("field", ["record", "expect", "until"])
def test_an_instant_beyond_the_years_that_can_be_written_is_one_line(test, at: str, field: str) -> None:
    content = {
        "record": HOT.replace("at: 0,", f"at: {at},") + BOTH,
        "expect": HOT + BOTH.replace("at: 10,", f"at: {at},"),
        "until": HOT + BOTH + f"until: {at}\n",
    }[field]
    code, said = test(content)
    assert code == 2, said
    assert len(said) == 1
    assert said[0].startswith("error: 0.yaml")


@pytest.mark.parametrize("start", ['"10000-01-01T00:00:00Z"', '"0001-01-01T00:00:00Z"', '"soon"'])
def test_a_start_outside_of_time_is_one_line(test, start: str) -> None:
    code, said = test(HOT + BOTH + f"start: {start}\n")
    assert code == 2
    assert len(said) == 1


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf", "9" * 400])
def test_a_value_that_no_record_can_have_is_one_line(test, value: str) -> None:
    code, said = test(HOT.replace("temperature_c: 60", f"temperature_c: {value}") + BOTH)
    assert code == 2
    assert len(said) == 1
