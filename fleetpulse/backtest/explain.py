"""`fleetpulse explain`: the rule that made an alert, its evidence, and whether history gives the same alert."""

import json
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

import click

from fleetpulse import topics
from fleetpulse.backtest.evidence import checks
from fleetpulse.backtest.options import RuleSource, Source, of_history
from fleetpulse.backtest.retelling import Heard, Retold, deciding, differences, retell
from fleetpulse.backtest.run import Settings
from fleetpulse.backtest.sources.alerts import Fields, from_database, from_topic
from fleetpulse.cli.database import Database, libpq
from fleetpulse.cli.parameters import Duration, topic_option
from fleetpulse.cli.settings import FLAG, option
from fleetpulse.cli.tables import counted, echo, echo_records
from fleetpulse.errors import ConfigurationError
from fleetpulse.inactivity.timeouts import CLOCK, NEVER_SEEN
from fleetpulse.numbers import exact
from fleetpulse.rulefiles.difference import fields_of, in_words
from fleetpulse.rules import model as rule_types
from fleetpulse.rules.checks import RULE_ID
from fleetpulse.rules.evidence import Check
from fleetpulse.rules.kinds import Rule
from fleetpulse.rules.model import RuleSet
from fleetpulse.rules.versions import Versions, expecting, in_force
from fleetpulse.times import iso, to_epoch_ms

_SHOWN = 10  # records a revision


class Explained(NamedTuple):
    """A revision, the rule that made it, and the results of its checks; `differences` is None if it is not derived."""

    told: Fields
    version: int
    rule: Rule | None
    checks: list[Check]
    differences: dict[str, list[object]] | None
    records: list[Heard]

    @property
    def agrees(self) -> bool:
        """Whether evidence and history both agree with the revision."""
        return all(check.holds for check in self.checks) and not self.differences


@click.command("explain")
@click.argument("alert_id", metavar="ALERT_ID", type=click.UUID)
@of_history
@topic_option("alerts.topic", topics.ALERTS.name, "Topic of alerts.", parameter="alerts_topic")
@option(
    "database.url",
    Database(),
    "Read the alert from the table `alerts` here instead.",
    parameter="database",
    aliases=("--database",),
)
@option(
    "lookback.seconds",
    Duration("s"),
    "Read history from so long before the alert: what rules remember begins there.",
    default=86_400_000,
    parameter="lookback_ms",
    aliases=("--lookback",),
    environment=False,
)
@option("json", FLAG, "As JSON.", parameter="as_json")
def command(
    source: Source,
    settings: Settings,
    rules: RuleSource,
    alert_id: uuid.UUID,
    alerts_topic: str,
    database: str | None,
    lookback_ms: int,
    as_json: bool,
) -> int:
    """Show the rule that made an alert, and derive it again from its evidence and its device's records."""
    revisions = _revisions(source, alerts_topic, database, str(alert_id))
    expected_from = (r["evidence"].get("latest_event_time_ms") for r in revisions if r["kind"] == NEVER_SEEN)
    known = expecting(rules.versions(source), next(expected_from, None))
    source.find_topics(alerts_topic)
    kind = revisions[0]["kind"]  # an alert on a clock is judged by what comes beside it, which is not read
    retold = None if kind == CLOCK else _retell(source, settings, known, revisions, lookback_ms)
    is_missing = retold is not None and not retold.heard and kind != NEVER_SEEN
    retold = None if is_missing else retold
    explained = [_explain(fields, known, settings, retold, database is None) for fields in revisions]
    unheard = sorted(retold.revisions.keys() - {fields["revision"] for fields in revisions}) if retold else []
    agrees = None if is_missing else all(one.agrees for one in explained) and not unheard
    if as_json:
        document = {"alert_id": str(alert_id), "agrees": agrees, "revisions": [_document(one) for one in explained]}
        echo_records([json.dumps(document | {"not_told": unheard}, ensure_ascii=False).encode()])
    else:
        echo(*_lines(explained, retold), *_conclusion(agrees, unheard))
    if agrees is None:
        device = revisions[0]["device_id"]
        raise ConfigurationError(
            f"no record of device {device} is in {source.place}, so the alert cannot be derived again: name the topics "
            "of its records with --topic"
        )
    return 0 if agrees else 1


def _revisions(source: Source, topic: str, database: str | None, alert_id: str) -> list[Fields]:
    if database is None:
        found = from_topic(source.bootstrap_servers, topic, alert_id)
    else:
        found = from_database(libpq(database), alert_id)
    if not found:
        where = "the table alerts" if database is not None else f"topic {topic}"
        raise ConfigurationError(f"{where} has no alert {alert_id}")
    return found


