#!/bin/bash
# Installs what Heliograph needs from Debian's packages (12 and 13), and only what is missing.
#
#   deploy/install-deps.sh [build|test|browser|bench|fuzz|evaluation]
#
# build (the default) compiles the programs and runs them; test adds the test frameworks, the broker and the tools that
# the tests call; browser adds chromium, which the test of the web page drives; bench and fuzz add to build what the presets
# of these names need, evaluation what the plots of tests/evaluation need. When nothing is missing, neither apt nor root is
# needed. A broker that this script installs is neither started nor enabled.
set -euo pipefail

usage() {
  echo "usage: ${0##*/} [build|test|browser|bench|fuzz|evaluation]" >&2
  exit 2
}

set_name=${1:-build}
[ $# -le 1 ] || usage

build=(
  build-essential ca-certificates ccache cmake git ninja-build pkg-config
  libcli11-dev libcpp-httplib-dev libexpected-dev libfmt-dev libigraph-dev libpaho-mqtt-dev libpaho-mqttpp-dev
  libsimdjson-dev libspdlog-dev libsqlite3-dev libsqlitecpp-dev libssl-dev nlohmann-json3-dev
  curl python3
)
test=(
  libgmock-dev libgtest-dev librapidcheck-dev
  clang-format mosquitto mosquitto-clients openssl sqlite3 strace util-linux
)

case $set_name in
  build) wanted=("${build[@]}") ;;
  test) wanted=("${build[@]}" "${test[@]}") ;;
  browser) wanted=("${build[@]}" "${test[@]}" chromium chromium-driver) ;;
  bench) wanted=("${build[@]}" libbenchmark-dev mosquitto mosquitto-clients wrk) ;;
  fuzz) wanted=("${build[@]}" clang libclang-rt-dev) ;;
  evaluation) wanted=("${build[@]}" python3-numpy python3-matplotlib) ;;
  *) usage ;;
esac

command -v dpkg-query >/dev/null || {
  echo "install-deps: this system has no dpkg; install the counterparts of: ${wanted[*]}" >&2
  exit 1
}

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=()
for package in "${wanted[@]}"; do
  is_installed "$package" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "install-deps: everything for '$set_name' is installed"
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "install-deps: missing ${missing[*]}; run this as root, or install sudo" >&2
    exit 1
  }
  as_root=(sudo)
fi

# Debian starts a service when its package is installed. The policy file answers "not this one" for the broker while apt
# runs; a policy that the machine already has is left as it is and decides alone.
policy=/usr/sbin/policy-rc.d
placed_policy=
remove_policy() {
  if [ -n "$placed_policy" ]; then "${as_root[@]}" rm -f "$policy"; fi
}
trap remove_policy EXIT
brings_broker=
if ! is_installed mosquitto && [[ " ${missing[*]} " == *" mosquitto "* ]]; then
  brings_broker=yes
  if [ ! -e "$policy" ]; then
    placed_policy=yes
    printf '%s\n' '#!/bin/sh' 'case " $* " in *" mosquitto "*|*" mosquitto.service "*) exit 101 ;; esac' 'exit 0' |
      "${as_root[@]}" install -m 0755 /dev/stdin "$policy"
  fi
fi

echo "install-deps: installing ${missing[*]}"
"${as_root[@]}" apt-get -q update
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "${missing[@]}"

if [ -n "$brings_broker" ] && [ -d /run/systemd/system ]; then
  "${as_root[@]}" systemctl disable --quiet --now mosquitto.service
fi
echo "install-deps: everything for '$set_name' is installed"
