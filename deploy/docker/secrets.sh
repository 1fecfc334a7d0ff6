#!/usr/bin/env bash
# Makes the passwords of docker-compose.yaml that are missing. The folder is its owner's alone; the files in it can be read by
# all, since a container sees the file without the folder, and each image has a user of its own.
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
