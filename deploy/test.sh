#!/bin/bash
# Builds Heliograph as the tests need it and runs all of them. From any folder, also in a fresh clone:
#
#   deploy/test.sh
#
# The last line is "N passed, N failed". The exit code is 0 only when at least one test passed and none failed; tests that
# had to be skipped are named with their reason above that line.
# Environment: BUILD_DIR (default build/test), JOBS (default: the processors for the build, 2 for the tests).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
build_dir=$(realpath -m "${BUILD_DIR:-build/test}")
junit=$build_dir/ctest-junit.xml
# Debian keeps the broker and the mount tools outside an ordinary user's path.
PATH=$PATH:/usr/sbin:/sbin

step='installing the packages'
no_test_ran() {
  local code=$?
  echo "test: no test ran: $step failed (exit code $code)" >&2
  echo "0 passed, 0 failed"
  exit "$((code == 0 ? 1 : code))"
}
trap no_test_ran EXIT

deploy/install-deps.sh test
step='the configuration of the build'
cmake --preset test -B "$build_dir"
step='the build'
cmake --build "$build_dir" --parallel "${JOBS:-$(nproc)}"

step='ctest'
rm -f "$junit"
ctest_code=0
ctest --test-dir "$build_dir" --output-on-failure --no-tests=error -j "${JOBS:-2}" \
  --output-junit "$junit" || ctest_code=$?
[ -s "$junit" ]

trap - EXIT
python3 deploy/test-summary.py "$junit" "$ctest_code"
