"""The JVM's share of the work: table definitions and queries, one statement a file."""

from importlib.resources import files
from string import Template


def statement(name: str, **values: object) -> str:
    """Read `sql/<name>.sql` and put `values` in the place of its `$names`, each as an SQL literal.

    Other dollars, as in a JSON path, stay as they are. Read as a package resource, so that it works from a zip too.

    Raises:
        KeyError: the statement names other values than it was given.
    """
    template = Template(files("sql").joinpath(f"{name}.sql").read_text(encoding="utf-8"))
    if different := set(template.get_identifiers()) ^ values.keys():
        raise KeyError(f"sql/{name}.sql: missing or unknown values: {', '.join(sorted(different))}")
    return template.safe_substitute({key: _literal(value) for key, value in values.items()})


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list | tuple):
        return f"ARRAY[{', '.join(map(_literal, value))}]"
    return "'" + str(value).replace("'", "''") + "'"
