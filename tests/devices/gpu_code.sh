#!/usr/bin/env bash
# Reads GPU code without a GPU: compiles every kernel for NVIDIA sm_80 and sm_90 and for AMD gfx90a and gfx1030, prints what
# each needs there as a Markdown table, and fails (1) with a line per fault on stderr when
#
#   * a kernel spills registers to memory, keeps private memory, or a group of it takes more than 32 KB of local memory;
#   * the innermost loop of a kernel has too few FFMA or loads 4 bytes at a time (the file gpu_floors beside this one);
#   * the code could round otherwise than it is written: llvm.fmuladd, a fast-math flag (contract and its like), a product
#     that feeds a sum, an add or mul without .rn, flushed subnormals, fewer or more fused operations than were written;
#   * it holds a division or anything approximate, or any operation on reals but the few that are known to be exact.
#
#   tests/devices/gpu_code.sh [--output FILE] [KERNELS]        KERNELS: a folder like kernels/, the default
#
# The programs are that of all KERNELS/*.cl, and those of KERNELS/gpu/*.cl that the file gpu_programs says.
#
# Ends with 77 (skipped) without clang or libclc, leaves NVIDIA's columns empty without ptxas, and loops without nvdisasm
# (PyPI: nvidia-cuda-nvdisasm). CLANG, LIBCLC (folder), PTXAS and NVDISASM name them where they lie elsewhere;
# AMD_TARGETS and NVIDIA_TARGETS say for which of theirs; with FEW_PROGRAMS=1 those marked by a star are left out.
set -euo pipefail

here=$(dirname "$(realpath "$0")")
output=
if [ "${1:-}" = --output ]; then
    output=${2:?--output needs a file}
    shift 2
fi
kernels=$(realpath "${1:-$here/../../kernels}")
clang=${CLANG:-clang-15} libclc=${LIBCLC:-/usr/lib/clc}
ptxas=${PTXAS:-$(command -v ptxas || echo /usr/local/cuda/bin/ptxas)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Prints the faults found so far, each once, and then what stopped it.
report() {
    cat "$work"/*/faults 2>/dev/null | awk '!seen[$0]++ { print "gpu_code: " $0 }' >&2
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

nvdisasm=${NVDISASM:-$(command -v nvdisasm || ls /usr/local/cuda/bin/nvdisasm 2>/dev/null || true)}
if [ -n "$ptxas" ] && ! command -v "$nvdisasm" >/dev/null; then
    echo "gpu_code: nvdisasm not found (PyPI: nvidia-cuda-nvdisasm): loops are not checked" >&2
    nvdisasm=
fi

# ---- programs: a folder each, with source.cl, options, and what the kernels' names get at their end --------------------

# NAME, text, options
add_program() {
    mkdir "$work/$1"
    printf '%s\n' "$2" >"$work/$1/source.cl"
    echo "$3" >"$work/$1/options"
    # Of options, `[A=1,B=2]`.
    sed -E 's/^ +| +$//g; s/ *-D/,/g; s/^,(.*)/[\1]/' <<<"$3" >"$work/$1/suffix"
}

# The text of all has what the backend builds as one on GPUs.
list_programs() {
    local file name options number=0
    ln -s "$kernels" "$work/kernels"
    ! compgen -G "$kernels/*.cl" >/dev/null || add_program all "$(for file in "$kernels"/*.cl; do echo "#include \"kernels/${file##*/}\""; done)" ""
    for file in "$kernels"/gpu/*.cl; do
        [ -e "$file" ] || continue
        name=gpu/${file##*/}
        while read -r options; do
            number=$((number + 1))
            add_program "$number" "#include \"kernels/$name\"" "$options"
        done < <(awk -v name="$name" -v few="${FEW_PROGRAMS:-}" '
            $1 == name && !(few && / \*$/) { sub(/^[^ ]+ */, ""); sub(/ *\*$/, ""); print }
            $1 == name { found = 1 }
            END { if (!found) print "" }' "$here/gpu_programs")
    done
}

# ---- compiling ------------------------------------------------------------------------------------------------

