"""The optional programs of a stack, in the order of their start."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fleetpulse.search.cli import INDEX
from fleetpulse.stack.layout import Layout
from fleetpulse.stack.programs import grafana, postgres, prometheus, registry, s3, search, vector
from fleetpulse.stack.programs.program import Program


def _nothing(_stack: Layout) -> None:
    pass


@dataclass(frozen=True)
class Option:
    """Programs, or a part of others, and what they need.

    `check` refuses an option that cannot start, before anything is downloaded or changed; `prepare` writes
    configuration. `answers` has by program the URL that answers once it is ready; `settle` then sets up what other
    programs expect. `reached_at` is a label and an address for people. An option that is `part_of` a program needs that
    program to be restarted; one that is `told_to` others needs the same of those.
    """

    install: Callable[[], None] = lambda: None
    programs: Callable[[Layout], list[Program]] = lambda _stack: []
    check: Callable[[Layout], None] = _nothing
    prepare: Callable[[Layout], None] = _nothing
    answers: Callable[[Layout], Mapping[str, str]] = lambda _stack: {}
    settle: Callable[[Layout], None] = _nothing
    reached_at: Callable[[Layout], Mapping[str, str]] = lambda _stack: {}
    part_of: str | None = None
    told_to: frozenset[str] = frozenset()


OPTIONS: Mapping[str, Option] = {
    "registry": Option(
        install=registry.install,
        programs=lambda stack: [registry.program(stack)],
        answers=lambda stack: {"registry": f"{registry.url(stack)}/subjects"},
        reached_at=lambda stack: {"Registry": registry.url(stack)},
        told_to=frozenset({"search"}),
    ),
    "prometheus": Option(
        install=prometheus.install,
        programs=prometheus.programs,
        prepare=prometheus.prepare,
        answers=prometheus.answers,
        reached_at=lambda stack: {"Prometheus": prometheus.url(stack)},
        part_of="Kafka",
    ),
    "search": Option(
        install=search.install,
        programs=search.programs,
        prepare=search.prepare,
        answers=search.answers,
        settle=search.settle,
        reached_at=lambda stack: {"Search": f"{search.url(stack)}, index {INDEX}"},
        told_to=frozenset({"vector"}),
    ),
    "s3": Option(
        install=s3.install,
        programs=s3.programs,
        check=s3.check,
        prepare=s3.prepare,
        answers=s3.answers,
        reached_at=s3.reached_at,
        part_of="Flink",
    ),
    "vector": Option(
        programs=vector.programs,
        check=vector.check,
        prepare=vector.prepare,
        answers=vector.answers,
        told_to=frozenset({"prometheus", "search"}),
    ),
    "grafana": Option(
        programs=grafana.programs,
        check=grafana.check,
        prepare=grafana.prepare,
        answers=grafana.answers,
        reached_at=lambda stack: {
            "Grafana": f"http://{stack.address('grafana')}, user admin, password in {stack.secrets / grafana.ADMIN}"
        },
    ),
    "timescaledb": Option(check=lambda _stack: postgres.check_timescaledb(), part_of="PostgreSQL"),
}


def chosen(stack: Layout) -> list[Option]:
    """The options of this stack."""
    return [option for name, option in OPTIONS.items() if name in stack.optional]
