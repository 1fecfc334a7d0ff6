"""What is kept of a shard can be read again, also by later releases."""

from fleetpulse.inactivity.clocks import ClockState
from fleetpulse.inactivity.devices import Devices
from fleetpulse.inactivity.timeouts import OpenSilence
from fleetpulse.records.reasons import Reason
from fleetpulse.shard.clock import TickClock
from fleetpulse.shard.entries import Clocks, Count, Heard, LastHeard, Pending
from fleetpulse.shard.log import HEADER, NoLog, ShardLog, restore

DEVICES = Devices(
    ["d1", "d2"],
    [1_767_225_600_000, 1_767_225_500_000],
    {"d2": OpenSilence(1_767_225_570_000, 1_767_225_500_000)},
)
COUNTS = {"events:0": Count(5, 1, {Reason.MALFORMED: 2}, 8)}
TICKS = TickClock(1_767_225_601_000, None)

# Written by state version 1: it must be readable for as long as the project promises.
VERSION_1 = {
    0: bytes.fromhex(
        "96010110cf0000019b76daac0092cf0000019b76daabe8c081a86576656e74733a3094050181a96d616c666f726d65640208"
    ),
    1: bytes.fromhex(
        "940292a26431a2643292cf0000019b76daa800cf0000019b76d92160810192cf0000019b76da32d0cf0000019b76d92160"
    ),
    2: bytes.fromhex("930391a2643391cf0000019b76dab3d0"),
}

# As it is written now: an alert also tells its rule, where that is not the job's own timeout.
WRITTEN = VERSION_1 | {
    1: bytes.fromhex(
        "940292a26431a2643292cf0000019b76daa800cf0000019b76d92160810193cf0000019b76da32d0cf0000019b76d92160c0"
    )
}


def written() -> dict[int, bytes]:
    log = ShardLog(16)
    log.append_changes(DEVICES)
    log.append(Pending(["d3"], [1_767_225_603_024]))
    return log.take_writes(1_767_225_601_024, TICKS, COUNTS).puts


def test_a_log_is_restored_as_it_was():
    restored = restore(written(), 16)
    assert restored.heartbeats.devices == DEVICES
    assert restored.header.decided_until_ms == 1_767_225_601_024
    assert (restored.header.ticks, restored.header.counts) == (TICKS, COUNTS)
    assert restored.heartbeats.pending[2].heartbeats_after(0) == [(1_767_225_603_024, "d3")]


def test_state_of_version_1_can_be_read():
    restored = restore(VERSION_1, 16)
    assert restored.heartbeats.devices == DEVICES
    assert restored.header.counts == COUNTS
    assert restored.heartbeats.pending[2].heartbeats_after(0) == [(1_767_225_603_024, "d3")]


def test_the_format_has_not_changed_without_a_new_version():
    assert written() == WRITTEN


def test_later_entries_win_and_forgotten_devices_are_gone():
    log = ShardLog(16)
    log.append_changes(DEVICES)
    log.append_changes(Devices(["d1", "d2"], [0, 1_767_225_700_000], {}))
    entries = log.take_writes(1, TICKS, {}).puts
    assert restore(entries, 16).heartbeats.devices == Devices(["d2"], [1_767_225_700_000], {})


def test_keys_go_on_from_what_is_there():
    entries = written()
    log = restore(entries, 16).log
    log.append_changes(DEVICES)
    assert set(log.take_writes(1, TICKS, {}).puts) == {0, 3}


def test_a_rewrite_replaces_all_changes_and_nothing_else():
    entries = written()
    log = restore(entries, 16).log
    devices = Devices(["d2", "d4"], [1_767_225_700_000, 1_767_225_500_000], {"d4": OpenSilence(1_767_225_570_000, 5)})
    log.rewrite(devices)
    puts, removals = log.take_writes(1, TICKS, {})
    entries.update(puts)
    for key in removals:
        del entries[key]
    restored = restore(entries, 16)
    assert restored.heartbeats.devices == devices
    assert restored.heartbeats.pending == {2: Pending(["d3"], [1_767_225_603_024])}
    assert entries.keys() == {0, 2, 3}


def test_where_nothing_is_kept_nothing_but_the_header_is_written():
    log = NoLog(16)
    keys = [log.append(Pending(["d1"], [1])), log.append(Pending(["d2"], [2]))]
    log.append_changes(DEVICES)
    log.remove(keys[0])

    assert len(set(keys)) == 2
    assert log.size(keys[1]) == 0
    assert not log.needs_rewrite()
    assert log.take_writes(1, TICKS, COUNTS).puts.keys() == {HEADER}


# What there is of wrong clocks. Earlier releases of state version 1 have none of it.
CLOCK = ClockState(None, -3_600_000, 1_767_225_660_000, -3_600_000, True)
HEARD = Heard(["d4"], [1_767_225_603_024], [1_767_222_003_024])
OF_WRONG_CLOCKS = {
    1: bytes.fromhex("940891a2643491cf0000019b76dab3d091cf0000019b76a3c550"),
    2: bytes.fromhex("920981a2643495c0d2ffc91180cf0000019b76db9260d2ffc91180c3"),
    3: bytes.fromhex("920a81a26434cf0000019b76db9260"),
}


def test_what_is_known_of_wrong_clocks_can_be_read_again():
    log = ShardLog(16)
    for entry in (HEARD, Clocks({"d4": CLOCK}), LastHeard({"d4": 1_767_225_660_000})):
        log.append(entry)
    writes = log.take_writes(1_767_225_601_024, TICKS, COUNTS)
    entries = {key: entry for key, entry in writes.puts.items() if key}
    assert entries == OF_WRONG_CLOCKS
    restored = restore(writes.puts, 16)
    assert restored.heartbeats.heard == {1: HEARD}
    assert restored.heartbeats.clocks == (2, Clocks({"d4": CLOCK}))
    assert restored.kept.heard == (3, LastHeard({"d4": 1_767_225_660_000}))