# Folder of a program, name of the target, libclc file, options of the target: the kernels as optimised LLVM code (NAME.ll,
# of the first target of each vendor) and as assembler (NAME.s). No option says how to contract: what keeps the code exact
# must be in the kernels' own text. What the assembler step refuses (an undefined expf, say) has shown in the LLVM code. An
# OpenCL runtime defines __OPENCL_VERSION__, clang alone does not.
compile() {
    local program=$1 name=$2 options as_it_is=("${@:4}" -O2 -Xclang -disable-llvm-passes -S)
    read -ra options <"$1/options" || true
    options+=(-x cl -cl-std=CL1.2 -DVECTOR=1 -D__OPENCL_VERSION__=120 -Xclang -finclude-default-header -I"$work" -O2
        -Xclang -mlink-builtin-bitcode -Xclang "$libclc/$3" -Wno-linker-warnings "${@:4}")
    "$clang" "${options[@]}" -emit-llvm -Xclang -emit-llvm-uselists -c "$program/source.cl" -o "$program/$name.bc" || return 1
    if [ "$name" != gfx1030 ]; then
        "$clang" "${as_it_is[@]}" -emit-llvm "$program/$name.bc" -o "$program/$name.ll"
        ir_faults "$program/$name.ll" >>"$program/faults"
    fi
    "$clang" "${as_it_is[@]}" "$program/$name.bc" -o "$program/$name.s" 2>"$program/log" && return
    sed "/^PLEASE submit/,\$d" "$program/log" >&2
    return 1
}

