#!/bin/bash
# Installs the programs and their systemd units from a finished build: deploy/install.sh [FOLDER_OF_THE_PROGRAMS]
#
# The folder's default is build/release/bin. Environment: DESTDIR (for packages: everything goes below it, and no user,
# folder or unit of this machine is touched), PREFIX (default /usr/local), SYSCONFDIR (default /etc).
# An existing /etc/heliograph/config.json is kept. Nothing is started or enabled; the last lines say how.
set -euo pipefail

deploy=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
programs=${1:-$deploy/../build/release/bin}
destination=${DESTDIR:-}
prefix=${PREFIX:-/usr/local}
configuration=$destination${SYSCONFDIR:-/etc}/heliograph/config.json
[ $# -le 1 ] || { echo "usage: ${0##*/} [FOLDER_OF_THE_PROGRAMS]" >&2; exit 2; }

for program in heliograph-ingestor heliograph-server; do
  [ -x "$programs/$program" ] || {
    echo "install: no $program in $programs; first: cmake --preset release && cmake --build --preset release" >&2
    exit 1
  }
done
if [ -z "$destination" ] && [ "$(id -u)" -ne 0 ]; then
  echo "install: needs root, or DESTDIR for a folder of your own" >&2
  exit 1
fi

# into FOLDER MODE FILE...: the folder is taken below DESTDIR.
into() {
  local folder=$destination$1 file
  install -d -m 0755 "$folder"
  for file in "${@:3}"; do
    install -m "$2" "$file" "$folder/"
  done
}

into "$prefix/bin" 0755 "$programs/heliograph-ingestor" "$programs/heliograph-server"
into "$prefix/lib/systemd/system" 0644 "$deploy"/systemd/*.service
into "$prefix/lib/sysusers.d" 0644 "$deploy/systemd/sysusers.d/heliograph.conf"
into "$prefix/lib/tmpfiles.d" 0644 "$deploy/systemd/tmpfiles.d/heliograph.conf"
into "$prefix/share/doc/heliograph" 0644 "$deploy/../README.md" "$deploy/../LICENSE" "$deploy/config.example.json" \
  "$deploy/mosquitto.conf" "$deploy/nginx.conf"
sed -i -e "s#/usr/local/#$prefix/#g" -e "s#:/etc/heliograph/#:${SYSCONFDIR:-/etc}/heliograph/#" \
  "$destination$prefix"/lib/systemd/system/heliograph-{ingestor,server}.service

# It will hold passwords: root's alone, handed to the services as a credential.
install -d -m 0755 "${configuration%/*}"
[ -e "$configuration" ] || install -m 0600 "$deploy/config.example.json" "$configuration"

if [ -n "$destination" ]; then
  echo "install: everything is below $destination"
  exit 0
fi
if [ ! -d /run/systemd/system ]; then
  echo "install: this machine does not run systemd; make the users and folders as in $prefix/lib/{sysusers,tmpfiles}.d"
  exit 0
fi
systemd-sysusers "$prefix/lib/sysusers.d/heliograph.conf"
systemd-tmpfiles --create "$prefix/lib/tmpfiles.d/heliograph.conf"
systemctl daemon-reload
echo "install: edit $configuration, then"
echo "  systemctl enable --now heliograph-ingestor heliograph-server"
