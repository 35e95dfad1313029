#!/usr/bin/env bash
# The exactness matrix: runs the same trainings on every implementation that is here and compares the SHA-256 of the
# trained weights. Writes bench/exactness_matrix.md and .json. Some forty minutes on two cores.
#
#   bench/exactness_matrix.sh                       builds what is missing (presets release and clang), runs all
#   bench/exactness_matrix.sh --no-intel            without installing Intel's CPU runtime (bench/install_intel_opencl.sh)
#   bench/exactness_matrix.sh --gcc FILE --clang FILE    takes these programs and builds nothing
#   bench/exactness_matrix.sh --program NAME=FILE   one program more, as a row of its own; may be repeated
#   bench/exactness_matrix.sh --only REGEX          only the rows whose names match; the first row always runs
#   bench/exactness_matrix.sh --output FOLDER       writes there, not to bench/
#   bench/exactness_matrix.sh --keep                rows that FOLDER has already, all equal and of the same programs and
#                                                   trainings, are not run again
#
# Implementations: gcc and clang, the instruction sets, 1 to 16 threads, glibc without FMA; ranks of Open MPI and MPICH;
# each OpenCL driver of /etc/OpenCL/vendors (or OCL_ICD_VENDORS) with every device that it has; PoCL and Intel's
# runtime also made to generate code for older processors; oclgrind.
#
# Ends with 0 when all hashes agree, or those that differ come from a device whose grade (tanda devices) says that it
# flushes subnormals; else with 1, and tells the first operation that differs (tanda verify).
set -euo pipefail

repository=$(cd "$(dirname "$0")/.." && pwd)
data=$repository/datasets
output=$repository/bench
gcc_program='' clang_program='' install_intel=yes only='' keep=no
extra_programs=()

