#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test. Arguments go to ctest, e.g. ./test.sh -R exactness
set -euo pipefail
cd "$(dirname "$0")"
source .ci/packages.sh
.ci/install.sh "${build_packages[@]}" "${test_packages[@]}"
cmake --preset release -DTANDA_BUILD_TESTS=ON -DTANDA_WARNINGS_AS_ERRORS="${CI:+ON}" >/dev/null
cmake --build --preset release
status=0
ctest --preset release -j 2 --no-tests=error "$@" || status=$?
# What this machine could not test, and why.
grep -h '^SKIPPED: ' build-release/Testing/Temporary/LastTest.log | sort -u || true
exit "$status"
