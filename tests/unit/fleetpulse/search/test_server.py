"""A search server that takes, refuses, is busy or away."""

import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fleetpulse.errors import FleetpulseError
from fleetpulse.search.server import PATIENCE_S, Refusal, SearchServer
from tests.serving import Clock, serving

TAKEN = {"status": 201}
UNFIT = {"status": 400, "error": {"reason": "failed to parse field [time]", "caused_by": {"reason": "no date"}}}
BUSY = {"status": 429, "error": {"reason": "rejected execution"}}


class Server(ThreadingHTTPServer):
    """Says of the documents it is sent what it is told, and notes them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[int | list[dict[str, object]]] = []
        self.sent: list[list[str]] = []
        self.paths: set[str] = set()


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        lines = self.rfile.read(int(self.headers["Content-Length"])).splitlines()
        self.server.sent.append([json.loads(line)["index"]["_id"] for line in lines[::2]])
        self.server.paths.add(self.path.partition("?")[0])
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(answer if isinstance(answer, int) else 200)
        self.end_headers()
        if not isinstance(answer, int):
            items = [{"index": result} for result in answer]
            errors = any(result["status"] != 201 for result in answer)
            self.wfile.write(json.dumps({"errors": errors, "items": items}).encode())

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
def search(server: Server, clock: Clock) -> SearchServer:
    return SearchServer(f"http://user:secret@127.0.0.1:{server.server_port}/", "readings", clock.now, clock.sleep)


A, B, C = ({"origin": f"t:0:{offset}", "device_id": "d"} for offset in range(3))


def test_documents_are_named_by_their_place_in_the_index_that_was_asked_for(
    server: Server, search: SearchServer
) -> None:
    server.answers = [[TAKEN, TAKEN]]
    assert search.write([A, B]) == []
    assert server.sent == [["t:0:0", "t:0:1"]]
    assert server.paths == {"/readings/_bulk"}


def test_nothing_is_no_request(server: Server, search: SearchServer) -> None:
    assert search.write([]) == []
    assert server.sent == []


def test_a_refused_document_is_told_and_the_others_are_there(server: Server, search: SearchServer) -> None:
    server.answers = [[TAKEN, UNFIT, TAKEN]]
    assert search.write([A, B, C]) == [Refusal("t:0:1", "failed to parse field [time] (no date)")]
    assert len(server.sent) == 1


def test_what_the_server_was_too_busy_for_is_sent_again_and_nothing_else(server: Server, search: SearchServer) -> None:
    server.answers = [[BUSY, UNFIT, TAKEN], [TAKEN]]
    assert [refused.origin for refused in search.write([A, B, C])] == ["t:0:1"]
    assert server.sent == [["t:0:0", "t:0:1", "t:0:2"], ["t:0:0"]]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_is_away_is_waited_for(
    server: Server, search: SearchServer, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = [status, status, [TAKEN]]
    with caplog.at_level(logging.WARNING):
        assert search.write([A]) == []
    assert len(server.sent) == 3
    assert f"is away (HTTP {status}): next try in" in caplog.text
    assert "secret" not in caplog.text


def test_the_wait_has_an_end(search: SearchServer, server: Server, clock: Clock) -> None:
    server.answers = [[BUSY]]
    with pytest.raises(FleetpulseError, match=r"is away for 240 s \(1 documents not taken\): is it started\?"):
        search.write([A])
    assert PATIENCE_S <= clock.time_s < PATIENCE_S + 60


def test_a_server_that_is_none_is_not_waited_for(search: SearchServer, server: Server, clock: Clock) -> None:
    server.answers = [404]
    with pytest.raises(FleetpulseError, match="does not write to index readings: HTTP 404"):
        search.write([A])
    assert clock.time_s == 0
