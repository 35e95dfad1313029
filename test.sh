#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test. Arguments go to ctest, e.g. ./test.sh -R exactness
set -euo pipefail
cd "$(dirname "$0")"
source .ci/packages.sh
.ci/install.sh "${build_packages[@]}" "${test_packages[@]}"
cmake --preset release -G Ninja -DTANDA_WARNINGS_AS_ERRORS="${CI:+ON}" >/dev/null
cmake --build --preset release
ctest --preset release --no-tests=error "$@"
