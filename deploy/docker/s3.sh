#!/bin/sh
# Starts SeaweedFS as an S3 server that knows the keys of the secret files, and nobody else.
set -eu

umask 077
cat > /tmp/s3.json <<JSON
{"identities": [{"name": "fleetpulse", "actions": ["Admin", "Read", "Write", "List", "Tagging"], "credentials": [
  {"accessKey": "$(cat /run/secrets/s3_access_key)", "secretKey": "$(cat /run/secrets/s3_secret_key)"}]}]}
JSON

exec /entrypoint.sh server -ip=s3 -ip.bind=0.0.0.0 -s3 -s3.port=9000 -s3.config=/tmp/s3.json
