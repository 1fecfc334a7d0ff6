"""The setting that names a database, for libpq (psycopg) and the JDBC driver."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode

import click

from fleetpulse.cli.connections import OF_THE_STACK, Address, Connection
from fleetpulse.cli.files import read_text
from fleetpulse.cli.folder import FolderStack
from fleetpulse.cli.parameters import LAST_PORT

DATABASE = "monitoring"
OWNER = "owner"
DATABASE_WAYS = "give --database.url, set FLEETPULSE_DATABASE_URL, or start a stack in this folder with `make stack-up`"

_URL = re.compile(
    r"(?:jdbc:)?postgres(?:ql)?:"
    r"(?://(?:(?P<user>[^@/?:]*)(?::(?P<password>[^@/?]*))?@)?(?P<hosts>[^@/?]*)/?)?"
    r"(?P<database>[^?/]*)(?:\?(?P<parameters>.*))?"
)
_HOST = re.compile(r"(?:\[[^\]]*\]|[^:\[\]]*)(?::(\d+))?", re.ASCII)
_KEYWORDS = re.compile(r"\s*\w+\s*=.*", re.DOTALL)
_JDBC_NAMES = {"application_name": "ApplicationName", "connect_timeout": "connectTimeout"}  # by libpq's names
_JDBC_ONLY = {"reWriteBatchedInserts", "socketTimeout"}


class Jdbc(NamedTuple):
    """A database as the JDBC driver takes it; the user is None if the URL has none."""

    url: str
    user: str | None


class Database(click.ParamType[str]):
    """A PostgreSQL connection URL, with or without `jdbc:` before it; also libpq's keyword string."""

    name = "database"

    def __init__(self, keywords: bool = True) -> None:
        self._keywords = keywords

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text as it is."""
        text = str(value)
        if self._keywords and "://" not in text.partition("=")[0] and _KEYWORDS.fullmatch(text):
            return text
        found = _URL.fullmatch(text)
        if found is None:
            form = "postgresql://host:5432/monitoring"
            self.fail(f"{_without_password(text)!r} should look like {form} or jdbc:{form}", param, ctx)
        for host in (found["hosts"] or "").split(","):
            port = _HOST.fullmatch(host)
            if port is None or (port[1] and not 1 <= int(port[1][:10]) <= LAST_PORT):
                self.fail(f"{host!r} is not a host with a port from 1 to {LAST_PORT}", param, ctx)
        return text


def of_the_stack(user: str = "") -> dict[str, Any]:
    """The attributes of a setting whose default is the database of the folder's stack.

    Args:
        user: who connects there; in the URL of the JDBC driver it is nobody.
    """
    login = f"{user}@" if user else ""

    def url(stack: FolderStack) -> str:
        return f"postgresql://{login}{stack.address('postgres')}/{DATABASE}"

    return {"cls": Connection, "of_stack": url, "show_default": OF_THE_STACK}


def libpq(text: str) -> str:
    """A connection string for psycopg, of a stack with its password. Parameters of the JDBC driver are left out."""
    if isinstance(text, Address) and text.stack:
        password = read_text(text.stack.secret(OWNER), "--database.url").strip()
        return text.replace(f"{OWNER}@", f"{OWNER}:{password}@")
    if not text.startswith("jdbc:"):
        return text
    found = _match(text)
    given = _parameters(found)
    names = {jdbc: name for name, jdbc in _JDBC_NAMES.items()}
    parameters = {names.get(name, name): value for name, value in given.items() if name not in _JDBC_ONLY}
    query = f"?{urlencode(parameters)}" if parameters else ""
    return f"postgresql://{found['hosts'] or ''}/{found['database']}{query}"


def jdbc(text: str, defaults: Mapping[str, str]) -> Jdbc:
    """A URL for the JDBC driver, with `defaults` for missing parameters.

    Raises:
        ValueError: it holds a password, which would stand on a command line.
    """
    found = _match(text)
    given = _parameters(found)
    if found["password"] is not None or "password" in given:
        raise ValueError("the URL holds a password, which every user of the machine could read")
    user = unquote(found["user"]) if found["user"] else given.pop("user", None)
    parameters = {**defaults} | {_JDBC_NAMES.get(name, name): value for name, value in given.items()}
    return Jdbc(f"jdbc:postgresql://{found['hosts'] or 'localhost'}/{found['database']}?{urlencode(parameters)}", user)


def _match(text: str) -> re.Match[str]:
    found = _URL.fullmatch(text)
    assert found is not None, "checked when it was read"
    return found


def _parameters(found: re.Match[str]) -> dict[str, str]:
    return {str(name): str(value) for name, value in parse_qsl(found["parameters"] or "")}


def _without_password(text: str) -> str:
    return re.sub(r"(?<=:)[^:@/]*(?=@)", "…", text)
