#!/usr/bin/env bash
# The operator: is it up, what is it doing, keep a copy. Needs a running DREDGE (`make up`).
set -euo pipefail
server=${1:-http://127.0.0.1:3001}
exporter=${2:-http://127.0.0.1:9090}

curl -fsS "$server/health/ready"; echo
curl -fsS "$exporter/metrics" | grep -E '^dredge_(up|queue_depth|jobs|models)'

# A fit over HTTP, followed to its end.
signal=$(curl -fsS "$server/v1/signals?limit=1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["items"][0]["id"])')
job=$(curl -fsS "$server/v1/fits" -H 'Content-Type: application/json' -d "{\"signal\": \"$signal\", \"waves\": 6, \"model\": \"by-hand\"}" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])')
curl -fsSN "$server/v1/jobs/$job/events" | grep '^data:' | tail -n 1
