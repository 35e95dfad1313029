#!/usr/bin/env bash
# Installs Intel's OpenCL runtime for CPUs (PyPI, some 800 MB) into a virtual environment, and makes a folder that names
# it beside the OpenCL drivers of the system. Needs python3-venv, and neither root nor a GPU. To use it in a shell:
#
#   eval "$(bench/install_intel_opencl.sh)"
#   tanda devices
#
# The environment is .venv/ beside the source, or the folder given as argument. Running it again installs nothing.
set -euo pipefail

cd "$(dirname "$0")/.."
environment=$(realpath -m "${1:-.venv}")
version=2026.2.0
system=${OCL_ICD_VENDORS:-/etc/OpenCL/vendors}

fail() {
    echo "install_intel_opencl: $*" >&2
    exit 1
}

[ "$(uname -sm)" = "Linux x86_64" ] || fail "Intel's runtime is there for Linux on x86-64 only"
if [ ! -x "$environment/bin/pip" ]; then
    python3 -m venv "$environment" >&2 || fail "no virtual environment (Debian package python3-venv)"
fi
if [ ! -e "$environment/lib/libintelocl.so" ]; then
    "$environment/bin/pip" install --quiet --disable-pip-version-check \
        "intel-opencl-rt==$version" "intel-cmplr-lib-rt==$version" >&2 || fail "pip could not install intel-opencl-rt"
fi
[ -e "$environment/lib/libintelocl.so" ] || fail "$environment/lib/libintelocl.so is not there after installing"

vendors=$environment/opencl_vendors
mkdir -p "$vendors"
if [ -d "$system" ] && [ "$(realpath "$system")" != "$(realpath "$vendors")" ]; then
    find "$vendors" -name '*.icd' -delete
    find "$system/" -name '*.icd' -exec cp {} "$vendors" \;
fi
echo "$environment/lib/libintelocl.so" >"$vendors/intel.icd"

printf 'export OCL_ICD_VENDORS=%q\n' "$vendors"
printf 'export LD_LIBRARY_PATH=%q%s\n' "$environment/lib" '${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}'
