#!/usr/bin/env bash
# Measures an OpenCL device, a GPU above all, within 8 minutes and without network: are its bits the CPU's, what can it do
# at best, which executor wins where, and what others do on it. Writes bench/results/NAME-OF-THE-DEVICE.json and .md.
#
#   bench/gpu-lab.sh                     builds what is missing (preset release); the first GPU, else another device
#   bench/gpu-lab.sh --program FILE      takes this tanda and builds nothing
#   bench/gpu-lab.sh --device ID         this device of tanda devices: opencl:0.1
#   bench/gpu-lab.sh --budget SECONDS    for all of it, 480; less time means fewer repetitions
#   bench/gpu-lab.sh --output FOLDER     writes there, not to bench/results/
#   bench/gpu-lab.sh --help              all options
#
# Ends with 0 when all hashes are the CPU's, or the device's grade says that they need not be; else with 1.
set -euo pipefail

repository=$(cd "$(dirname "$0")/.." && pwd)

# build: the program, and the machine model where there is one
build() {
    cmake --build --preset release --target tanda
    [ ! -d bench/gpu_model ] || cmake --build --preset release --target gpu_model
}

if [[ " $* " != *" --program"* && " $* " != *" --help "* ]]; then
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    echo "Building $repository/build-release/tanda" >&2
    (cd "$repository" && { [ -f build-release/build.ninja ] || cmake --preset release -DTANDA_BUILD_TESTS=OFF; } && build) \
        >"$log" 2>&1 || { tail -n 20 "$log" >&2; echo "gpu-lab: the program does not build" >&2; exit 1; }
    set -- --program "$repository/build-release/tanda" "$@"
fi
python3 -B "$repository/bench/gpu_lab.py" --spent "$SECONDS" "$@"