# Work-items of a group, of kernels that say so: lines "kernel items".
group_sizes() {
    awk '
        /^define .*!reqd_work_group_size/ {
            match($0, /@[A-Za-z0-9_]+/)
            name = substr($0, RSTART + 1, RLENGTH - 1)
            sub(/.*!reqd_work_group_size /, "")
            of[name] = $1
        }
        /^![0-9]+ = !\{i32 [0-9]+, i32 [0-9]+, i32 [0-9]+\}/ {
            gsub(/[^0-9 ]/, "")
            items[$1] = $0
        }
        END {
            for (name in of) {
                number = of[name]
                sub(/^!/, "", number)
                split(items[number], part, " +")
                print name, part[3] * part[5] * part[7]
            }
        }' "$1"
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
    { echo none 0 && ir_fused "$2"; } | awk '
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

# ---- resources: lines "kernel target registers spills private_bytes local_bytes occupancy" ------------------------

# shellcheck disable=SC2016
# Percent of its waves that a processor holds: by registers it holds so many waves, at most so many groups, and local memory.
occupancy='
    function occupancy(items, wave, by_registers, most_waves, most_groups, memory, local_bytes,    waves, groups) {
        waves = int((items + wave - 1) / wave)
        groups = int((by_registers < most_waves ? by_registers : most_waves) / waves)
        if (groups > most_groups) groups = most_groups
        if (local_bytes > 0 && groups > int(memory / local_bytes)) groups = int(memory / local_bytes)
        return 100 * groups * waves / most_waves
    }
    FNR == NR && FILENAME ~ /sizes$/ { items[$1] = $2; next }'

# Target, log of ptxas -v, sizes of groups.
ptxas_resources() {
    awk -v target="$1" "$occupancy"'
        /Compiling entry function/ { split($0, part, "\047"); name = part[2] }
        / bytes stack frame/ { private_bytes = $1; spills = $5 + $9 }
        / Used [0-9]+ registers/ {
            match($0, /Used [0-9]+/)
            registers = substr($0, RSTART + 5, RLENGTH - 5)
            local_bytes = match($0, /[0-9]+ bytes smem/) ? substr($0, RSTART, RLENGTH) + 0 : 0
            warps = 4 * int(16384 / (256 * int((32 * registers + 255) / 256)))
            memory = 1024 * (target == "sm_80" ? 164 : 228)
            printf "%s %s %d %d %d %d %d\n", name, target, registers, spills, private_bytes, local_bytes,
                occupancy(name in items ? items[name] : 64, 32, warps, 64, 32, memory, local_bytes + 1024)
        }' "$3" "$2"
}

# A kernel of the metadata is a list of keys in alphabetical order.
isa_resources() {
    awk -v target="$1" "$occupancy"'
        /^    \.group_segment_fixed_size:/ { local_bytes = $2 }
        /^    \.name:/ { name = $2 }
        /^    \.private_segment_fixed_size:/ { private_bytes = $2 }
        /^    \.sgpr_count:/ { scalar = $2 }
        /^    \.sgpr_spill_count:/ { spills = $2 }
        /^    \.vgpr_count:/ { vector = $2 > 0 ? $2 : 1 }
        /^    \.vgpr_spill_count:/ {
            size = name in items ? items[name] : 64
            if (target == "gfx90a") {
                waves = int(512 / (8 * int((vector + 7) / 8)))
                if (scalar > 100 && waves > 7) waves = 7
                share = occupancy(size, 64, 4 * waves, 32, 32, 65536, local_bytes)
            } else {
                waves = int(1024 / (16 * int((vector + 15) / 16)))
                share = occupancy(size, 32, 4 * waves, 64, 32, 131072, local_bytes)
            }
            printf "%s %s %d+%d %d %d %d %d\n", name, target, vector, scalar, spills + $2, private_bytes, local_bytes, share
        }' "$3" "$2"
}

# What gfx1030 has in private memory is told, not judged: its work-items have 256 registers, and clang is not at its best there.
resource_faults() {
    awk '
        $2 == "gfx1030" { $4 = $5 = 0 }
        $4 > 0 && ($2 ~ /^sm/ || $5 > 0) { print $1 ": " $2 ": spills registers (" $4 (($2 ~ /^sm/) ? " bytes" : " registers") ")" }
        $5 > 0 { print $1 ": " $2 ": keeps " $5 " bytes per work-item in local memory" }
        $6 > 32768 { print $1 ": " $2 ": a group takes " $6 " bytes of local memory" }' "$1"
}

# ---- loops: lines of gpu_loops.awk, the target behind the name -----------------------------------------------------

loop_faults() {
    awk '
        FNR == NR {
            if ($0 !~ /^#/ && NF == 3) { pattern[++count] = $1; least[count] = $2; most[count] = $3 }
            next
        }
        {
            for (i = 1; i <= count; i++) if ($1 ~ pattern[i]) {
                if (100 * $4 < least[i] * $3)
                    printf "%s: %s: %d FFMA in %d instructions of its innermost loop, less than %d %%\n", $1, $2, $4, $3, least[i]
                if (most[i] != "-" && $7 + $8 > most[i])
                    printf "%s: %s: %d loads of 4 bytes or fewer in its innermost loop\n", $1, $2, $7 + $8
                break
            }
        }' "$here/gpu_floors" "$1"
}

# ---- one program ----------------------------------------------------------------------------------------------

# What is wrong with ptxas or nvdisasm is a fault.
assemble() {
    local program=$1 target
    for target in "${nvidia_targets[@]}"; do
        if ! "$ptxas" -v -arch="$target" "$program/nvptx.s" -o "$program/$target.cubin" >"$program/$target.log" 2>&1; then
            echo "ptxas fails for $target: $(grep -v '^ptxas info' "$program/$target.log" | head -5)" >>"$program/faults"
            return
        fi
        ptxas_resources "$target" "$program/$target.log" "$program/sizes" >>"$program/resources"
        [ -z "$nvdisasm" ] || "$nvdisasm" -c "$program/$target.cubin" | awk -f "$here/gpu_loops.awk" |
            sed "s/ / $target /" >>"$program/loops"
    done
}

judge() {
    local program=$1
    : >"$program/faults"
    : >"$program/resources"
    : >"$program/loops"
    compile "$program" nvptx nvptx64--nvidiacl.bc -target nvptx64-nvidia-nvcl -Xclang -target-cpu -Xclang sm_80 ||
        { touch "$program/no-nvptx"; return; }
    group_sizes "$program/nvptx.ll" >"$program/sizes"
    ptx_faults "$program/nvptx.s" "$program/nvptx.ll" >>"$program/faults"
    [ -z "$ptxas" ] || assemble "$program"
    for target in "${amd_targets[@]}"; do
        compile "$program" "$target" amdgcn--amdhsa.bc -target amdgcn-amd-amdhsa -mcpu="$target" -nogpulib ||
            { touch "$program/no-$target"; return; }
        isa_faults "$program/$target.s" >>"$program/faults"
        isa_resources "$target" "$program/$target.s" "$program/sizes" >>"$program/resources"
    done
    sed -i "s/^[^ ]*/&$(<"$program/suffix")/" "$program/resources" "$program/loops"
    resource_faults "$program/resources" >>"$program/faults"
    loop_faults "$program/loops" >>"$program/faults"
}

# ---- the table ------------------------------------------------------------------------------------------------

version_of() {
    "$@" --version 2>/dev/null | grep -oE '(version|release) [0-9][0-9.]*(, V[0-9.]*)?' | head -1
}

print_heading() {
    cat <<END
# What the kernels need on GPUs

Read from machine code, without a GPU, by \`tests/devices/gpu_code.sh --output bench/gpu_code.md\`, which also fails where code
spills, could round otherwise than it is written, or where a loop has too few FFMA. Clang compiles as the OpenCL backend does
on GPUs (\`-cl-std=CL1.2 -DVECTOR=1\`, \`-O2\`); a vendor's driver brings a compiler of its own, so registers there may differ
somewhat.

Tools: $clang ($(version_of "$clang")), libclc in $libclc, ptxas (${ptxas:+$(version_of "$ptxas")}), nvdisasm (${nvdisasm:+$(version_of "$nvdisasm")}).

A cell holds registers, spills, bytes of private memory outside registers, bytes of local memory of a group (without what
the host adds), and occupancy, with groups of the kernel's own size, else of 64.

* NVIDIA (PTX for sm_80, assembled for both): registers of a work-item; spills are bytes stored and loaded. A
  multiprocessor has 64 warps, 32 groups, four register files of 16384, allotted to warps in units of 256, and 164 KB of
  local memory (sm_90: 228 KB), 1 KB of which each group takes for itself.
* AMD: vector + scalar registers; spills are registers, which go to others where there is no private memory. gfx90a: 4 SIMD
  units have 8 waves of 64 each and 512 vector registers per lane in units of 8; 7 waves at most with more than 100 scalar
  registers; 64 KB of local memory. gfx1030: 4 SIMD units have 16 waves of 32 each and 1024 registers in units of 16; 128 KB.

END
}

print_table() {
    local targets=("${nvidia_targets[@]}" "${amd_targets[@]}")
    echo "| kernel |$(printf ' %s |' "${targets[@]}")"
    echo "|---|$(printf -- '---|%.0s' "${targets[@]}")"
    sort "$1" | awk -v targets="${targets[*]}" '
        function row(    i) {
            if (name == "") return
            printf "| %s |", name
            for (i = 1; i <= count; i++) printf " %s |", cell[target[i]]
            print ""
        }
        BEGIN { count = split(targets, target, " ") }
        $1 != name { row(); split("", cell); name = $1 }
        { cell[$2] = $3 ", " $4 ", " $5 ", " $6 ", " $7 " %" }
        END { row() }'
}

print_loops() {
    [ -s "$1" ] || return 0
    cat <<END

The innermost loop with the most fused operations of each kernel: FFMA of all instructions, and loads from global and local
memory of 16 / 8 / 4 / fewer bytes.

| kernel | target | FFMA | global | local |
|---|---|---|---|---|
END
    sort "$1" | awk '{
        printf "| %s | %s | %d of %d, %.1f %% | %d / %d / %d / %d | %d / %d / %d / %d |\n",
            $1, $2, $4, $3, 100 * $4 / $3, $5, $6, $7, $8, $9, $10, $11, $12 }'
}

# ---- all of it ------------------------------------------------------------------------------------------------

read -ra amd_targets <<<"${AMD_TARGETS:-gfx90a gfx1030}" # gfx1100 gets only half of its registers from clang 15
read -ra nvidia_targets <<<"${NVIDIA_TARGETS:-sm_80 sm_90}"
list_programs
cores=$(nproc)
for program in "$work"/*/; do
    [ -e "$program/source.cl" ] || continue
    while [ "$(jobs -rp | wc -l)" -ge "$cores" ]; do wait -n; done
    judge "${program%/}" &
done
wait
for target in nvptx "${amd_targets[@]}"; do
    ! compgen -G "$work/*/no-$target" >/dev/null || stop "the kernels do not compile for $target"
done
cat "$work"/*/resources >"$work/resources"
cat "$work"/*/loops >"$work/loops"
{
    print_heading
    print_table "$work/resources"
    print_loops "$work/loops"
} >"${output:-/dev/stdout}"
report
! grep -q . "$work"/*/faults