# ---- what is trained: NAME|SET|OPTIONS ------------------------------------------------------------------------
# Sets hold each other: tiny (also on oclgrind, which interprets), small (also on slow drivers), all; and shared, for
# ranks, whose batches have several tiles. Those of tiny deltas come out otherwise where numbers below 2^-100 are not flushed as the contract says.
trainings=(
    "perceptron, full batch|tiny|--data perceptron.csv --scale none --batch full --epochs 12 --learning-rate 0.5"
    "softmax regression|tiny|--data iris.csv --epochs 2"
    "two tanh layers, narrow|tiny|--data iris.csv --hidden 3,17 --activation tanh --batch 100 --epochs 2"
    "perceptron, 1000 epochs|small|--data perceptron.csv --scale none --batch full --epochs 1000 --learning-rate 0.5"
    "logistic regression|small|--data breast_cancer.csv --epochs 10"
    "logistic regression, full batch|small|--data breast_cancer.csv --batch full --epochs 60"
    "logistic regression, 28 features: 79 tiles|small|--data synthetic:logistic,rows=20011,features=28 --batch full --epochs 10"
    "logistic regression, one feature: 79 tiles|small|--data synthetic:logistic,rows=20011,features=1 --batch full --epochs 10"
    "logistic regression, mse|small|--data breast_cancer.csv --loss mse --epochs 10 --shuffle none"
    "linear regression of a width|small|--data iris.csv --target petal_width --ignore species --epochs 30 --learning-rate 0.02"
    "regression, tanh|small|--data iris.csv --target petal_width --ignore species --hidden 16 --activation tanh --epochs 20 --learning-rate 0.05"
    "identity hidden layer|small|--data breast_cancer.csv --hidden 17 --activation identity --epochs 5 --learning-rate 0.02"
    "digits, 64 relu|small|--data digits.csv --hidden 64 --epochs 2"
    "digits, 64 and 32 tanh|all|--data digits.csv --hidden 64,32 --activation tanh --epochs 3 --scale minmax --validation 0.2 --stratify no"
    "digits, 40 sigmoid|all|--data digits.csv --hidden 40 --activation sigmoid --epochs 3"
    "digits, ragged last batch of 97|small|--data digits.csv --hidden 20 --batch 100 --epochs 4"
    "digits, batches of 300: two tiles|small|--data digits.csv --hidden 20 --batch 300 --epochs 6"
    "digits, full batch: eight tiles|all|--data digits.csv --hidden 33 --batch full --epochs 20"
    "digits, 300 wide: two chunks|all|--data digits.csv --hidden 300,20 --activation relu,sigmoid --epochs 2"
    "digits, 300, 400 and 300: strips of inputs|all|--data digits.csv --hidden 300,400,300 --batch 700 --epochs 2"
    "iris, 546,903 parameters|all|--data iris.csv --hidden 900,600 --epochs 1"
    "digits, 598,735 parameters in batches of 700|all|--data digits.csv --hidden 1005,525 --batch 700 --epochs 1"
    "momentum, two tiles|small|--data digits.csv --hidden 20 --batch 300 --epochs 4 --optimizer momentum --l2 0.001"
    "nesterov, one cycle|small|--data breast_cancer.csv --hidden 17 --epochs 5 --optimizer nesterov --schedule one-cycle"
    "adagrad, L1|tiny|--data iris.csv --hidden 3,17 --activation tanh --epochs 2 --optimizer adagrad --learning-rate 0.1 --l1 0.001"
    "rmsprop, centered, logistic|small|--data breast_cancer.csv --epochs 10 --optimizer rmsprop --centered --momentum 0.5"
    "adam, clipped by norm|tiny|--data iris.csv --epochs 2 --optimizer adam --clip-norm 0.1"
    "adam, logistic|small|--data breast_cancer.csv --epochs 10 --optimizer adam"
    "adamw, cosine|small|--data digits.csv --hidden 40,20 --epochs 3 --optimizer adamw --amsgrad --schedule cosine --warmup-steps 20"
    "tiny deltas: unscaled sigmoid|small|--data breast_cancer.csv --scale none --hidden 8 --activation sigmoid --epochs 5"
    "tiny deltas: saturated sigmoid, adam|small|--data digits.csv --scale none --hidden 24 --activation sigmoid --optimizer adam --learning-rate 0.3 --batch 64 --epochs 8"
    "tiny deltas: saturated sigmoid|small|--data digits.csv --scale none --hidden 24 --activation sigmoid --learning-rate 6 --batch 64 --epochs 8"
    "adamw, l1 and l2, one-cycle|small|--data digits.csv --hidden 20 --optimizer adamw --l1 1e-4 --l2 1e-3 --schedule one-cycle --epochs 2"
    "adam of a perceptron, clipped by value|small|--data breast_cancer.csv --optimizer adam --clip-value 0.01 --schedule step --decay-epochs 2 --epochs 6"
    "adam, full batch: eight tiles|all|--data digits.csv --hidden 33 --optimizer adam --batch full --schedule exponential --epochs 20"
    "lbfgs, logistic regression|tiny|--data breast_cancer.csv --optimizer lbfgs --l2 0.01 --epochs 8"
    "lbfgs, 16 tanh|small|--data digits.csv --hidden 16 --activation tanh --optimizer lbfgs --l2 1e-3 --history 4 --epochs 20"
    "dropout|tiny|--data iris.csv --hidden 17 --dropout 0.5 --epochs 2"
    "dropout of inputs and two layers, adam|small|--data digits.csv --hidden 40,20 --dropout 0.5,0.1 --input-dropout 0.2 --optimizer adam --batch 300 --epochs 3"
    "leaky_relu|small|--data digits.csv --hidden 20,17 --activation leaky_relu --epochs 2"
    "elu|small|--data digits.csv --hidden 20,17 --activation elu --epochs 2"
    "selu|small|--data digits.csv --hidden 20,17 --activation selu --epochs 2"
    "gelu|small|--data digits.csv --hidden 20,17 --activation gelu --epochs 2"
    "swish|small|--data digits.csv --hidden 20,17 --activation swish --epochs 2"
    "softplus|small|--data digits.csv --hidden 20,17 --activation softplus --epochs 2"
    "softsign|small|--data digits.csv --hidden 20,17 --activation softsign --epochs 2"
    "hard_sigmoid|small|--data digits.csv --hidden 20,17 --activation hard_sigmoid --epochs 2"
    "exponential|small|--data digits.csv --scale minmax --hidden 20 --activation exponential --epochs 2 --learning-rate 0.01"
    "kl_divergence, smoothed|small|--data digits.csv --hidden 20 --loss kl_divergence --label-smoothing 0.1 --epochs 2"
    "cross-entropy, smoothed|small|--data digits.csv --hidden 20 --label-smoothing 0.1 --epochs 2"
    "hinge|small|--data breast_cancer.csv --loss hinge --epochs 5"
    "squared_hinge, tanh output|small|--data breast_cancer.csv --hidden 16 --loss squared_hinge --output-activation tanh --epochs 5"
    "mae, two targets|small|--data iris.csv --target petal_width,petal_length --ignore species --hidden 16 --loss mae --learning-rate 0.02 --epochs 5"
    "huber, two targets|small|--data iris.csv --target petal_width,petal_length --ignore species --hidden 16 --loss huber --learning-rate 0.02 --epochs 5"
    "log_cosh, two targets|small|--data iris.csv --target petal_width,petal_length --ignore species --hidden 16 --loss log_cosh --learning-rate 0.02 --epochs 5"
    "poisson, two targets|small|--data iris.csv --target petal_width,petal_length --ignore species --hidden 16 --loss poisson --learning-rate 0.02 --epochs 5"
    "class weights|small|--data breast_cancer.csv --class-weight balanced --epochs 5"
    "mse, two targets|small|--data iris.csv --target petal_width,petal_length --ignore species --hidden 16 --learning-rate 0.02 --epochs 5"
    "mse, two scaled targets|small|--data iris.csv --target petal_width,petal_length --ignore species --hidden 16 --scale-target standard --epochs 5"
    "ranks: adam|shared|--data digits.csv --hidden 24 --batch 1024 --epochs 3 --optimizer adam"
    "ranks: dropout|shared|--data digits.csv --hidden 24 --batch 1024 --epochs 3 --dropout 0.4"
    "ranks: clip-norm, slices|shared|--data digits.csv --hidden 150,120 --batch 600 --epochs 2 --clip-norm 0.1 --optimizer nesterov"
    "ranks: lbfgs|shared|--data digits.csv --hidden 8 --optimizer lbfgs --epochs 6 --l2 0.01"
    "ranks: sample weights|shared|--data digits.csv --batch 900 --epochs 3 --sample-weight p2 --class-weight balanced"
    "ranks: early stopping|shared|--data digits.csv --hidden 24 --batch 700 --epochs 40 --validation 0.3 --patience 1 --learning-rate 4 --schedule plateau"
    "ranks: ragged last batch|shared|--data digits.csv --hidden 20 --batch 1300 --epochs 4"
    "ranks: 5,000 classes|shared|--data synthetic:blobs,rows=6000,features=3,classes=5000 --batch 1024 --epochs 1 --optimizer rmsprop"
    "three labels a row|small|--data digits.csv --target p24,p31,p56 --loss binary_crossentropy --hidden 20 --epochs 3"
)
# What fast mode is worth is measured on a training large enough to show it.
speed_training="--data digits.csv --hidden 512,512 --batch 256 --epochs 4"

