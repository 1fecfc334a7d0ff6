"""The settings that name what a command connects to: brokers, schema registry, database, search server.

All are resolved in one way: the argument, else the environment, else the stack of the folder. Where none of these is
there, nothing is guessed. `--dir` as an argument names a stack, and counts more than the environment.
"""

import os
from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from fleetpulse.cli.folder import DEFAULT_DIR, FolderStack, root_of, stack_of
from fleetpulse.cli.parameters import Servers, Url
from fleetpulse.cli.settings import Setting, option, setting
from fleetpulse.errors import ConfigurationError

REGISTRY_PATH = "/apis/ccompat/v7"
OF_THE_STACK = "the stack of this folder"
_BROKERS, _DIR = "--kafka.bootstrap.servers", "folder"
_HTTP = Url(r"https?://[^\s/]+\S*", "is no URL like http://127.0.0.1:8085" + REGISTRY_PATH)


class Address(str):
    """An address, and where it came from.

    Attributes:
        source: an option, a variable, or a stack, in words.
        stack: the stack whose address it is; None where somebody named it.
    """

    source: str
    stack: FolderStack | None

    def __new__(cls, address: str, source: str, stack: FolderStack | None = None) -> "Address":
        """An address from `source`."""
        made = super().__new__(cls, address)
        made.source, made.stack = source, stack
        return made

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """Flink's workers get the address alone: where it came from is for the one who submits."""
        return str, (str(self),)


class Connection(Setting):
    """An option whose default is an address of the folder's stack.

    Args:
        of_stack: the address in a stack; None where the stack does not have such a program.
        follows: whether it takes the stack's address only where the command's brokers are the stack's as well.
        absent: what the value is where nothing names one.
    """

    def __init__(
        self,
        *declarations: Any,
        of_stack: Callable[[FolderStack], str | None],
        follows: bool = False,
        absent: str | None = None,
        **attributes: Any,
    ) -> None:
        super().__init__(*declarations, **attributes)
        self._of_stack, self._follows, self._absent = of_stack, follows, absent

    def consume_value(self, ctx: click.Context, opts: Any) -> tuple[Any, ParameterSource]:
        """The value and where it comes from; an address of the stack is complete already."""
        value, source = super().consume_value(ctx, opts)
        if source is ParameterSource.COMMANDLINE or (source is ParameterSource.ENVIRONMENT and not _names_a_stack(ctx)):
            return value, source
        if self._follows and _BROKERS not in ctx.meta:
            return value, source
        stack = _stack(ctx)
        address = self._of_stack(stack) if stack else None
        if not address:
            return value, source
        return Address(address, f"the stack in {stack}", stack), ParameterSource.DEFAULT

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """The value with where it came from."""
        if not isinstance(value, Address):
            named = super().process_value(ctx, value)
            return Address(named, self._named_by(ctx)) if isinstance(named, str) else self._absent
        if self.opts[0] == _BROKERS:
            ctx.meta[_BROKERS] = value.stack
        return value

    def _named_by(self, ctx: click.Context) -> str:
        if ctx.get_parameter_source(str(self.name)) is ParameterSource.COMMANDLINE:
            return self.opts[0]
        return next(name for name in self.envvar or () if os.environ.get(name))


def _names_a_stack(ctx: click.Context) -> bool:
    return ctx.get_parameter_source(_DIR) is ParameterSource.COMMANDLINE


def _stack(ctx: click.Context) -> FolderStack | None:
    """The stack of the command's folder.

    Raises:
        ConfigurationError: a folder is named in which no stack was ever started.
    """
    folder = ctx.meta.get(_DIR)
    stack = stack_of(folder)
    if stack is None and _names_a_stack(ctx):
        raise ConfigurationError(f"--dir {root_of(folder)}: no stack was started there")
    return stack


def _remember(ctx: click.Context, _option: click.Parameter, folder: str) -> None:
    ctx.meta[_DIR] = folder


folder_of_stack = option(
    "dir",
    click.Path(file_okay=False),
    "Folder of the stack to use.",
    default=DEFAULT_DIR,
    parameter=_DIR,
    is_eager=True,  # the addresses depend on it
    expose_value=False,
    callback=_remember,
)


_SERVERS: dict[str, Any] = {
    "kind": Servers(),
    "help": "Kafka brokers, as host:port, separated by commas.",
    "variables": ("KAFKA_BROKERS", "KAFKA_BOOTSTRAP_SERVERS"),
    "cls": Connection,
    "of_stack": lambda stack: stack.address("kafka"),
    "absent": "",
    "show_default": OF_THE_STACK,
    "beside": folder_of_stack,
}
bootstrap_servers = option("kafka.bootstrap.servers", parameter="bootstrap_servers", **_SERVERS)

_REGISTRY: dict[str, Any] = {
    "kind": _HTTP,
    "variables": ("SCHEMA_REGISTRY_URL",),
    "cls": Connection,
    "of_stack": lambda stack: (
        f"http://{stack.address('registry')}{REGISTRY_PATH}" if "registry" in stack.optional else None
    ),
    "follows": True,
}


def brokers() -> Any:
    """The brokers, as a field of settings; empty where nothing names any, which `fleetpulse.kafka.broker` refuses."""
    return setting("kafka.bootstrap.servers", **_SERVERS)


def schema_registry() -> Any:
    """The schema registry of a producer, as a field of settings."""
    help_ = "Schema registry with Confluent's interface, for values in Avro."
    return setting("schema.registry.url", help=help_, show_default=f"{OF_THE_STACK}, if it has one", **_REGISTRY)


def schema_registry_if_any() -> Any:
    """The schema registry of a consumer, as a field of settings."""
    help_ = "Registry of Avro schemas, with Confluent's interface. Without one Avro is rejected."
    return setting("schema.registry.url", help=help_, show_default=f"{OF_THE_STACK}, if it has one", **_REGISTRY)


def search_server(kind: click.ParamType[str]) -> Any:
    """The search server, as a field of settings."""
    of_stack = lambda stack: f"http://{stack.address('search')}" if "search" in stack.optional else None  # noqa: E731
    more = {"cls": Connection, "of_stack": of_stack, "show_default": f"{OF_THE_STACK}, if it has one"}
    return setting("search.url", kind, "OpenSearch or Elasticsearch.", **more)


def named(address: str | None, what: str, ways: str) -> str:
    """The address of something that the command needs.

    Raises:
        ConfigurationError: nothing names one, or it is of a stack that does not run; says what to do.
    """
    if not address:
        raise ConfigurationError(f"no {what} is named: {ways}")
    if not may_answer(address):
        raise ConfigurationError(
            f"no {what} answers at {address}{source_of(address)}: it does not run; start the stack with `make stack-up`"
        )
    return address


def may_answer(address: str) -> bool:
    """Whether to ask at an address. At the ports of a stack that does not run, another one may be."""
    return not (isinstance(address, Address) and address.stack and not address.stack.runs)


def source_of(address: str) -> str:
    """Where an address came from, in brackets; empty where it is a plain text."""
    return f" ({address.source})" if isinstance(address, Address) else ""
