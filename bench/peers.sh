#!/bin/sh
# PyTorch, NumPy, JAX and scikit-learn on tanda's workloads, in turn with tanda. The first call makes .venv/ and
# downloads some 3 GB. Arguments go to peers.py (--help lists them).
set -e
cd "$(dirname "$0")/.."
if ! .venv/bin/python -c 'import numpy, safetensors' 2> /dev/null; then
    python3 -m venv .venv
    .venv/bin/pip install --quiet numpy safetensors scikit-learn jax torch
fi
# Peers run at their best: nothing that holds them to fewer threads or to another processor's code.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE OPENBLAS_NUM_THREADS OMP_NUM_THREADS MKL_NUM_THREADS MKL_DEBUG_CPU_TYPE \
    ATEN_CPU_CAPABILITY ONEDNN_MAX_CPU_ISA DNNL_MAX_CPU_ISA NPY_DISABLE_CPU_FEATURES
exec .venv/bin/python bench/peers.py "$@"