# ---- arguments ------------------------------------------------------------------------------------------------

fail() {
    echo "exactness_matrix: $*" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
    --no-intel) install_intel=no ;;
    --keep) keep=yes ;;
    --gcc | --clang | --program | --only | --output)
        [ $# -gt 1 ] || fail "$1 needs a value"
        case $1 in
        --gcc) gcc_program=$(realpath "$2") ;;
        --clang) clang_program=$(realpath "$2") ;;
        --program)
            [[ $2 = *=* ]] || fail "--program takes NAME=FILE"
            extra_programs+=("${2%%=*}=$(realpath "${2#*=}")")
            ;;
        --only) only=$2 ;;
        --output) output=$(realpath "$2") ;;
        esac
        shift
        ;;
    --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) fail "'$1' is unknown; see --help" ;;
    esac
    shift
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$data"

# ---- programs -------------------------------------------------------------------------------------------------

# build PRESET: the program of a preset, which keeps its folder between runs.
build() {
    local folder=$repository/build-$1
    echo "Building $folder/tanda" >&2
    (cd "$repository" && { [ -f "$folder/build.ninja" ] || cmake --preset "$1" -DTANDA_BUILD_TESTS=OFF; } &&
        cmake --build --preset "$1" --target tanda) >"$work/build.txt" 2>&1 || { tail -n 20 "$work/build.txt" >&2; return 1; }
    echo "$folder/tanda"
}

if [ -z "$gcc_program" ]; then
    gcc_program=$(build release) || fail "the program does not build"
    if [ -z "$clang_program" ]; then
        if command -v clang >/dev/null; then
            clang_program=$(build clang) || fail "clang does not build it (Debian packages clang and libomp-dev)"
        else
            echo "No clang here: its rows are left out" >&2
        fi
    fi
fi

# "GCC 12.2.0", "clang 14.0.6": what made a program says so in it.
compiler_of() {
    local made
    made=$(readelf -p .comment "$1" 2>/dev/null | grep -oE 'GCC: .*|clang version [0-9.]+' | sort -r) || true
    case $made in
    *clang*) sed -n 's/clang version /clang /p' <<<"$made" | head -n 1 ;;
    *GCC*) sed -n 's/GCC: .* \([0-9.]*\)$/gcc \1/p' <<<"$made" | head -n 1 ;;
    *) basename "$1" ;;
    esac
}

# ---- implementations ------------------------------------------------------------------------------------------

names=() programs=() environments=() options=() sets=() measures_fast=()

