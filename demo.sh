#!/usr/bin/env bash
# Installs what is missing, builds, and shows the main job: networks train on real data on an OpenCL device and
# on plain cores, and end with the same bits.
set -euo pipefail
cd "$(dirname "$0")"
source .ci/packages.sh
.ci/install.sh "${build_packages[@]}"
tanda=build-release/tanda
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Without the tests, unless they are set up already.
build() {
    [ -f build-release/build.ninja ] || cmake --preset release -DTANDA_BUILD_TESTS=OFF
    cmake --build --preset release --target tanda
}
echo "Building $tanda"
build >"$folder/build.txt" 2>&1 || { cat "$folder/build.txt" >&2; exit 1; }

# value FILE KEY: one value of a JSON object on one line, as tanda writes it
value() {
    sed -n "s/.*\"$2\": \"\{0,1\}\([^\",}]*\).*/\1/p" "$1"
}

rows=()
equal=yes

# train NAME OPTION...: on OpenCL with its progress, on OpenMP quietly
train() {
    local name=$1 device hashes=()
    shift
    for device in opencl cpu; do
        local quiet=()
        [ "$device" = cpu ] && quiet=(--quiet)
        "$tanda" train "$@" --device "$device" --require-device --json "${quiet[@]}" \
            --output "$folder/$name.safetensors" >"$folder/result.json"
        local hash seconds
        hash=$(value "$folder/result.json" weights_sha256)
        seconds=$(value "$folder/result.json" train)
        rows+=("$(printf '%-22s %-8s %8.4f %9.3f  %s' "$name" "$(value "$folder/result.json" backend)" \
            "$(value "$folder/result.json" "${accuracy_key:-accuracy}")" "$seconds" "$hash")")
        hashes+=("$hash")
    done
    [ "${hashes[0]}" = "${hashes[1]}" ] || equal=no
}

echo; echo "== Devices"
"$tanda" devices

echo; echo "== The perceptron of one variable: do hours of study tell who passes?"
train perceptron --data datasets/perceptron.csv --scale none --batch full --epochs 1000 --learning-rate 0.5 \
    --report-every 250
"$tanda" inspect "$folder/perceptron.safetensors" | sed -n '/^Weights/,$p'

echo; echo "== Logistic regression: 30 measurements of 569 tumours, a fifth held out"
accuracy_key=val_accuracy train logistic_regression --data datasets/breast_cancer.csv --validation 0.2 --epochs 50 \
    --report-every 10

echo; echo "== A deep network: 1,797 handwritten digits of 8 x 8 pixels, a fifth held out"
accuracy_key=val_accuracy train deep_network --data datasets/digits.csv --validation 0.2 --hidden 64,32 \
    --activation relu --epochs 40 --report-every 10

echo; echo "== The same weights on both"
printf '%-22s %-8s %8s %9s  %s\n' training backend accuracy seconds weights_sha256
printf '%s\n' "${rows[@]}"
if [ "$equal" = yes ]; then
    echo "Every training ended with the same bits on OpenCL and on OpenMP."
else
    echo "The weights differ: this should never happen; please report it." >&2
    exit 1
fi
