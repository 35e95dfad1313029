#!/usr/bin/env bash
# Whether all sources are what clang-format 14 makes of them; with --fix, makes them so.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=(--dry-run -Werror)
[ "${1:-}" = --fix ] && mode=(-i)
status=0
git ls-files -z '*.c' '*.h' | xargs -0 clang-format-14 "${mode[@]}" || status=1
# It does not know the names of these as C.
while read -r file; do
    made=$(clang-format-14 --assume-filename=kernel.c <"$file")
    [ "$made" = "$(cat "$file")" ] && continue
    echo "$file: not as clang-format 14 makes it; .ci/format.sh --fix does"
    if [ "${1:-}" = --fix ]; then printf '%s\n' "$made" >"$file"; else status=1; fi
done < <(git ls-files '*.cl' '*.inc')
exit "$status"
