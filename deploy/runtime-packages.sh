#!/bin/bash
# Prints the Debian packages whose shared libraries a program is linked with: runtime-packages.sh PROGRAM
set -euo pipefail

[ $# -eq 1 ] || { echo "usage: ${0##*/} PROGRAM" >&2; exit 2; }
libraries=$(ldd "$1" | awk '$2 == "=>" { print $3 }')
if grep -qx not <<<"$libraries"; then
  echo "runtime-packages: $1 needs libraries that are not installed" >&2
  exit 1
fi
# Packages name a library by its place before or after /lib became a link to /usr/lib.
while read -r library; do
  { dpkg-query -S "$library" || dpkg-query -S "/usr$library" || dpkg-query -S "${library#/usr}"; } 2>/dev/null |
    cut -d: -f1
done <<<"$libraries" | sort -u
