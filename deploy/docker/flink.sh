#!/usr/bin/env bash
# What the image `flink` does: `jobmanager`, `taskmanager`, or any of fleetpulse's own commands. Ends by becoming it.
set -euo pipefail

case "$1" in
    jobmanager) exec "$FLINK_HOME/bin/jobmanager.sh" start-foreground -D metrics.reporter.prom.port=9249 ;;
    taskmanager) exec "$FLINK_HOME/bin/taskmanager.sh" start-foreground -D metrics.reporter.prom.port=2113 ;;
    *) exec fleetpulse "$@" ;;
esac
