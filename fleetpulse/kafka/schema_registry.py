"""A client of a schema registry with Confluent's interface."""

import json
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from fleetpulse.errors import FleetpulseError
from fleetpulse.http import PatientClient
from fleetpulse.records.avro import LARGEST_ID, SensorReadings, UnknownSchemaError

PATIENCE_S = 300  # then the job fails, Flink restarts it, and the wait becomes visible in Flink's UI
UNKNOWN_FOR_S = 30

_TIMEOUT_S = 10
_MOST_UNKNOWN = 10_000
_SCHEMA_NOT_FOUND = 40403  # Confluent's own code; a plain 404 comes from a wrong address
_HEADERS = {"Content-Type": "application/vnd.schemaregistry.v1+json"}


class _Answer(NamedTuple):
    status: int
    fields: Mapping[str, object]


class Registry:
    """Requests each schema once. While the registry is away it waits, and logs each pause."""

    def __init__(
        self, url: str, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Connects to nothing yet.

        Args:
            url: where `/schemas` and `/subjects` are, with user and password if it wants them.
            now: a clock, in seconds.
            sleep: waits for so many seconds.
        """
        self._client = PatientClient("the schema registry", url, PATIENCE_S, now, sleep)
        self._now, self._name = now, self._client.name
        self._schemas: dict[int, object] = {}
        self._unknown: dict[int, tuple[float, str]] = {}  # until when it is remembered, and the reason

    def schema(self, schema_id: int) -> object:
        """Return the schema of an id, as parsed JSON. It never changes; an unknown id is remembered for 30 s.

        Raises:
            UnknownSchemaError: the registry does not know the id, or its schema is not Avro.
            FleetpulseError: the registry is away for 5 minutes, or gives an unexpected answer.
        """
        if schema_id not in self._schemas:
            believed_until, why = self._unknown.get(schema_id, (self._now(), ""))
            if self._now() < believed_until:
                raise UnknownSchemaError(why)
            try:
                self._schemas[schema_id] = self._ask_for(schema_id)
            except UnknownSchemaError as unknown:
                if len(self._unknown) >= _MOST_UNKNOWN:
                    self._unknown.clear()
                self._unknown[schema_id] = (self._now() + UNKNOWN_FOR_S, str(unknown))
                raise
        return self._schemas[schema_id]

    def register(self, subject: str, schema: object) -> int:
        """Register a schema under a subject, or find it there. Returns its id.

        Raises:
            FleetpulseError: the registry is away for 5 minutes, or refuses the schema.
        """
        answer = self._ask("POST", f"/subjects/{subject}/versions", {"schema": json.dumps(schema)})
        schema_id = answer.fields.get("id")
        if not isinstance(schema_id, int):
            raise FleetpulseError(f"{self._name} does not register the schema of {subject}: {_reason(answer)}")
        return schema_id

    def _ask_for(self, schema_id: int) -> object:
        if schema_id > LARGEST_ID:
            raise UnknownSchemaError(f"no registry has a schema {schema_id}")
        answer = self._ask("GET", f"/schemas/ids/{schema_id}")
        if answer.fields.get("error_code") == _SCHEMA_NOT_FOUND:
            raise UnknownSchemaError(f"{self._name} does not know schema {schema_id}")
        text, kind = answer.fields.get("schema"), answer.fields.get("schemaType") or "AVRO"
        if not isinstance(text, str):
            raise FleetpulseError(f"{self._name} does not give schema {schema_id}: {_reason(answer)}")
        if kind != "AVRO":
            raise UnknownSchemaError(f"schema {schema_id} is {kind}, not Avro")
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as bad:
            raise UnknownSchemaError(f"schema {schema_id} is no JSON: {bad}") from bad

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> _Answer:
        return self._client.repeat(lambda: self._ask_once(method, path, body))

    def _ask_once(self, method: str, path: str, body: dict[str, str] | None) -> _Answer:
        answer = self._client.request(method, path, json=body, headers=_HEADERS, timeout=_TIMEOUT_S)
        try:
            fields = answer.json()
        except (ValueError, RecursionError):
            fields = None
        return _Answer(answer.status_code, fields if isinstance(fields, dict) else {})


def _reason(answer: _Answer) -> str:
    return str(answer.fields.get("message") or f"HTTP {answer.status}, and nothing that a registry says")


def sensor_readings(url: str | None) -> SensorReadings | None:
    """What decodes Avro by the schemas of the registry at `url`; None without one. Connects to nothing yet."""
    return SensorReadings(Registry(url).schema) if url is not None else None
