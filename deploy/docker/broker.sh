#!/usr/bin/env bash
# Runs a command. Where no variable names its broker, and no stack was ever started in this folder, the containers' broker
# is named if it runs, and their schema registry.
set -euo pipefail

named=${KAFKA_BROKERS:-}${KAFKA_BOOTSTRAP_SERVERS:-}${FLEETPULSE_KAFKA_BOOTSTRAP_SERVERS:-}
if [ -z "$named" ] && [ ! -e "${FLEETPULSE_DIR:-.fleetpulse}/stack.json" ] &&
    [ -n "$(docker compose ps --quiet --status running kafka 2>/dev/null)" ]; then
    export KAFKA_BROKERS=localhost:9092
    export SCHEMA_REGISTRY_URL=${SCHEMA_REGISTRY_URL:-http://localhost:8085/apis/ccompat/v7}
fi
exec "$@"
