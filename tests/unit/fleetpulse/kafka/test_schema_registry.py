"""A registry that knows, does not know, or is away."""

import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fleetpulse.errors import ConfigurationError, FleetpulseError
from fleetpulse.kafka.schema_registry import PATIENCE_S, UNKNOWN_FOR_S, Registry
from fleetpulse.records.avro import SCHEMA, UnknownSchemaError
from tests.serving import Clock, serving

NOT_FOUND = (404, {"error_code": 40403, "message": "Schema not found"})
FOUND = (200, {"schema": json.dumps(SCHEMA)})


class Server(ThreadingHTTPServer):
    """Gives the answers it is told, the last one again and again, and notes what it is asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, object]] = []
        self.asked: list[tuple[str, object]] = []

    @property
    def url(self) -> str:
        return f"http://user:secret@127.0.0.1:{self.server_port}/apis/ccompat/v7"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((f"{self.command} {self.path}", json.loads(body or "null")))
        answers = self.server.answers
        status, answer = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(answer.encode() if isinstance(answer, str) else json.dumps(answer).encode())

    do_POST = do_GET  # noqa: N815 - its name in the standard library

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(server: Server, clock: Clock) -> Registry:
    return Registry(server.url, clock.now, clock.sleep)


def test_a_schema_is_asked_for_once(registry: Registry, server: Server) -> None:
    server.answers = [FOUND]
    assert registry.schema(7) == registry.schema(7) == SCHEMA
    assert server.asked == [("GET /apis/ccompat/v7/schemas/ids/7", None)]


def test_an_unknown_id_is_believed_for_a_while_and_then_asked_for_again(
    registry: Registry, server: Server, clock: Clock
) -> None:
    server.answers = [NOT_FOUND, FOUND]
    for passed_s in (0, UNKNOWN_FOR_S - 1):
        clock.time_s = passed_s
        with pytest.raises(UnknownSchemaError, match="does not know schema 7"):
            registry.schema(7)
    assert len(server.asked) == 1
    clock.time_s = UNKNOWN_FOR_S
    assert registry.schema(7) == SCHEMA
    assert clock.slept == []


def test_an_id_that_no_registry_gives_is_not_asked_for(registry: Registry, server: Server) -> None:
    with pytest.raises(UnknownSchemaError):
        registry.schema(1 << 31)
    assert server.asked == []


def test_a_schema_of_another_kind_is_an_unknown_one(registry: Registry, server: Server) -> None:
    server.answers = [(200, {"schema": "syntax", "schemaType": "PROTOBUF"})]
    for _ in range(2):
        with pytest.raises(UnknownSchemaError, match="schema 7 is PROTOBUF, not Avro"):
            registry.schema(7)
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [500, 503, 429])
def test_while_the_registry_is_away_it_waits_and_says_so(
    registry: Registry, server: Server, clock: Clock, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = [(status, "busy")] * 7 + [FOUND]
    with caplog.at_level(logging.WARNING):
        assert registry.schema(7) == SCHEMA
    assert clock.slept == [1, 2, 4, 8, 16, 30, 30]
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 7
    assert lines[1] == (
        f"the schema registry at 127.0.0.1:{server.server_port} is away (HTTP {status}): next try in 2 s"
    )


def test_after_five_minutes_it_gives_up(server: Server, clock: Clock) -> None:
    server.server_close()  # the port is closed
    with pytest.raises(FleetpulseError, match=rf"is away for {PATIENCE_S} s \(ConnectionError\)") as failed:
        Registry(server.url, clock.now, clock.sleep).schema(7)
    assert PATIENCE_S <= sum(clock.slept) < PATIENCE_S + 30
    assert not isinstance(failed.value, ConfigurationError)
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize(
    "answer",
    [(404, "no such page"), (404, {"title": "not found"}), (401, {"message": "who are you?"}), (200, "<html>")],
    ids=["404", "404 in JSON", "401", "200"],
)
def test_what_does_not_answer_like_a_registry_leaves_no_record_unknown(
    registry: Registry, server: Server, clock: Clock, answer: tuple[int, object]
) -> None:
    server.answers = [answer]
    with pytest.raises(FleetpulseError, match="does not give schema 7"):
        registry.schema(7)
    assert clock.slept == []


ODD = [
    *("", "null", "[]", "7", '"text"', "{", "\ufeff{}", "[" * 100_000, "1" * 5_000, '{"schema": ' + "9" * 5_000 + "}"),
    *(
        '{"schema": null}',
        '{"schema": {}}',
        '{"schema": ["null"]}',
        '{"error_code": "40403"}',
        '{"error_code": [40403]}',
    ),
]


@pytest.mark.parametrize("body", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("status", [200, 404])
def test_no_answer_fails_otherwise_than_with_one_line(
    registry: Registry, server: Server, body: str, status: int
) -> None:
    server.answers = [(status, body)]
    with pytest.raises(FleetpulseError, match="does not give schema 7"):
        registry.schema(7)
    with pytest.raises(FleetpulseError, match="does not register the schema of x"):
        registry.register("x", SCHEMA)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "nul", "1" * 5_000, "\x00"], ids=range(6))
def test_a_schema_that_is_no_json_is_an_unknown_one(registry: Registry, server: Server, text: str) -> None:
    server.answers = [(200, {"schema": text})]
    for _ in range(2):
        with pytest.raises(UnknownSchemaError, match="schema 7 is no JSON"):
            registry.schema(7)
    assert len(server.asked) == 1


def test_a_kind_of_null_is_avro(registry: Registry, server: Server) -> None:
    server.answers = [(200, {"schema": json.dumps(SCHEMA), "schemaType": None})]
    assert registry.schema(7) == SCHEMA


def test_an_address_that_is_none_is_refused_at_once(clock: Clock) -> None:
    with pytest.raises(ConfigurationError):
        Registry("registry:8085", clock.now, clock.sleep).schema(7)


def test_a_schema_is_registered_under_its_subject(registry: Registry, server: Server) -> None:
    server.answers = [(200, {"id": 12})]
    assert registry.register("sensor.raw-value", SCHEMA) == 12
    [(where, body)] = server.asked
    assert where == "POST /apis/ccompat/v7/subjects/sensor.raw-value/versions"
    assert isinstance(body, dict)
    assert json.loads(body["schema"]) == SCHEMA


def test_a_schema_that_is_refused_says_why(registry: Registry, server: Server) -> None:
    server.answers = [(409, {"error_code": 409, "message": "Incompatible"})]
    with pytest.raises(FleetpulseError, match=r"does not register the schema of sensor\.raw-value: Incompatible"):
        registry.register("sensor.raw-value", SCHEMA)
