"""What a stack has only where it was asked for it, in the order of its start."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stack import prometheus, registry, s3
from stack.layout import Layout
from stack.programs import Program


def _nothing(_stack: Layout) -> None:
    pass


@dataclass(frozen=True)
class Option:
    """Programs, or a part of others, and what they need.

    `check` refuses what cannot start, before anything is downloaded or changed; `prepare` writes configuration.
    `answers` names by program the URL that answers once it is ready; `settle` then puts in place what others expect.
    `reached_at` is a label and an address for people. What is `part_of` a program needs that one to be started anew.
    """

    install: Callable[[], None]
    programs: Callable[[Layout], list[Program]] = lambda _stack: []
    check: Callable[[Layout], None] = _nothing
    prepare: Callable[[Layout], None] = _nothing
    answers: Callable[[Layout], Mapping[str, str]] = lambda _stack: {}
    settle: Callable[[Layout], None] = _nothing
    reached_at: Callable[[Layout], Mapping[str, str]] = lambda _stack: {}
    part_of: str | None = None


OPTIONS: Mapping[str, Option] = {
    "registry": Option(
        install=registry.install,
        programs=lambda stack: [registry.program(stack)],
        answers=lambda stack: {"registry": f"{registry.url(stack)}/subjects"},
        reached_at=lambda stack: {"Registry": registry.url(stack)},
    ),
    "prometheus": Option(
        install=prometheus.install,
        programs=prometheus.programs,
        prepare=prometheus.prepare,
        answers=prometheus.answers,
        reached_at=lambda stack: {"Prometheus": prometheus.url(stack)},
        part_of="Kafka",
    ),
    "s3": Option(install=s3.install, check=lambda _stack: s3.check(), part_of="Flink"),
}


def chosen(stack: Layout) -> list[Option]:
    """Those that this stack has."""
    return [option for name, option in OPTIONS.items() if name in stack.optional]