def _retell(source: Source, settings: Settings, known: Versions, revisions: list[Fields], lookback_ms: int) -> Retold:
    first = revisions[0]
    evidence = first["evidence"]
    began_ms = min(
        to_epoch_ms(first["opened_at"]), *(evidence.get(n, 1 << 62) for n in ("since_ms", "latest_event_time_ms"))
    )
    until_ms = max(to_epoch_ms(fields["changed_at"]) for fields in revisions)
    streams = source.streams(max(1, began_ms - lookback_ms))
    return retell(streams, settings, known, first["device_id"], first["alert_id"], until_ms)


def _explain(fields: Fields, known: Versions, settings: Settings, retold: Retold | None, whole: bool) -> Explained:
    number, rules = _rules_of(fields, known)
    rule = next((rule for rule in rules.rules if rule.id == fields["rule_id"]), None)
    return Explained(
        fields,
        number,
        rule,
        checks(fields, rule, settings.inactivity),
        differences(fields, retold.revisions.get(fields["revision"]), whole) if retold else None,
        deciding(fields, retold.heard) if retold else [],
    )


def _rules_of(fields: Fields, known: Versions) -> tuple[int, RuleSet]:
    """The version that a revision names, or else the one in force when it was made; 0 if there is none."""
    named = fields.get("rule_version")
    at_ms = to_epoch_ms(fields["changed_at"])
    version = in_force(known, at_ms) if named is None else next((v for v in known if v.version == named), None)
    return (version.version, version.rules) if version else (named or 0, RuleSet(()))


def _document(one: Explained) -> dict[str, Any]:
    rule = rule_types.to_document(RuleSet((one.rule,)))["rules"][0] if one.rule else None
    return {
        "revision": one.told["revision"],
        "state": one.told["state"],
        "summary": one.told["summary"],
        "rule_version": one.version,
        "rule": rule,
        "evidence": one.told["evidence"],
        "checks": [check._asdict() for check in one.checks],
        "differences": one.differences or {},
        "records": [record._asdict() for record in one.records],
    }


def _lines(explained: Sequence[Explained], retold: Retold | None) -> list[str]:
    heard = retold.heard if retold else []
    places = ", ".join(sorted({record.origin.rpartition(":")[0].rpartition(":")[0] for record in heard}))
    lines = [f"alert {explained[0].told['alert_id']} of {explained[0].told['device_id']}"]
    if heard:
        lines[0] += f", from {counted(len(heard), 'record')} in {places}"
    for one in explained:
        fields = one.told
        lines += ["", f"{fields['revision']} {fields['state']}, {fields['severity']}, at {fields['changed_at']}"]
        lines += [f"  {fields['summary']}", f"  {_rule_line(one)}"]
        lines += [f"  {'is so ' if check.holds else 'NOT SO'}  {check.claim}" for check in one.checks]
        if fields["kind"] == CLOCK:
            lines.append("          it is not derived from history: a clock is compared with those of other devices")
        elif one.differences == {}:
            lines.append("  is so   history gives the same revision")
        for name, (stored, made) in (one.differences or {}).items():
            lines.append(
                f"  NOT SO  {name} is {in_words(stored)}, by history {'nothing' if made is None else in_words(made)}"
            )
        lines += [f"  record  {r.origin}  of {iso(r.event_time_ms)}" for r in one.records[:_SHOWN]]
        if len(one.records) > _SHOWN:
            lines.append(f"          and {len(one.records) - _SHOWN:,} more")
    return lines


def _rule_line(one: Explained) -> str:
    if one.rule is None and one.told["rule_id"] == RULE_ID:
        return f"by the job's own timeout of {exact(one.told['limit'])} s"
    if one.told["kind"] == CLOCK:
        return f"by the job's own bound of {exact(one.told['limit'])} s"
    if one.rule is None:
        return f"by rule {one.told['rule_id']}, which version {one.version} of the rules does not have"
    fields = fields_of(rule_types.to_document(RuleSet((one.rule,)))["rules"][0])
    says = ", ".join(f"{name} {in_words(value)}" for name, value in fields.items() if name != "id" and value != "0s")
    return f"by rule {one.rule.id} of version {one.version}: {says}"


def _conclusion(agrees: bool | None, unheard: Sequence[int]) -> list[str]:
    if agrees is None:
        return []
    lines = [f"history makes a revision {number} that was not told" for number in unheard]
    return ["", *lines, "it agrees" if agrees else "it does NOT agree"]
