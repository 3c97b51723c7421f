#!/bin/bash
# Proves the split on one machine: split_test.sh FOLDER_OF_THE_PROGRAMS
#
# The ingestor and the server run as two unprivileged users that share a group, on folders with the modes of the
# deployment; for the server the database is mounted read-only. Everything lives in a mount namespace and on a tmpfs of
# its own, which end with this script. Exit code 77, with the reason, when the machine does not allow that.
set -euo pipefail

programs=$(realpath "$1")
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
readonly programs here ingestor_user=48701 server_user=48702 shared_group=48700
PATH=$PATH:/usr/sbin:/sbin

skip() {
  echo "skipped: $1"
  exit 77
}

# --- The room -----------------------------------------------------------------------------------------------------------

[ "$(id -u)" -eq 0 ] || skip "needs root, to become two users and to mount"
if [ "${HELIOGRAPH_SPLIT_ROOM:-}" != entered ]; then
  unshare --mount --propagation private true 2>/dev/null || skip "this machine denies a mount namespace of its own"
  HELIOGRAPH_SPLIT_ROOM=entered exec unshare --mount --propagation private bash "$0" "$@"
fi
setpriv --reuid "$server_user" --regid "$shared_group" --clear-groups true 2>/dev/null ||
  skip "this machine denies other user ids"

room=$(mktemp -d)
readonly room
mount -t tmpfs -o mode=0755 heliograph-split "$room" 2>/dev/null || { rmdir "$room"; skip "this machine denies mounts"; }
readonly data=$room/data
mkdir "$room/programs" "$room/logs"
# The build folder may lie below a folder that other users cannot enter.
mount --bind "$programs" "$room/programs"
install -d -m 0755 "$data"
install -d -m 2750 -o "$ingestor_user" -g "$shared_group" "$data/db"
for folder in queue queue/tmp queue/new queue/failed; do
  install -d -m 2770 -o "$ingestor_user" -g "$shared_group" "$data/$folder"
done
printf '{"analytics": {"intervalSeconds": 1}}\n' >"$room/config.json"
mkfifo "$room/capture"
umask 0007

# --- Tools --------------------------------------------------------------------------------------------------------------

ingestor_pid=''
server_pid=''

leave() {
  local code=$?
  trap - EXIT
  set +e
  for pid in $ingestor_pid $server_pid; do kill -KILL "$pid" 2>/dev/null || true; done
  if [ "$code" -ne 0 ]; then
    for log in "$room"/logs/*; do [ -s "$log" ] && printf -- '--- %s\n' "${log##*/}" && tail -n 40 "$log"; done
    ls -lR "$data"
  fi
  cd /
  umount --lazy "$room/programs" "$room" 2>/dev/null || true
  rmdir "$room" 2>/dev/null || true
  exit "$code"
}
trap leave EXIT
trap 'exit 1' INT TERM

fail() {
  echo "FAILED: $1" >&2
  exit 1
}

# expect TEXT COMMAND...: the command succeeds now.
expect() {
  "${@:2}" || fail "$1"
  echo "ok: $1"
}

# What anything may take on a crowded machine; a quiet one needs a fraction of a second.
patience=90

# eventually TEXT COMMAND...: the command succeeds before patience is over.
eventually() {
  local deadline=$((SECONDS + patience))
  until "${@:2}" 2>/dev/null; do
    [ "$SECONDS" -lt "$deadline" ] || fail "$1 (not within $patience s)"
    sleep 0.1
  done
  echo "ok: $1"
}

# become_*: replace this shell, so that a job's id is the program's. as_*: run and return.
become_user() {
  exec setpriv --reuid "$1" --regid "$shared_group" --clear-groups --no-new-privs --pdeathsig KILL -- "${@:2}"
}
# The caller's view of the database is a read-only mount in a namespace of its own.
become_reader() {
  # shellcheck disable=SC2016 # the inner shell expands them
  exec unshare --mount --propagation private \
    bash -c 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"' "$data/db" "$@"
}
become_server() {
  become_reader setpriv --reuid "$server_user" --regid "$shared_group" --clear-groups --no-new-privs \
    --pdeathsig KILL -- "$@"
}
as_user() { (become_user "$@"); }
as_reader() { (become_reader "$@"); }
as_server() { (become_server "$@"); }

start_ingestor() {
  exec 9>&-
  become_user "$ingestor_user" "$room/programs/heliograph-ingestor" run --data "$data" --config "$room/config.json" \
    --capture - <"$room/capture" >>"$room/logs/ingestor" 2>&1 &
  ingestor_pid=$!
  # Held open, so that the capture does not end with the messages of one call.
  exec 9>"$room/capture"
}

feed() {
  "$here/make_capture.py" "$1" "$2" >&9
}

start_server() {
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  become_server "$room/programs/heliograph-server" run --data "$data" --config "$room/config.json" \
    --listen "127.0.0.1:$port" >>"$room/logs/server" 2>&1 9>&- &
  server_pid=$!
}