# implementation NAME PROGRAM ENVIRONMENT OPTIONS [SET] [fast]
implementation() {
    [ ${#names[@]} -eq 0 ] || [ -z "$only" ] || [[ $1 =~ $only ]] || return 0
    names+=("$1") programs+=("$2") environments+=("$3") options+=("$4") sets+=("${5:-all}") measures_fast+=("${6:-}")
}

# openmp NAME PROGRAM: its instruction sets
openmp() {
    local isa
    for isa in x86-64-v4 x86-64-v3 generic; do
        supports_isa "$2" "$isa" && implementation "$1, $isa" "$2" "" "--device cpu --isa $isa"
    done
    return 0
}

supports_isa() {
    "$1" train --data perceptron.csv --epochs 1 --quiet --device cpu --isa "$2" >/dev/null 2>&1 && return
    echo "No $2 here: its rows are left out" >&2
    return 1
}

# driver NAME LINE: a folder of OpenCL drivers that holds this one alone
driver() {
    mkdir -p "$work/$1"
    echo "$2" >"$work/$1/$1.icd"
    echo "OCL_ICD_VENDORS=$work/$1"
}

# cache NAME: PoCL keeps what it compiled, for one row at a time
cache() {
    mkdir -p "$work/cache_$1"
    echo "POCL_CACHE_DIR=$work/cache_$1"
}

# opencl_devices ENVIRONMENT: one line "opencl:P.D NAME" for each device
opencl_devices() {
    env $1 "$gcc_program" devices --json 2>/dev/null | grep -o '"id": "opencl[^}]*' |
        sed 's/"id": "\([^"]*\)".*"name": "\([^"]*\)".*/\1 \2/' || true
}

# executors NAME ENVIRONMENT OPTIONS SET: a driver made to take the kernels for GPUs, and the ops one by one
executors() {
    implementation "$1, gpu" "$gcc_program" "$2" "$3 --executor gpu" "$4"
    implementation "$1, ops" "$gcc_program" "$2" "$3 --executor ops" "$4"
}

add_pocl() {
    local environment processor
    environment=$(driver pocl "$1")
    [ -n "$(opencl_devices "$environment $(cache list)")" ] || return 0
    implementation "PoCL" "$gcc_program" "$environment $(cache native)" "--device opencl" all fast
    executors "PoCL" "$environment $(cache native)" "--device opencl" all
    implementation "PoCL, one thread" "$gcc_program" "$environment $(cache basic) POCL_DEVICES=basic" "--device opencl"
    # PROCESSOR:LIBRARY: what LLVM generates code for, and which of PoCL's libraries of functions is taken
    for processor in skylake-avx512:avx512 haswell:avx2 sandybridge:avx x86-64:sse2; do
        [ "$processor" != skylake-avx512:avx512 ] || grep -qw avx512f /proc/cpuinfo || continue
        implementation "PoCL, ${processor#*:}" "$gcc_program" \
            "$environment $(cache "${processor#*:}") POCL_LLVM_CPU_NAME=${processor%:*} POCL_KERNELLIB_NAME=${processor#*:}" \
            "--device opencl" "$([[ $processor = *avx[25]* ]] && echo all || echo small)"
    done
}

add_intel() {
    local library=$1 environment processor
    ln -sfn "$(dirname "$library")" "$work/intel_libraries"
    environment="$(driver intel "$work/intel_libraries/libintelocl.so") LD_LIBRARY_PATH=$work/intel_libraries"
    [ -n "$(opencl_devices "$environment")" ] || return 0
    implementation "Intel" "$gcc_program" "$environment" "--device opencl" all fast
    executors "Intel" "$environment" "--device opencl" all
    for processor in core-avx2 corei7-avx corei7; do
        implementation "Intel, $processor" "$gcc_program" "$environment CL_CONFIG_CPU_TARGET_ARCH=$processor" \
            "--device opencl" "$([[ $processor = corei7* ]] && echo tiny || echo small)"
    done
}

# Any other driver of the system, a GPU's for one.
add_other() {
    local name line=$2 environment id device executor
    name=$(basename "$1" .icd)
    environment="$(driver "$name" "$line") RUSTICL_ENABLE=${RUSTICL_ENABLE:-llvmpipe}"
    while read -r id device; do
        [ -n "$id" ] || continue
        if [[ $name = rusticl* ]]; then
            implementation "rusticl, ${device%% *}" "$gcc_program" "$environment" "--device $id --accept-flush" small
            # Without gpu_dense: one epoch of iris had not ended after 135 s of the processor's time, even with its small
            # blocks, as llvmpipe compiles. An executor by name leaves evaluation to others.
            for executor in gpu_perceptron gpu_small ops; do
                implementation "rusticl, ${device%% *}, $executor" "$gcc_program" "$environment" \
                    "--device $id --accept-flush --executor $executor" small
            done
        else
            implementation "$name, $device" "$gcc_program" "$environment" "--device $id --accept-flush" all fast
            executors "$name, $device" "$environment" "--device $id --accept-flush" all
        fi
    done <<<"$(opencl_devices "$environment")"
}

add_drivers() {
    local vendors=${OCL_ICD_VENDORS:-/etc/OpenCL/vendors} intel='' file line
    [ "$install_intel" = no ] || "$repository/bench/install_intel_opencl.sh" >/dev/null || fail "Intel's runtime is not there"
    [ ! -e "$repository/.venv/lib/libintelocl.so" ] || intel=$repository/.venv/lib/libintelocl.so
    for file in "$vendors"/*.icd; do
        [ -e "$file" ] || continue
        line=$(head -n 1 "$file" | tr -d '[:space:]')
        case $line in
        *libintelocl*) intel=$line ;;
        *libpocl*) add_pocl "$line" ;;
        *) add_other "$file" "$line" ;;
        esac
    done
    if [ -n "$intel" ]; then add_intel "$intel"; else echo "No Intel runtime here (leave out --no-intel to install it)" >&2; fi
    for file in /usr/lib/oclgrind /usr/local/lib/oclgrind; do
        [ -e "$file/liboclgrind-rt-icd.so" ] || continue
        line=$(driver oclgrind "$file/liboclgrind-rt-icd.so")
        implementation "oclgrind" "$gcc_program" "$line" "--device opencl" tiny
        # It takes the local memory of all kernels of a program for each one's.
        executors "oclgrind" "$line OCLGRIND_LOCAL_MEM_SIZE=1048576" "--device opencl" tiny
    done
}

# ranks MPI NAME ARGUMENTS: a program that launches ranks of TANDA
ranks() {
    local file="$work/$1-$2" with_arguments="$gcc_program \"\$@\""
    printf '#!/bin/sh\nexec mpirun.%s %s\n' "$1" "${3//TANDA/$with_arguments}" >"$file"
    chmod +x "$file"
    echo "$file"
}

# Ranks of an MPI that is here and has its plug-in beside the program.
add_ranks() {
    local mpi title count compiled
    compiled=$(cache ranks)
    local environment="$compiled OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_rmaps_base_oversubscribe=1"
    for mpi in "openmpi|Open MPI" "mpich|MPICH"; do
        IFS='|' read -r mpi title <<<"$mpi"
        if ! command -v "mpirun.$mpi" >/dev/null || [ ! -e "$(dirname "$gcc_program")/tanda_$mpi.so" ]; then
            echo "No $title here: its rows are left out" >&2
            continue
        fi
        for count in 1 2 3 4 5 7 8; do
            implementation "${names[0]}, $count ranks, $title" "$(ranks "$mpi" $count "-np $count TANDA --mpi $mpi")" \
                "$environment" "--device cpu --threads 1" "$([ "$mpi-$count" = openmpi-2 ] && echo ranks || echo shared)"
        done
        [ -n "$(opencl_devices "$compiled")" ] || continue
        implementation "OpenCL, 2 ranks, $title" "$(ranks "$mpi" opencl "-np 2 TANDA")" "$environment" "--device opencl" shared
        implementation "OpenMP and OpenCL, 3 ranks, $title" \
            "$(ranks "$mpi" mixed "-np 1 TANDA --device cpu --threads 1 : -np 2 TANDA --device opencl")" "$environment" "" shared
    done
}

add_all() {
    local program threads best without_fma="GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-AVX2"
    openmp "$(compiler_of "$gcc_program")" "$gcc_program"
    [ ${#names[@]} -gt 0 ] || fail "the program does not run: $gcc_program"
    best=${options[0]}
    for threads in 1 2 3 4 8 16; do
        implementation "${names[0]}, threads $threads" "$gcc_program" "" "$best --threads $threads"
    done
    implementation "${names[0]}, glibc without FMA" "$gcc_program" "$without_fma" "$best"
    implementation "$(compiler_of "$gcc_program"), generic, glibc without FMA" "$gcc_program" "$without_fma" "--device cpu --isa generic" small
    [ -z "$clang_program" ] || openmp "$(compiler_of "$clang_program")" "$clang_program"
    for program in "${extra_programs[@]}"; do
        openmp "${program%%=*}" "${program#*=}"
    done
    add_ranks
    add_drivers
}

# ---- running --------------------------------------------------------------------------------------------------

declare -A hash seconds fast_ratio problem grade is_kept

# value FILE KEY: one value of a JSON object on one line, as tanda writes it
value() {
    sed -n "s/.*\"$2\": \"\{0,1\}\([^\",}]*\).*/\1/p" "$1"
}

# train ROW OPTIONS: the result goes to $work/result.json
train() {
    local row=$1
    shift
    env ${environments[row]} timeout 300 "${programs[row]}" train "$@" ${options[row]} --require-device --json --quiet \
        >"$work/result.json" 2>"$work/errors.txt"
}

# Whether the trainings of SET $2 are run on ROW $1. Those for ranks are held against the first row.
is_run() {
    case ${sets[$1]}-$2 in
    *-shared) [ "$1" -eq 0 ] || [[ ${sets[$1]} = shared || ${sets[$1]} = ranks ]] ;;
    shared-*) false ;;
    all-* | ranks-* | *-tiny | small-small) true ;;
    *) false ;;
    esac
}

