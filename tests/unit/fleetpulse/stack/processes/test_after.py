"""Programs that wait for another one."""

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fleetpulse.stack.processes.after import after
from tests.serving import serving


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked += 1  # type: ignore[attr-defined]
        self.send_response(404 if self.server.asked < 3 else 200)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = 0  # type: ignore[attr-defined]
    with serving(server):
        yield server


def test_a_program_begins_once_what_it_needs_answers(server: ThreadingHTTPServer) -> None:
    command = after(f"http://127.0.0.1:{server.server_port}/there", (sys.executable, "-c", "print('begun')"))
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "begun\n"
    assert server.asked == 3  # type: ignore[attr-defined]
