"""Mistakes that people make in their first hour: each is one line that names what is wrong, and exit code 2.

A row is a command line, and what the line must hold as a regular expression. It runs as people run it, in a process of
its own, and in a folder with these:

- `file` is a file, `empty` a folder, `stack` the folder of a stack at its own ports of which nothing runs;
- `rules.yaml` holds rules, `not.yaml` no YAML, `odd.yaml` a rule with faults, `history.jsonl` records;
- `not.parquet/part` is no Parquet, `torn.parquet/part` is, with a page that cannot be read.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[4]
ALERT = "6355e389-c58d-5676-9304-084bcee90f1b"
OFFSET = 3_000  # of the stack of which nothing runs
NOWHERE = "127.0.0.1:1"  # where nobody listens
PATIENCE_S = 120  # only so that nothing hangs

NO_BROKER = r"no broker is named: give --kafka\.bootstrap\.servers host:port, set KAFKA_BROKERS, or .*`make stack-up`"
AWAY = r"no broker answers at 127\.0\.0\.1:12092 \(the stack in stack\): it does not run; .*`make stack-up`"
BELOW_A_FILE = r"--dir .*/file/below: .*/file is no folder"

MISTAKES = [
    # what there is not
    ("genrate", r"No such command 'genrate'"),
    ("rules lint rules.yaml", r"No such command 'lint'"),
    ("generate --devices 5", r"No such option '?--devices'?"),
    ("generate --num.devics 5", r"No such option '?--num\.devics'?.*--num\.devices"),
    ("stack submit monitr", r"'monitr' is not one of .*'monitor'"),
    ("stack logs kaffka", r"'kaffka' is not one of 'kafka'"),
    ("stack up --with kitchen", r"'kitchen' is not one of 'registry'"),
    ("kafka watch", r"Missing argument 'TOPIC'"),
    ("kafka send telemetry.raw", r"Missing argument 'FILE\|-'"),
    ("kafka send telemetry.raw missing.jsonl", r"missing\.jsonl.*No such file"),
    ("generate --num.devices", r"--num\.devices' requires an argument"),
    # numbers, durations, instants
    ("generate --num.devices many", r"--num\.devices': 'many': expected a whole number from 1 to"),
    ("generate --num.devices 0", r"--num\.devices': '0': expected a whole number from 1 to"),
    ("generate --rate -1", r"--rate': '-1': expected a number from 0 to 1,000,000,000"),
    ("generate --late.rate 2", r"--late\.rate': '2': expected a number from 0 to 1"),
    ("generate --event.interval.ms soon", r"--event\.interval\.ms': 'soon' is not a duration like 500ms, 2s, 10m"),
    ("generate --duration.seconds 10y", r"--duration\.seconds': '10y' is not a duration"),
    ("generate --start yesterday", r"--start': 'yesterday' is neither ISO 8601 like 2026-"),
    ("generate --metrics.port 70000", r"--metrics\.port': '70000': expected a whole number from 0 to 65,535"),
    ("load --rate fast", r"--rate': 'fast': expected a whole number from 1 to 10,000,000"),
    ("load --duration.seconds 0", r"--duration\.seconds': '0' is not in the range 1ms to"),
    ("demo --duration.seconds long", r"--duration\.seconds': 'long' is not a duration"),
    ("stack up --port.offset much", r"--port\.offset': 'much': expected a whole number from 0 to"),
    ("stack up --port.offset 70000", r"--port\.offset': '70000': expected a whole number from 0 to"),
    ("rules show one", r"'one': expected a whole number from 1"),
    ("rules apply rules.yaml --effective.from yesterday", r"--effective\.from': 'yesterday' is neither ISO 8601"),
    ("rules apply rules.yaml --effective.from 2026-01-01", r"--effective\.from: 2026-.* is not at least \d+ s ahead"),
    ("dlq list --since yesterday", r"--since': 'yesterday' is neither ISO 8601"),
    ("dlq replay --max.retries 0", r"--max\.retries': '0': expected a whole number from 1 to 1,000"),
    ("backtest --limit few", r"--limit': 'few': expected a whole number from 0"),
    ("backtest --from 2026-02-01 --until 2026-01-01", r"--from: 2026-02-01.* is after --until 2026-01-01"),
    # words
    ("generate --dialect xml", r"--dialect': 'xml' is not one of 'event', 'telemetry'"),
    ("generate --topic 'my topic'", r"--topic': 'my topic' is no topic name: 1-249 letters"),
    ("sensors --sensor.type smell", r"--sensor\.type': 'smell' is not one of 'temperature'"),
    ("sensors --sensor.id press-7", r"--sensor\.id names one sensor: say its --sensor\.type"),
    ("generate --schema.registry.url registry:8085", r"'registry:8085' is no URL like http://"),
    ("dlq show 17", r"17: a letter's id is partition:offset"),
    ("dlq replay --value file", r"--value: a repaired value needs exactly one ID"),
    ("dlq list --reason ugly", r"--reason': 'ugly' is not one of 'empty'"),
    ("explain not-an-id", r"'not-an-id' is not a valid UUID"),
    ("rules diff", r"expected one file, two files, or --versions and two numbers"),
    # brokers
    ("generate", NO_BROKER),
    ("sensors", NO_BROKER),
    ("kafka verify-cluster", NO_BROKER),
    ("kafka watch events", NO_BROKER),
    ("kafka send events history.jsonl", NO_BROKER),
    ("rules check rules.yaml --topic events", NO_BROKER),
    ("dlq simulate", NO_BROKER),
    ("rules list", NO_BROKER),
    ("backtest", NO_BROKER),
    (f"explain {ALERT}", NO_BROKER),
    ("generate --dir stack", AWAY),
    ("sensors --dir stack", AWAY),
    ("kafka watch events --dir stack", AWAY),
    ("kafka send events history.jsonl --dir stack", AWAY),
    ("rules check rules.yaml --topic events --dir stack", AWAY),
    ("kafka make-topics --dir stack", AWAY),
    ("dlq list --dir stack", AWAY),
    ("rules apply rules.yaml --dir stack", AWAY),
    ("backtest --dir stack", AWAY),
    (f"explain {ALERT} --dir stack", AWAY),
    ("index --search.url http://127.0.0.1:1 --dir stack", AWAY),
    (
        f"generate --kafka.bootstrap.servers {NOWHERE}",
        r"no broker answers at 127\.0\.0\.1:1 \(--kafka.*: Connection refused",
    ),
    (
        "kafka groups --kafka.bootstrap.servers no-such-host.invalid:9092",
        r"no broker answers at no-such-host\.invalid:9092",
    ),
    ("generate --kafka.bootstrap.servers localhost", r"'localhost' is not host:port"),
    (
        "generate --kafka.bootstrap.servers localhost:99999",
        r"'localhost:99999' has the port 99999: expected 1 to 65535",
    ),
    # the folder of a stack
    *(
        (f"{command} --dir file/below", BELOW_A_FILE)
        for command in ("stack up", "demo", "load", "generate", "rules list")
    ),
    *(
        (f"{command} --dir empty", r"--dir .*/empty: no stack was started there")
        for command in ("generate", "dlq list")
    ),
    ("stack up --dir 'my stack'", r"--dir .*/my stack: Flink's scripts cannot work below a path with blanks"),
    ("load", r"no stack runs in .*/\.fleetpulse: start it with"),
    ("stack submit monitor", r"no stack runs in .*/\.fleetpulse: start it with|`make package`"),
    ("stack savepoint monitor --dir stack", r"no stack runs in .*/stack: start it with"),
    ("stack savepoint monitor --flink.rest 127.0.0.1:1", r"Flink does not answer at 127\.0\.0\.1:1 .*`make stack-up`"),
    ("stack submit monitor --flink.rest 127.0.0.1:1", r"Flink does not answer at 127\.0\.0\.1:1 |`make package`"),
    ("stack submit monitor --restore nowhere", r"--restore: .*/nowhere does not exist|`make package`"),
    ("stack psql -c 'SELECT 1'", r"no stack runs in .*/\.fleetpulse: start it with"),
    ("doctor --dir empty", r"--dir .*/empty: no stack was started there"),
    ("doctor --topic 'my topic'", r"--topic': 'my topic' is no topic name"),
    ("doctor --flink.rest flink", r"--flink\.rest': 'flink' is not host:port"),
    ("stack logs kafka", r"kafka\.log does not exist: the stack has not been started in this folder"),
    # database, registry, search
    (
        "database migrate",
        r"no database is named: give --database\.url, set FLEETPULSE_DATABASE_URL, or .*`make stack-up`",
    ),
    ("database migrate --database.url localhost", r"'localhost' should look like postgresql://host:5432/monitoring"),
    (
        f"database migrate --database.url postgresql://{NOWHERE}/m",
        r"--database\.url: .*port 1 failed: Connection refused",
    ),
    (
        f"explain {ALERT} --database.url postgresql://{NOWHERE}/m",
        r"--database\.url: .*port 1 failed: Connection refused",
    ),
    ("index --dir empty", r"--dir .*/empty: no stack was started there"),
    ("index --kafka.bootstrap.servers a:1", r"no search server is named: give --search\.url"),
    ("index --search.url localhost:9200", r"'localhost:9200' is no URL like http://"),
    # files
    ("rules check missing.yaml", r"missing\.yaml.*(not exist|No such file)"),
    ("rules check not.yaml", r"not\.yaml:2: no YAML"),
    ("rules check odd.yaml", r"odd\.yaml:2: .*beneath"),
    ("rules test missing.yaml", r"missing\.yaml.*(not exist|No such file)"),
    ("generate --truth empty", r"--truth': File 'empty' is a directory"),
    ("backtest --rules missing.yaml", r"--rules': File 'missing\.yaml' does not exist"),
    ("backtest --rules rules.yaml --parquet missing", r"--parquet': Directory 'missing' does not exist"),
    ("backtest --rules rules.yaml --parquet empty", r"--parquet: empty holds no files"),
    ("backtest --rules rules.yaml --parquet not.parquet", r"--parquet: not\.parquet/part is not a Parquet file"),
    ("backtest --rules rules.yaml --parquet torn.parquet", r"--parquet: torn\.parquet/part cannot be read"),
    ("backtest --json.lines history.jsonl --parquet empty", r"--topic, --parquet, --json\.lines: only one of them"),
    ("backtest --rules not.yaml --json.lines history.jsonl", r"not\.yaml:2: no YAML"),
    # jobs
    ("jobs.monitor --check --parallelism two", r"--parallelism': 'two': expected a whole number from 1 to 128"),
    ("jobs.monitor --check --timeout.ms soon", r"--timeout\.ms': 'soon' is not a duration"),
    ("jobs.monitor", NO_BROKER),
    ("jobs.monitor --dir stack", AWAY),
    ("jobs.cold --check", r"Missing option '--cold\.path'"),
    ("jobs.archive --check", r"no database .*is named|no database password"),
    (
        "jobs.archive --check --database.password.file file --database.url postgresql://a:secret@db/m",
        r"--database\.url: the URL holds a password",
    ),
]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the commands run in."""
    folder = tmp_path_factory.mktemp("here")
    for name in ("empty", "stack/secrets", "not.parquet", "torn.parquet"):
        (folder / name).mkdir(parents=True)
    (folder / "stack" / "stack.json").write_text(json.dumps({"port_offset": OFFSET, "with": []}))
    (folder / "file").write_text("a file\n")
    (folder / "rules.yaml").write_text("rules:\n- {kind: battery, id: low, below: {critical: 5}}\n")
    (folder / "odd.yaml").write_text("rules:\n- {kind: battery, id: low, beneath: {critical: 5}}\n")
    (folder / "not.yaml").write_text("rules: [\n")
    (folder / "history.jsonl").write_text('{"device_id": "d1", "ts": 1767225600000}\n')
    (folder / "not.parquet" / "part").write_text("PAR1 it is not\n")
    _write_torn(folder / "torn.parquet" / "part")
    return folder