# Twice, unless it is slow: the second time nothing is left to compile, and the bits must be the same again.
run_training() {
    local row=$1 column=$2 training=${trainings[$2]} first time start=$EPOCHREALTIME
    if ! train "$row" ${training##*|}; then
        ! grep -q ' does not fit this training' "$work/errors.txt" || return 0 # of a row's executor: left out
        problem[$row]="${trainings[$2]%%|*}: $(tail -n 1 "$work/errors.txt")"
        return 1
    fi
    first=$(value "$work/result.json" weights_sha256)
    hash[$row,$column]=$first
    time=$(value "$work/result.json" train)
    grade[$row]=$(value "$work/result.json" grade)
    if [ "${sets[row]}" != shared ] && awk "BEGIN { exit !($EPOCHREALTIME - $start < 2) }"; then
        train "$row" ${training##*|} || return 1
        time=$(value "$work/result.json" train)
        [ "$(value "$work/result.json" weights_sha256)" = "$first" ] ||
            problem[$row]="${trainings[$2]%%|*}: other bits the second time"
    fi
    seconds[$row,$column]=$time
}

# The better of two runs, in seconds
time_of() {
    local row=$1 best='' time
    for _ in 1 2; do
        train "$row" $speed_training "${@:2}" || return 1
        time=$(value "$work/result.json" train)
        best=$(awk "BEGIN { print \"$best\" == \"\" || $time < \"$best\" + 0 ? $time : \"$best\" }")
    done
    echo "$best"
}

run_row() {
    local row=$1 column exact fast
    printf '%2d/%d  %-40s' $((row + 1)) ${#names[@]} "${names[row]}" >&2
    for column in "${!trainings[@]}"; do
        IFS='|' read -r _ set _ <<<"${trainings[column]}"
        is_run "$row" "$set" || continue
        run_training "$row" "$column" || break
        case ${hash[$row,$column]:-} in
        "${hash[0,$column]}") printf '.' >&2 ;;
        '') printf '-' >&2 ;;
        *) printf '#' >&2 ;;
        esac
    done
    if [ -n "${measures_fast[row]}" ] && exact=$(time_of "$row") && fast=$(time_of "$row" --math fast); then
        fast_ratio[$row]=$(awk "BEGIN { printf \"%.2f\", $exact / $fast }")
    fi
    echo " ${problem[$row]:-}" >&2
}

