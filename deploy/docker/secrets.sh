#!/usr/bin/env bash
# Makes the passwords of docker-compose.yaml that are missing, and gives each service a folder with those it needs, named as
# `service/password`. The folder of all is its owner's alone. What is in it can be read by all, since a container sees its own
# folder without the one above, and each image has a user of its own.
set -euo pipefail

umask 077
mkdir -p secrets
chmod 700 secrets
for name in owner alert_writer monitor_user grafana_admin s3_access_key s3_secret_key; do
    [ -s "secrets/$name" ] && continue
    od -An -N 16 -t x1 /dev/urandom | tr -d ' \n' > "secrets/$name.part"
    chmod 444 "secrets/$name.part"
    mv "secrets/$name.part" "secrets/$name"
done

for wanted in "$@"; do
    folder="secrets/for/${wanted%/*}"
    mkdir -p "$folder"
    chmod 755 "$folder"
    cp "secrets/${wanted#*/}" "$folder/.part"
    chmod 444 "$folder/.part"
    mv -f "$folder/.part" "secrets/for/$wanted"
done

if [ "$(id -u)" = 0 ]; then
    chown -R --reference=docker-compose.yaml secrets
fi