def _write_torn(file: Path) -> None:
    """A file with good columns of topic, partition and offset, and values that cannot be read."""
    columns = {
        "topic": pa.array(["telemetry.raw"] * 100),
        "partition": pa.array([0] * 100, pa.int32()),
        "offset": pa.array(range(100), pa.int64()),
        "kafka_time": pa.array([1_767_225_600_000] * 100, pa.timestamp("ms")),
        "value": pa.array([b'{"device_id": "d%d"}' % n for n in range(100)]),
    }
    pq.write_table(pa.table(columns), file, compression="zstd", use_dictionary=False)
    column = pq.ParquetFile(file).metadata.row_group(0).column(4)
    content = bytearray(file.read_bytes())
    end = column.data_page_offset + column.total_compressed_size
    content[end - 40 : end] = bytes(40)
    file.write_bytes(content)


def command_of(words: str) -> list[str]:
    program, *arguments = shlex.split(words)
    if program.startswith("jobs."):
        return [sys.executable, "-m", program, *arguments]
    return [sys.executable, "-c", "from fleetpulse.cli.main import main; main()", program, *arguments]


@pytest.mark.parametrize(("words", "expected"), MISTAKES, ids=[words for words, _ in MISTAKES])
def test_a_mistake_is_one_line_and_exit_code_2(words: str, expected: str, here: Path) -> None:
    hidden = re.compile("FLEETPULSE_|KAFKA_|SCHEMA_|FLINK_|PG[A-Z]|.*_TOPIC$|SENSOR_|METRICS_")
    environment = {name: value for name, value in os.environ.items() if not hidden.match(name)}
    environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(
        command_of(words), cwd=here, env=environment, capture_output=True, text=True, timeout=PATIENCE_S
    )
    said = done.stderr.splitlines()
    assert said, done
    assert re.search(expected, said[-1]), done.stderr
    assert (done.returncode, done.stdout, said[:-1]) == (2, "", [])
    assert said[-1].startswith("error: ")


def test_there_are_forty_mistakes_at_least() -> None:
    assert len({words for words, _ in MISTAKES}) >= 40
