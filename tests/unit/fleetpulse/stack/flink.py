"""Flink's REST interface as a test wants it."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from jobs.wiring import identity, writers
from jobs.wiring.writers import Claim


class Flink(ThreadingHTTPServer):
    """Knows the jobs that a test gives it. Use it with `tests.serving.serving`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.jobs: dict[str, dict[str, str]] = {}
        self.parameters: dict[str, dict[str, str]] = {}
        self.failure = ""  # the stack trace of a job that has failed

    @property
    def address(self) -> str:
        """Its `host:port`."""
        return f"127.0.0.1:{self.server_address[1]}"

    def run(self, job: str, state: str = "RUNNING", of_job: str = "", claim: Claim | None = None) -> None:
        """Let it have a job, `fleetpulse monitor`, under this id."""
        self.jobs[job] = {"jid": job, "name": "fleetpulse monitor", "state": state}
        shown = {identity.PARAMETER: of_job} if of_job else {}
        self.parameters[job] = shown | ({writers.PARAMETER: claim.text()} if claim else {})


class _Handler(BaseHTTPRequestHandler):
    server: Flink

    def do_GET(self) -> None:
        answer: object = {"errors": [f"Not found: {self.path}"]}
        if self.path == "/jobs/overview":
            answer = {"jobs": list(self.server.jobs.values())}
        elif self.path.endswith("/config") and (job := self.path.split("/")[2]) in self.server.jobs:
            answer = {"jid": job, "execution-config": {"user-config": self.server.parameters[job]}}
        elif self.path.endswith("/exceptions"):
            answer = {"exceptionHistory": {"entries": [{"stacktrace": self.server.failure}]}}
        body = json.dumps(answer).encode()
        self.send_response(404 if isinstance(answer, dict) and "errors" in answer else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