# stop PID NAME: SIGTERM, then exit code 0.
stop() {
  local code=0 begin=$SECONDS deadline=$((SECONDS + patience))
  kill -TERM "$1"
  while kill -0 "$1" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.05; done
  kill -0 "$1" 2>/dev/null && fail "the $2 ends after SIGTERM (not within $patience s)"
  wait "$1" || code=$?
  [ "$code" -eq 0 ] || fail "the $2 ends with 0 after SIGTERM, not with $code"
  echo "ok: the $2 ends with 0 after SIGTERM, which took $((SECONDS - begin)) s"
}

kill_hard() {
  kill -KILL "$1"
  wait "$1" 2>/dev/null || true
}

get() { curl -sS --max-time 5 "http://127.0.0.1:$port$1"; }
status_is() { [ "$(curl -s --max-time 5 -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port$1")" = "$2" ]; }
total_is() { [ "$(get "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["total"])')" = "$2" ]; }
confirmed_in_database_is() {
  [ "$(as_user "$ingestor_user" sqlite3 -readonly "file:$data/db/heliograph.db?mode=ro" \
    'SELECT count(*) FROM nodes WHERE multibyte_sup = 2')" = "$1" ]
}
nodes_in_database_are() {
  [ "$(as_user "$ingestor_user" sqlite3 -readonly "file:$data/db/heliograph.db?mode=ro" 'SELECT count(*) FROM nodes')" = "$1" ]
}
is_empty() { [ -z "$(ls -A "$1")" ]; }
refused_because() {
  local said
  said=$(LC_ALL=C "${@:2}" 2>&1) && return 1
  [[ $said == *"$1"* ]]
}

# True when /api/healthz names the age of the data: dataTime, or a member with the word age, stale or newest in its name.
names_the_age() {
  get /api/healthz | python3 -c '
import json, re, sys
def names(value):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names(inner)
named = list(names(json.load(sys.stdin)))
words = {word.lower() for name in named for word in re.findall("[A-Z]?[a-z]+", name)}
sys.exit(0 if words & {"age", "stale", "newest"} or {"dataTime", "data_time"} & set(named) else 1)'
}

# --- The proof ----------------------------------------------------------------------------------------------------------

for program in heliograph-ingestor heliograph-server; do
  [ -x "$room/programs/$program" ] || fail "$program is in $programs"
done

start_ingestor
feed 0 4
eventually "the ingestor makes a database that the server's user finds ready" \
  as_server "$room/programs/heliograph-server" check --data "$data"
eventually "the packets are in the database" nodes_in_database_are 4

expect "the server's view of the database is mounted read-only" \
  refused_because 'Read-only file system' as_server touch "$data/db/intruder"
expect "the mount is read-only for root as well" \
  refused_because 'Read-only file system' as_reader touch "$data/db/intruder"
expect "without the mount the folder's mode still refuses the server's user" \
  refused_because 'Permission denied' as_user "$server_user" touch "$data/db/intruder"
expect "the database's own mode refuses the server's user" \
  refused_because 'Permission denied' as_user "$server_user" bash -c ": >>'$data/db/heliograph.db'"
expect "the server's user may write into the queue" as_server touch "$data/queue/tmp/probe"
rm "$data/queue/tmp/probe"

expect "one analytics cycle publishes from the read-only side" \
  as_server "$room/programs/heliograph-server" analyze --data "$data"
eventually "what was published is in the database" confirmed_in_database_is 2
eventually "the ingestor takes the file out of the queue" is_empty "$data/queue/new"

start_server
eventually "the server is ready" status_is /api/readyz 200
eventually "it serves the nodes" total_is /api/nodes 4
feed 4 4
eventually "new packets reach the running server" total_is /api/nodes 8
eventually "the running server's publications reach the database" confirmed_in_database_is 4

stop "$ingestor_pid" ingestor
ingestor_pid=
expect "the server answers after the ingestor's clean stop" total_is /api/nodes 8
stop "$server_pid" server
start_server
eventually "a server that starts while the ingestor is down is ready" status_is /api/readyz 200
eventually "it serves the nodes of before" total_is /api/nodes 8
eventually "it serves the last-known capability" total_is '/api/multibyte?status=confirmed' 4
expect "it says how old the data is" names_the_age

start_ingestor
feed 8 4
eventually "after the ingestor's return new packets flow" total_is /api/nodes 12
kill_hard "$ingestor_pid"
ingestor_pid=
expect "the server answers after the ingestor's kill -9" total_is /api/nodes 12
kill_hard "$server_pid"
start_server
eventually "a server that starts after both were killed is ready" status_is /api/readyz 200
eventually "nothing that was visible is lost" total_is /api/nodes 12

start_ingestor
feed 12 2
eventually "an ingestor that starts after kill -9 goes on" total_is /api/nodes 14
eventually "its capability reaches the database too" confirmed_in_database_is 7
stop "$server_pid" server
server_pid=
stop "$ingestor_pid" ingestor
ingestor_pid=
expect "the database and the queue are whole" \
  as_user "$ingestor_user" "$room/programs/heliograph-ingestor" check --data "$data"
expect "nothing was set aside" is_empty "$data/queue/failed"
