import json

import pytest

from fleetpulse.errors import ConfigurationError
from generator.truth.alerts import Revision, Truth
from generator.truth.file import lines, spool, write
from tests.unit.generator.fleets import QUIET

T = 1_767_225_660_000
OPEN = Revision("d1", 1, "open", T, T)
RECOVERED = Revision("d1", 2, "recovered", T, T + 17)


def written(tmp_path, until_ms=T + 17, order_dependent=()):
    truth = Truth(QUIET, lambda _: None)
    truth.order_dependent.update(order_dependent)
    truth.rejected.update({"malformed": 2, "empty": 1})
    path = tmp_path / "truth.jsonl"
    with spool(path) as told:
        told.tell(OPEN)
        told.tell(RECOVERED)
        write(path, lines(QUIET, truth, told.revisions(), until_ms, sent=9))
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_header_comes_first(tmp_path):
    assert written(tmp_path, order_dependent=["d2", "d1"])[0] == {
        "seed": 1,
        "complete_until_ms": T + 17,
        "order_dependent_devices": ["d1", "d2"],
        "records": {"sent": 9, "rejected": 3, "rejected_by_reason": {"empty": 1, "malformed": 2}},
    }


def test_each_revision_is_a_line_with_the_contract_s_names(tmp_path):
    common = {"alert_id": str(OPEN.alert_id), "device_id": "d1", "opened_at": "2026-01-01T00:01:00.000Z"}

    assert written(tmp_path)[1:] == [
        common | {"revision": 1, "state": "open", "changed_at": "2026-01-01T00:01:00.000Z"},
        common | {"revision": 2, "state": "recovered", "changed_at": "2026-01-01T00:01:00.017Z"},
    ]


def test_revisions_of_order_dependent_devices_say_so(tmp_path):
    assert [line["order_dependent"] for line in written(tmp_path, order_dependent=["d1"])[1:]] == [True, True]


def test_what_later_records_could_change_is_left_out(tmp_path):
    assert [line["state"] for line in written(tmp_path, until_ms=T + 16)[1:]] == ["open"]


def test_nothing_but_the_truth_file_is_left(tmp_path):
    written(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["truth.jsonl"]


def test_a_place_that_cannot_be_written_is_told_before_anything_is_sent(tmp_path):
    with pytest.raises(ConfigurationError, match=r"--truth: cannot write .*No such file"), spool(tmp_path / "no" / "t"):
        pass