# ---- keeping --------------------------------------------------------------------------------------------------

# What the hashes are of: the programs, the plug-ins beside them, and the trainings.
find_subject() {
    local file
    {
        for file in "$gcc_program" "$clang_program" "${extra_programs[@]#*=}" "$(dirname "$gcc_program")"/tanda_*.so; do
            [ ! -f "$file" ] || cat "$file"
        done
        printf '%s\n' "${trainings[@]}"
    } | sha256sum | cut -c 1-64
}

# Rows of a matrix that is there.
recall() {
    local file=$output/exactness_matrix.json line row column
    local of_row='^ *\{"name": "(.*)", "grade": "(.*)", "verdict": "([^"]*)"(.*)'
    local of_hash='"training": "(.*)", "weights_sha256": "([0-9a-f]+)", "seconds": ([0-9.]+)'
    local -A row_of column_of
    [ -e "$file" ] || fail "--keep: there is no $file"
    [ "$(value "$file" subject)" = "$subject" ] || fail "--keep: $file is of other programs or trainings"
    for row in "${!names[@]}"; do row_of[${names[row]}]=$row; done
    for column in "${!trainings[@]}"; do column_of[${trainings[column]%%|*}]=$column; done
    row=''
    while IFS= read -r line; do
        if [[ $line =~ $of_row ]]; then
            row=${row_of[${BASH_REMATCH[1]}]:-}
            [ "${BASH_REMATCH[3]}" = equal ] || row=''
            [ -n "$row" ] || continue
            is_kept[$row]=yes grade[$row]=${BASH_REMATCH[2]}
            [[ ! ${BASH_REMATCH[4]} =~ '"exact_over_fast": '([0-9.]+) ]] || fast_ratio[$row]=${BASH_REMATCH[1]}
        elif [ -n "$row" ] && [[ $line =~ $of_hash ]]; then
            column=${column_of[${BASH_REMATCH[1]}]}
            hash[$row,$column]=${BASH_REMATCH[2]} seconds[$row,$column]=${BASH_REMATCH[3]}
        fi
    done <"$file"
}

