#!/usr/bin/env bash
# Reads GPU code without a GPU: compiles every kernel for NVIDIA sm_80 and sm_90 and for AMD gfx90a, prints what each needs
# there as a Markdown table, and fails (1) with a line per fault on stderr when
#
#   * a kernel spills registers or keeps private memory outside them;
#   * the code could round otherwise than it is written: llvm.fmuladd, a fast-math flag (contract and its like), a product
#     that feeds a sum, an add or mul without .rn, flushed subnormals, fewer or more fused operations than were written;
#   * it holds a division or anything approximate, or any operation on reals but the few that are known to be exact.
#
#   tests/devices/gpu_code.sh [KERNELS] > bench/gpu_code.md        KERNELS: a folder like kernels/, the default
#
# Ends with 77 (skipped) without clang or libclc, and leaves NVIDIA's columns empty without ptxas.
# CLANG, LIBCLC (folder) and PTXAS name them where they lie elsewhere.
set -euo pipefail

kernels=$(realpath "${1:-$(dirname "$0")/../../kernels}")
clang=${CLANG:-clang-15} libclc=${LIBCLC:-/usr/lib/clc}
ptxas=${PTXAS:-$(command -v ptxas || echo /usr/local/cuda/bin/ptxas)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Prints the faults found so far, each once, and then what stopped it.
report() {
    awk '!seen[$0]++ { print "gpu_code: " $0 }' "$work/faults" >&2
}

stop() {
    report
    echo "gpu_code: $*" >&2
    exit 1
}

# ---- tools ------------------------------------------------------------------------------------------------

missing=()
command -v "$clang" >/dev/null || missing+=("$clang (Debian package clang-15)")
[ -e "$libclc/nvptx64--nvidiacl.bc" ] && [ -e "$libclc/amdgcn--amdhsa.bc" ] ||
    missing+=("libclc in $libclc (Debian package libclc-15)")
if [ ${#missing[@]} -gt 0 ]; then
    printf 'gpu_code: skipped, not found: %s\n' "${missing[@]}" >&2
    exit 77
fi
if ! command -v "$ptxas" >/dev/null; then
    echo "gpu_code: ptxas not found (NVIDIA's CUDA toolkit): registers of sm_80 and sm_90 are not checked" >&2
    ptxas=
fi

# ---- compiling --------------------------------------------------------------------------------------------

# One text, as the backend makes it, with the options that it builds with on GPUs. An OpenCL runtime defines
# __OPENCL_VERSION__, clang alone does not.
make_source() {
    ln -s "$kernels" "$work/kernels"
    for file in "$kernels"/*.cl; do
        echo "#include \"kernels/${file##*/}\""
    done >"$work/all.cl"
}

# NAME, libclc file, options of the target: the kernels as optimised LLVM code (NAME.ll) and as assembler (NAME.s).
# No option says how to contract: what keeps the code exact must be in the kernels' own text. What the assembler step
# refuses (an undefined expf, say) has shown in the LLVM code.
compile() {
    local name=$1 options=(-x cl -cl-std=CL1.2 -DVECTOR=1 -D__OPENCL_VERSION__=120 -Xclang -finclude-default-header -I"$work"
        -O2 -Xclang -mlink-builtin-bitcode -Xclang "$libclc/$2" -Wno-linker-warnings "${@:3}" -S "$work/all.cl")
    "$clang" "${options[@]}" -emit-llvm -o "$work/$name.ll" || stop "the kernels do not compile for $name"
    ir_faults "$work/$name.ll" >>"$work/faults"
    "$clang" "${options[@]}" -o "$work/$name.s" 2>"$work/log" && return
    sed "/^PLEASE submit/,\$d" "$work/log" >&2
    stop "the kernels do not compile for $name"
}

# ---- faults: lines "function: reason" -------------------------------------------------------------------------

# In LLVM code. A product may feed a sum once, in the probe that asks whether a device contracts.
ir_faults() {
    awk '
        function fault(reason) { print name ": " reason }
        BEGIN { raw_allowed["probe"] = 1 }
        /^define / { match($0, /@[A-Za-z0-9_]+/); name = substr($0, RSTART + 1, RLENGTH - 1); raw = 0; split("", product) }
        /^}/ { if (raw > raw_allowed[name] + 0) fault("a product feeds a sum, which a driver may contract: write fma (" raw " times)") }
        { sub(/, !.*/, "") }
        /llvm\.fmuladd/ { fault("llvm.fmuladd, a contracted a * b + c"); next }
        /= (fadd|fsub|fmul|fdiv|frem|fneg|fcmp|select|phi|(tail |musttail |notail )?call) (nnan|ninf|nsz|arcp|contract|afn|reassoc|fast) / {
            fault("fast-math flag: " $3 " " $4) }
        $3 == "fdiv" || $3 == "frem" { fault("division: " $3) }
        $3 == "fmul" || ($3 == "fneg" && ($NF in product)) { product[$1] = 1 }
        $3 == "fadd" || $3 == "fsub" {
            left = $(NF - 1)
            sub(/,$/, "", left)
            if ((left in product) || ($NF in product)) raw++
        }
        / call .*@/ {
            match($0, /@[A-Za-z0-9_.]+/)
            callee = substr($0, RSTART + 1, RLENGTH - 1)
            if (callee ~ /^llvm\./ && callee ~ /\.(v[0-9]+)?f(16|32|64)|approx/ && callee !~ /^llvm\.(fma|fabs|copysign)\.(v[0-9]+)?f32$/)
                fault("built-in function " callee)
        }' "$1"
}

# Fused operations per function of LLVM code, vectors by their elements.
ir_fused() {
    awk '
        /^define / { match($0, /@[A-Za-z0-9_]+/); name = substr($0, RSTART + 1, RLENGTH - 1) }
        / call .*@llvm\.fma\./ {
            match($0, /@llvm\.fma\.(v[0-9]+)?f/)
            elements = substr($0, RSTART + 11, RLENGTH - 12)
            fused[name] += elements == "" ? 1 : elements
        }
        END { for (name in fused) print name, fused[name] }' "$1"
}

# In PTX; fused operations are counted against those of LLVM code.
ptx_faults() {
    ir_fused "$2" | awk '
        function fault(reason) { print name ": " reason }
        function end_of_function() {
            if (name != "" && found != written[name] + 0)
                fault(found " fma.rn in PTX for " written[name] + 0 " llvm.fma")
        }
        BEGIN {
            # max.NaN and min.NaN keep NaN, as our selects do that they are made from; else they are max and min.
            exact = "^(add|sub|mul|fma)[.]rn[.]f32$|^(neg|abs|max|min|max[.]NaN|min[.]NaN|mov|selp)[.]f32$|^setp[.][a-z]+[.]f32$|" \
                "^cvt[.]rn[.]f32[.][su](8|16|32|64)$|^(ld|st)[.][a-z0-9.]*f32$"
        }
        NR == FNR { written[$1] = $2; next }
        /^[ \t]*(\.visible |\.weak )?\.(entry|func) / {
            end_of_function()
            name = $0
            sub(/\($/, "", name)
            sub(/.* /, "", name)
            found = 0
        }
        $1 !~ /^[@a-z]/ { next }
        {
            code = $1 ~ /^@/ ? $2 : $1
            sub(/;$/, "", code)
            if (code ~ /^fma\.rn\.f32$/) found++
            if (code ~ /^(div|rem)\./) fault("division: " code)
            else if (code ~ /\.approx/) fault("approximate: " code)
            else if (code ~ /\.ftz/) fault("flushes subnormals: " code)
            else if (code ~ /^(add|sub|mul)\.f32$/) fault(code " without .rn, which ptxas may contract")
            else if (code ~ /\.f(16|32|64)/ && code !~ exact) fault("not known to be exact: " code)
        }
        END { end_of_function() }' - "$1"
}

# In AMD's assembler: its operations on reals, and the modes that each kernel asks for. Modes: denormals 3 = kept, rounding 0 = to nearest.
isa_faults() {
    awk '
        function fault(reason) { print name ": " reason }
        BEGIN {
            exact = "^v_(pk_)?(add|sub|subrev|mul|fma|fmac|fmaak|fmamk|max|min)_f32|^v_cmpx?_[a-z]+_f32|^v_cvt_f32_[iu]"
        }
        /^[A-Za-z_][A-Za-z0-9_]*:/ { name = $1; sub(/:.*/, "", name) }
        $1 == ".amdhsa_kernel" { name = $2 }
        $1 == ".amdhsa_float_denorm_mode_32" && $2 != 3 { fault("flushes subnormals") }
        $1 == ".amdhsa_float_round_mode_32" && $2 != 0 { fault("does not round to nearest") }
        $1 ~ /^v_(div|rcp|rsq|exp|log|sqrt|sin|cos)_/ { fault("approximate: " $1); next }
        $1 ~ /^[a-z].*_f(16|32|64)|_legacy/ && $1 !~ exact { fault("not known to be exact: " $1) }' "$1"
}

# ---- resources: lines "kernel target registers spills local_bytes occupancy" -----------------------------------

ptxas_resources() {
    awk -v target="$1" '
        /Compiling entry function/ { split($0, part, "\047"); name = part[2] }
        / bytes stack frame/ { local_bytes = $1; spills = $5 + $9 }
        / Used [0-9]+ registers/ {
            match($0, /Used [0-9]+/)
            registers = substr($0, RSTART + 5, RLENGTH - 5)
            of_warp = 256 * int((32 * registers + 255) / 256)
            groups = int(4 * int(16384 / of_warp) / 2)
            if (groups > 32) groups = 32
            printf "%s %s %d %d %d %d\n", name, target, registers, spills, local_bytes, 100 * groups / 32
        }' "$2"
}

# A kernel of the metadata is a list of keys in alphabetical order.
isa_resources() {
    awk -v target="$1" '
        /^    \.name:/ { name = $2 }
        /^    \.private_segment_fixed_size:/ { local_bytes = $2 }
        /^    \.sgpr_count:/ { scalar = $2 }
        /^    \.sgpr_spill_count:/ { spills = $2 }
        /^    \.vgpr_count:/ { vector = $2 }
        /^    \.vgpr_spill_count:/ {
            waves = vector > 0 ? int(512 / (8 * int((vector + 7) / 8))) : 8
            if (waves > 8) waves = 8
            if (scalar > 100 && waves > 7) waves = 7
            printf "%s %s %d+%d %d %d %d\n", name, target, vector, scalar, spills + $2, local_bytes, 100 * waves / 8
        }' "$2"
}

resource_faults() {
    awk '
        $4 > 0 { print $1 ": " $2 ": spills registers (" $4 (($2 ~ /^sm/) ? " bytes" : " registers") ")" }
        $5 > 0 { print $1 ": " $2 ": keeps " $5 " bytes per work-item in local memory" }' "$1"
}

# ---- the table ------------------------------------------------------------------------------------------------

version_of() {
    "$@" --version 2>/dev/null | grep -oE '(version|release) [0-9][0-9.]*(, V[0-9.]*)?' | head -1
}

print_heading() {
    cat <<END
# What the kernels need on GPUs

Read from machine code, without a GPU, by \`tests/devices/gpu_code.sh > bench/gpu_code.md\`, which also fails where code spills or
could round otherwise than it is written. Clang compiles as the OpenCL backend does on GPUs (\`-cl-std=CL1.2 -DVECTOR=1\`,
\`-O2\`); a vendor's driver brings a compiler of its own, so registers there may differ somewhat.

Tools: $clang ($(version_of "$clang")), libclc in $libclc, ptxas (${ptxas:+$(version_of "$ptxas")}).

A cell holds registers, spills, bytes of local memory per work-item, and occupancy with work-groups of 64.

* NVIDIA (PTX for sm_80, assembled for both): registers r per work-item; spills are bytes stored and loaded. A
  multiprocessor has 64 warps, 32 groups and four register files of 16384, allotted to warps in units of 256:
  groups = min(32, floor(4 floor(16384 / (256 ceil(32 r / 256))) / 2)), occupancy = groups / 32.
* AMD gfx90a: vector v + scalar s registers; spills are registers. A SIMD unit has 8 waves of 64 and 512 vector registers
  per lane in units of 8: waves = min(8, floor(512 / (8 ceil(v / 8)))), 7 at most where s > 100; occupancy = waves / 8.

END
}

print_table() {
    echo '| kernel | sm_80 | sm_90 | gfx90a |'
    echo '|---|---|---|---|'
    sort "$1" | awk '
        function row() { if (name != "") printf "| %s | %s | %s | %s |\n", name, cell["sm_80"], cell["sm_90"], cell["gfx90a"] }
        $1 != name { row(); split("", cell); name = $1 }
        { cell[$2] = $3 ", " $4 ", " $5 ", " $6 " %" }
        END { row() }'
}

# ---- all of it ------------------------------------------------------------------------------------------------

assemble() {
    for target in sm_80 sm_90; do
        "$ptxas" -v -arch="$target" "$work/nvptx.s" -o "$work/cubin" >"$work/$target.log" 2>&1 ||
            stop "ptxas fails for $target: $(grep -v '^ptxas info' "$work/$target.log" | head -5)"
        ptxas_resources "$target" "$work/$target.log"
    done
}

: >"$work/faults"
make_source
compile nvptx nvptx64--nvidiacl.bc -target nvptx64-nvidia-nvcl -Xclang -target-cpu -Xclang sm_80
compile amdgcn amdgcn--amdhsa.bc -target amdgcn-amd-amdhsa -mcpu=gfx90a -nogpulib
ptx_faults "$work/nvptx.s" "$work/nvptx.ll" >>"$work/faults"
isa_faults "$work/amdgcn.s" >>"$work/faults"
{
    [ -z "$ptxas" ] || assemble
    isa_resources gfx90a "$work/amdgcn.s"
} >"$work/resources"
resource_faults "$work/resources" >>"$work/faults"

print_heading
print_table "$work/resources"
report
[ ! -s "$work/faults" ]
