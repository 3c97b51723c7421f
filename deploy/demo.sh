#!/bin/bash
# Shows Heliograph with a simulated mesh that keeps talking, until Ctrl-C: deploy/demo.sh [--once] [DATA_FOLDER]
#
# Installs what is missing, builds, starts the ingestor and the server, and prints where to look. The data folder is a
# temporary one, removed at the end, unless one is given.
# --once ends as soon as the API has answered with confirmed nodes: exit 0; or 1 when it has not within DEMO_SECONDS.
# Environment: PORT (default: 8080, or a free one when that is taken), DEMO_SECONDS (ends after so many seconds: exit 0
# when the API has answered with confirmed nodes by then, else 1; with --once the default is 120), BUILD_DIR (default
# build/release).
set -euo pipefail

# What the demo asks of the programs.
simulate() { exec "$programs/meshsim" --live --rate 20 --nodes 60 --seed 7 --out -; }
ingest() { exec "$programs/heliograph-ingestor" run --data "$data" --capture -; }
serve() { exec "$programs/heliograph-server" run --data "$data" --config "$scratch/config.json" --listen "127.0.0.1:$port"; }
export HELIOGRAPH_ANALYTICS_INTERVAL_SECONDS=5

usage() {
  echo "usage: ${0##*/} [--once] [DATA_FOLDER]" >&2
  exit 2
}

once=''
data=''
for argument in "$@"; do
  case $argument in
    --once) once=yes ;;
    -*) usage ;;
    *) [ -z "$data" ] || usage; data=$(realpath -m "$argument") ;;
  esac
done
seconds=${DEMO_SECONDS:-${once:+120}}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
build_dir=$(realpath -m "${BUILD_DIR:-build/release}")
programs=$build_dir/bin

deploy/install-deps.sh build
cmake --preset release -B "$build_dir"
cmake --build "$build_dir" --parallel

# --- The processes, and their end ---------------------------------------------------------------------------------------

scratch=$(mktemp -d)
data=${data:-$scratch/data}
mkdir -p "$data" "$scratch/logs"
mkfifo "$scratch/packets"
echo '{"clusters": {"intervalSeconds": 30}}' >"$scratch/config.json"
simulator_pid=''
ingestor_pid=''
server_pid=''

leave() {
  local code=$?
  trap - EXIT INT TERM
  set +e
  # The simulator first: then the ingestor sees the end of its input.
  for pid in $simulator_pid $server_pid $ingestor_pid; do kill -TERM "$pid" 2>/dev/null; done
  local deadline=$((SECONDS + 12))
  for pid in $simulator_pid $server_pid $ingestor_pid; do
    while kill -0 "$pid" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.1; done
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  if [ "$code" -ne 0 ]; then
    for log in "$scratch"/logs/*; do [ -s "$log" ] && printf -- '--- %s\n' "${log##*/}" && tail -n 25 "$log"; done >&2
  fi
  rm -rf "$scratch"
  exit "$code"
}
trap leave EXIT
interrupted() { echo; exit "$succeeds_on_interrupt"; }
succeeds_on_interrupt=130
trap interrupted INT TERM

port=$(python3 - "${PORT:-}" <<'PYTHON'
import socket, sys
wanted = sys.argv[1]
for port in [int(wanted)] if wanted else [8080, 0]:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if wanted:
                sys.exit(f"demo: port {port} cannot be had: {error.strerror}")
            continue
        print(probe.getsockname()[1])
        break
PYTHON
)
address=http://127.0.0.1:$port

simulate >"$scratch/packets" 2>"$scratch/logs/meshsim" &
simulator_pid=$!
ingest <"$scratch/packets" >"$scratch/logs/heliograph-ingestor" 2>&1 &
ingestor_pid=$!
serve >"$scratch/logs/heliograph-server" 2>&1 &
server_pid=$!

all_run() {
  local pid
  for pid in "$simulator_pid:meshsim" "$ingestor_pid:heliograph-ingestor" "$server_pid:heliograph-server"; do
    kill -0 "${pid%%:*}" 2>/dev/null || {
      echo "demo: ${pid##*:} has ended; its last words follow" >&2
      return 1
    }
  done
}
is_ready() { curl -fsS --max-time 5 -o /dev/null "$address/api/readyz" 2>/dev/null; }
confirmed_nodes() {
  curl -fsS --max-time 5 "$address/api/multibyte?status=confirmed&limit=1" 2>/dev/null |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["total"])' 2>/dev/null || echo 0
}

deadline=$((SECONDS + 60))
until is_ready; do
  all_run || exit 1
  [ "$SECONDS" -lt "$deadline" ] || { echo "demo: the server is not ready after 60 s" >&2; exit 1; }
  sleep 0.2
done

cat <<END

Heliograph runs at $address/ with a simulated mesh; its data is in $data

  curl '$address/api/multibyte?limit=5'          which nodes can carry multi-byte path hashes, and why
  curl '$address/api/clusters?limit=5'           which communities there are
  curl '$address/api/packets?limit=5'            what is on the air
  curl '$address/api/nodes?limit=5'              who is there

END

# --- Until the end --------------------------------------------------------------------------------------------------------

if [ -z "$seconds" ]; then
  succeeds_on_interrupt=0
  echo "Ctrl-C ends it."
  while all_run; do sleep 1; done
  exit 1
fi

deadline=$((SECONDS + seconds))
confirmed=0
while [ "$SECONDS" -lt "$deadline" ]; do
  all_run || exit 1
  confirmed=$(confirmed_nodes)
  if [ -n "$once" ] && [ "$confirmed" -gt 0 ]; then break; fi
  sleep 0.5
done
echo "demo: $confirmed nodes confirmed"
[ "$confirmed" -gt 0 ]