# ---- judging --------------------------------------------------------------------------------------------------

# Sets equal, different and failed of a row, and its time.
judge() {
    local row=$1 column times=0
    equal=0 different=0
    for column in "${!trainings[@]}"; do
        [ -n "${hash[$row,$column]:-}" ] || continue
        if [ "${hash[$row,$column]}" = "${hash[0,$column]}" ]; then equal=$((equal + 1)); else different=$((different + 1)); fi
        times+=" + ${seconds[$row,$column]}"
    done
    total=$(awk "BEGIN { print $times }")
    verdict=equal
    [ $different -eq 0 ] || verdict="different"
    [ $different -eq 0 ] || [ "${grade[$row]}" = exact ] || verdict="different, as its grade says"
    [ -z "${problem[$row]:-}" ] || [ $different -gt 0 ] || verdict=failed
    [[ ${problem[$row]:-} != *"not exact:"* ]] || verdict="refused, as its grade says"
}

# specification OPTIONS: a row's device as tanda verify takes it
specification() {
    sed -E 's/^--device //; s/ --(isa|threads|executor) /,\1=/g; s/ --accept-flush//' <<<"$1"
}

# The first difference of a row: by operation where one program holds both sides, else by step.
locate() {
    local row=$1 column training found
    for column in "${!trainings[@]}"; do
        [ "${hash[$row,$column]:-${hash[0,$column]}}" = "${hash[0,$column]}" ] || break
    done
    training=${trainings[column]##*|}
    if [ "${programs[row]}" = "${programs[0]}" ]; then
        found=$(env ${environments[row]} timeout 300 "${programs[row]}" verify $training --steps all --device "$(specification "${options[row]}")" \
            --against "$(specification "${options[0]}")" 2>&1) || true
    else
        found=$("${programs[0]}" record $training ${options[0]} --output "$work/golden" 2>&1 >"$work/recorded.txt" &&
            env ${environments[row]} timeout 300 "${programs[row]}" verify --golden "$work/golden" ${options[row]} 2>&1) || true
    fi
    found=$(grep -m 1 -iE 'differ' <<<"$found") || found="tanda verify sees no difference"
    problem[$row]="${trainings[column]%%|*}: $found"
    echo "DIFFERENT: ${names[row]}: ${problem[$row]}" >&2
}

# ---- writing --------------------------------------------------------------------------------------------------

processor() {
    sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1
}

write_markdown() {
    local row column
    echo "# The exactness matrix"
    echo
    echo "Made by \`bench/exactness_matrix.sh\`; $(processor), $(nproc) cores. $run$([ "$run" -eq ${#names[@]} ] || echo " of ${#names[@]}") implementations, ${#trainings[@]} trainings,"
    echo "$compared hashes compared: $unequal differ$([ "$unexplained" -eq "$unequal" ] || echo ", of which $((unequal - unexplained)) as the device's grade says")$([ "$failures" -eq 0 ] || echo "; $failures implementations failed")."
    echo
    echo "## Implementations"
    echo
    echo "Seconds are those of training alone, in a second run where the first was quick, and in all of the trainings that"
    echo "the row ran: slow ones run fewer."
    echo "Exact / fast is what \`--math exact\` costs: its time over that of \`--math fast\`, for 64-512-512-10 in batches of 256."
    echo
    echo "| implementation | grade | trainings | hashes | seconds | exact / fast |"
    echo "|---|---|--:|---|--:|--:|"
    for ((row = 0; row < run; row++)); do
        judge "$row"
        printf '| %s | %s | %d | %s | %.3f | %s |\n' "${names[row]}" "${grade[$row]:-}" $((equal + different)) \
            "$([ "$verdict" = equal ] && echo equal || echo "**$verdict**${problem[$row]:+: ${problem[$row]}}")" "$total" "${fast_ratio[$row]:-}"
    done
    echo
    echo "## Trainings"
    echo
    echo "| | training | options of \`tanda train\` | weights_sha256 |"
    echo "|--:|---|---|---|"
    for column in "${!trainings[@]}"; do
        echo "| $((column + 1)) | ${trainings[column]%%|*} | \`${trainings[column]##*|}\` | \`${hash[0,$column]:0:12}\` |"
    done
    write_grid "## Hashes" hash
    write_grid "## Milliseconds" milliseconds
}

# write_grid TITLE hash|milliseconds: rows are implementations, columns trainings; differing hashes are bold
write_grid() {
    local row column cell
    printf '\n%s\n\n| implementation |' "$1"
    for column in "${!trainings[@]}"; do printf ' %d |' $((column + 1)); done
    printf '\n|---|'
    for column in "${!trainings[@]}"; do printf -- '--:|'; done
    for ((row = 0; row < run; row++)); do
        printf '\n| %s |' "${names[row]}"
        for column in "${!trainings[@]}"; do
            cell=${hash[$row,$column]:-}
            cell=${cell:0:12}
            if [ "$2" = milliseconds ]; then
                [ -z "$cell" ] || cell=$(awk "BEGIN { printf \"%.2f\", 1000 * ${seconds[$row,$column]} }")
            elif [ -n "$cell" ]; then
                [ "${hash[$row,$column]}" = "${hash[0,$column]}" ] && cell="\`$cell\`" || cell="**\`$cell\`**"
            fi
            printf ' %s |' "$cell"
        done
    done
    echo
}

quote() {
    local text=${1//\\/\\\\}
    printf '"%s"' "${text//\"/\\\"}"
}

write_json() {
    local row column comma
    printf '{"processor": %s, "cores": %d,\n "subject": "%s",\n "trainings": [' "$(quote "$(processor)")" "$(nproc)" "$subject"
    comma=''
    for column in "${!trainings[@]}"; do
        printf '%s\n  {"name": %s, "options": %s}' "$comma" "$(quote "${trainings[column]%%|*}")" "$(quote "${trainings[column]##*|}")"
        comma=,
    done
    printf '],\n "implementations": ['
    for ((row = 0; row < run; row++)); do
        judge "$row"
        printf '%s\n  {"name": %s, "grade": %s, "verdict": %s' "$([ "$row" -eq 0 ] || echo ,)" "$(quote "${names[row]}")" \
            "$(quote "${grade[$row]:-}")" "$(quote "$verdict")"
        [ -z "${problem[$row]:-}" ] || printf ', "problem": %s' "$(quote "${problem[$row]}")"
        [ -z "${fast_ratio[$row]:-}" ] || printf ', "exact_over_fast": %s' "${fast_ratio[$row]}"
        printf ', "results": ['
        comma=''
        for column in "${!trainings[@]}"; do
            [ -n "${hash[$row,$column]:-}" ] || continue
            printf '%s\n   {"training": %s, "weights_sha256": "%s", "seconds": %.6f}' "$comma" \
                "$(quote "${trainings[column]%%|*}")" "${hash[$row,$column]}" "${seconds[$row,$column]}"
            comma=,
        done
        printf ']}'
    done
    printf ']}\n'
}

# Of the rows that have run so far: those of a matrix that is cut off are not lost.
write_all() {
    mkdir -p "$output"
    write_markdown >"$work/matrix.md"
    write_json >"$work/matrix.json"
    mv "$work/matrix.md" "$output/exactness_matrix.md"
    mv "$work/matrix.json" "$output/exactness_matrix.json"
}

# ---- all of it ------------------------------------------------------------------------------------------------

main() {
    local row
    add_all
    subject=$(find_subject)
    [ "$keep" = no ] || recall
    compared=0 unequal=0 unexplained=0 failures=0 run=0
    for row in "${!names[@]}"; do
        [ -n "${is_kept[$row]:-}" ] || run_row "$row"
        judge "$row"
        compared=$((compared + equal + different)) unequal=$((unequal + different))
        [ "$verdict" != different ] || unexplained=$((unexplained + different))
        [ "$verdict" != failed ] || failures=$((failures + 1))
        [ "$verdict" != different ] || locate "$row"
        run=$((run + 1))
        [ -n "${is_kept[$row]:-}" ] || write_all
    done
    write_all
    echo "${#names[@]} implementations, $compared hashes compared, $unequal differ ($unexplained unexplained)," \
        "$failures failed: $output/exactness_matrix.md" >&2
    [ $unexplained -eq 0 ] && [ $failures -eq 0 ]
}

main
exit
