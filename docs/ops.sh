#!/usr/bin/env bash
# Prints docs/ops.md from the source: docs/ops.sh >docs/ops.md. The ops are those of TILE_OP_LIST; where each is defined is
# looked up, and an op without a function, kernel or launcher ends the script.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."

# file_of WHAT PATTERN PLACE...: a link to the one file below these places in which the pattern stands
file_of() {
    local what=$1 pattern=$2 found
    shift 2
    found=$(grep -rlE "$pattern" "$@" | sort || true)
    if [ -z "$found" ] || [ "$(wc -l <<<"$found")" -ne 1 ]; then
        echo "docs/ops.sh: $what stands in ${found:-no file}; one is right" >&2
        return 1
    fi
    printf '[%s](../%s)' "${found##*/}" "$found"
}

cat <<'END'
# The ops

Made by [ops.sh](ops.sh) from `TILE_OP_LIST`; a test holds it against the source. An op is one piece of a step that is done
for each tile. On the CPU it is a function, on OpenCL a kernel of the same name and a function that launches it.
[design.md](design.md) says what a plan makes of ops, and [adding.md](adding.md#a-tile-op) how one is added.

| op | function on the CPU | kernel | launched in |
|---|---|---|---|
END
ops=$(sed -n '/#define [A-Z]*_OP_LIST/,/[^\\]$/s/^ *X(\([a-z_]*\)).*/\1/p' host/backend/plan.h kernels/loss.h)
for op in $ops; do
    kernel=$op launcher=$op
    grep -q "^ *X($op)" kernels/loss.h && launcher=loss # one for all
    [ "$op" = loss_sum ] && kernel=sum_rows # biases are summed likewise
    function=$(file_of "$op on the CPU" "ISA_NAME\($op\)\(" host/backend/openmp --include=*.c)
    text=$(file_of "kernel $kernel" "kernel void (JOINED\()?$kernel(_|\()" kernels/*.cl kernels/*.inc)
    launcher=$(file_of "the launcher of $op" "^static tanda_status run_$launcher\(" host/backend/opencl/*.c)
    echo "| $op | $function | $text | $launcher |"
done
