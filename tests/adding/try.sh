#!/usr/bin/env bash
# Adds a toy to a copy of the sources, and shows that it is right: tests/adding/try.sh PATCH. Its line "Tests:" names the
# tests that are built and run. Exit code 0: the patch applies, and they pass. CC and CMAKE_C_COMPILER_LAUNCHER are heeded.
set -euo pipefail

fail() {
    echo "try.sh: $*" >&2
    exit 1
}

# copy_sources FROM TO: all but repositories and build folders
copy_sources() {
    local entry
    for entry in "$1"/* "$1"/.clang-format; do
        if [ -e "$entry" ] && [ ! -e "$entry/CMakeCache.txt" ]; then cp -R "$entry" "$2"; fi
    done
}

# apply PATCH FOLDER
apply() {
    local said
    said=$(patch -d "$2" -p1 --forward --no-backup-if-mismatch <"$1") ||
        fail "$1 no longer applies: $(grep -B2 -m1 -E 'FAILED|ignored|No file' <<<"$said" | tr '\n' ' ')"
}

# build FOLDER TEST...
build() {
    local folder=$1
    shift
    (cd "$folder" && cmake --preset release -DTANDA_BUILD_TESTS=ON -DTANDA_WARNINGS_AS_ERRORS=ON &&
        cmake --build --preset release --target tanda "$@") >"$folder/log" 2>&1 ||
        fail "with the patch the sources do not build: $(grep -m3 -E 'error: |Error ' "$folder/log" || tail -3 "$folder/log")"
}

main() {
    [ $# -eq 1 ] || fail "usage: try.sh PATCH"
    [ -r "$1" ] || fail "$1 cannot be read"
    command -v patch >/dev/null || fail "there is no program patch"
    local -a tests
    read -ra tests <<<"$(sed -n 's/^Tests: //p' "$1")"
    [ ${#tests[@]} -gt 0 ] || fail "$1 has no line 'Tests: NAME...'"
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    copy_sources "$(dirname "$0")/../.." "$folder"
    apply "$1" "$folder"
    build "$folder" "${tests[@]}"
    for test in "${tests[@]}"; do
        echo "$test"
        TANDA_CACHE_DIR='' "$folder/build-release/tests/$test" --jobs 2 || fail "with the patch $test fails"
    done
}

main "$@"
