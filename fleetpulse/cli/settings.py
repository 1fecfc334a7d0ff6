"""Settings: one definition makes an option of a command, a field of a typed object and a line of docs/configuration.md.

`option` decorates a command. `setting` declares the same as a field of a dataclass; `takes` gives a command all options
of such a class and calls it with the finished object.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import wraps
from typing import Any, TypeVar

import click

T = TypeVar("T")
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
_OPTION, _GROUP = "option", "group"

FLAG = click.BOOL


class Setting(click.Option):
    """An option that is also read by its former spellings, which neither help nor messages show."""

    def __init__(self, *declarations: Any, aliases: Sequence[str] = (), **attributes: Any) -> None:
        super().__init__(*declarations, **attributes)
        self.aliases = tuple(aliases)

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """Let the parser know the former spellings too."""
        super().add_to_parser(parser, ctx)
        shown, self.opts = self.opts, list(self.aliases)
        if self.aliases:
            super().add_to_parser(parser, ctx)
        self.opts = shown

    def get_help_extra(self, ctx: click.Context) -> Any:
        """Write a default as people would, where the type knows how."""
        extra = super().get_help_extra(ctx)
        if "default" in extra and isinstance(self.show_default, bool | None):
            extra["default"] = shown(self)
        return extra


def without_former_spellings(bad: click.NoSuchOption) -> click.NoSuchOption:
    """The same error; the options that it suggests are those that the help shows."""
    if bad.ctx is None:
        return bad
    names = [name for parameter in bad.ctx.command.get_params(bad.ctx) for name in parameter.opts]
    return click.NoSuchOption(bad.option_name, possibilities=[n for n in names if n.startswith("--")], ctx=bad.ctx)


def shown(setting: click.Option) -> str:
    """The default of a setting as people write it."""
    write: Callable[[Any], str] = getattr(setting.type, "shown", str)
    return write(setting.default)


@dataclass(frozen=True, slots=True)
class _Definition:
    name: str
    parameter: str
    declare: Decorator


def option(
    name: str,
    kind: click.ParamType[Any],
    help: str,  # noqa: A002 - click's word
    *,
    default: Any = None,
    parameter: str | None = None,
    short: str | None = None,
    aliases: Sequence[str] = (),
    variables: Sequence[str] = (),
    environment: bool = True,
    beside: Decorator | None = None,
    **attributes: Any,
) -> Decorator:
    """Return a decorator that gives a command the option `--<name>`.

    Args:
        name: dotted, without the dashes.
        kind: its type; `FLAG` for an option without a value.
        help: what it means, as a sentence.
        default: what it is when nobody gives it.
        parameter: what the command calls it; by default the name with `_` for dots.
        short: one letter for it, as in `-f`.
        aliases: former spellings, whole.
        variables: variables of the environment that are read besides `FLEETPULSE_<NAME>`.
        environment: whether it may come from the environment. A flag never does.
        beside: another option that every command with this one has too.
        attributes: what else `click.option` takes.
    """
    if kind is FLAG:
        attributes |= {"is_flag": True, "default": False}
    else:
        attributes |= {"type": kind, "default": default} if default is not None else {"type": kind}
        if environment:
            attributes["envvar"] = [*variables, f"FLEETPULSE_{_parameter(name).upper()}"]
    attributes.setdefault("show_default", kind is not FLAG)
    attributes.setdefault("cls", Setting)
    names = [f"--{name}", *([short] if short else []), parameter or _parameter(name)]
    declare = click.option(*names, help=help, aliases=aliases, **attributes)
    return declare if beside is None else lambda command: declare(beside(command))


def setting(name: str, kind: click.ParamType[Any], help: str, *, default: Any = None, **attributes: Any) -> Any:  # noqa: A002
    """Return a field of a dataclass that is the option `--<name>` as well; arguments as for `option`."""
    attributes["parameter"] = _parameter(name)
    definition = _Definition(name, _parameter(name), option(name, kind, help, default=default, **attributes))
    return field(default=False if kind is FLAG else default, metadata={_OPTION: definition})


def group(settings: type[Any]) -> Any:
    """Return a field of a dataclass that holds another class of settings."""
    return field(default=None, metadata={_GROUP: settings})


def takes(settings: type[T], without: Collection[str] = ()) -> Decorator:
    """Return a decorator that gives a command the options of a class, and calls it with the object as first argument.

    Args:
        settings: a dataclass of settings and groups of them.
        without: names of groups that this command does not have; they are None in the object.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)  # and with it the options that stand below
        def called(**values: Any) -> Any:
            made = _make(settings, values, without)
            return command(made, **values)

        decorated: Callable[..., Any] = called
        for definition in reversed([*_definitions(settings, without)]):
            decorated = definition.declare(decorated)
        return decorated

    return decorate


def parse(settings: type[T], arguments: Sequence[str], without: Collection[str] = ()) -> T:
    """Read settings from arguments and the environment, as a command would.

    Raises:
        click.ClickException: an argument is unusable.
    """

    @click.command()
    @takes(settings, without)
    def command(made: T) -> T:
        return made

    made: T = command.main(list(arguments), standalone_mode=False)
    return made


def _parameter(name: str) -> str:
    return name.replace(".", "_").replace("-", "_")


def _definitions(settings: type[Any], without: Collection[str]) -> Iterator[_Definition]:
    for one in fields(settings):
        if _OPTION in one.metadata:
            yield one.metadata[_OPTION]
        elif _GROUP in one.metadata and one.name not in without:
            yield from _definitions(one.metadata[_GROUP], without)


def _make(settings: type[T], values: dict[str, Any], without: Collection[str]) -> T:
    """An object of this class from the values of its options, which are taken out of `values`."""
    made: dict[str, Any] = {}
    for one in fields(settings):  # type: ignore[arg-type] # a dataclass, which mypy cannot know of a type variable
        metadata: Mapping[str, Any] = one.metadata
        if _OPTION in metadata:
            made[one.name] = values.pop(metadata[_OPTION].parameter)
        elif _GROUP in metadata and one.name not in without:
            made[one.name] = _make(metadata[_GROUP], values, without)
    return settings(**made)
