#!/bin/sh
# Makes ggml a peer of bench/peers.sh: takes its sources from PyPI (in llama-cpp-python's, 77 MB) and builds them for this
# machine, all in .ggml/. "bench/ggml.sh openblas" builds it with OpenBLAS. Other arguments go to cmake.
set -e
cd "$(dirname "$0")/.."
peer=ggml
if [ "$1" = openblas ]; then
    shift
    peer=ggml-openblas
    pip install --quiet --no-deps --upgrade --target .ggml/openblas scipy-openblas32==0.3.34.481.3
    openblas="$PWD/.ggml/openblas/scipy_openblas32"
    set -- -DGGML_BLAS=ON -DGGML_BLAS_VENDOR=OpenBLAS -DBLAS_LIBRARIES="$openblas/lib/libscipy_openblas.so" \
        -DBLAS_INCLUDE_DIRS="$openblas/include" -DCMAKE_BUILD_RPATH="$openblas/lib" \
        -DCMAKE_CXX_FLAGS="-Dcblas_sgemm=scipy_cblas_sgemm -Dopenblas_set_num_threads=scipy_openblas_set_num_threads" "$@"
fi
if ! [ -f .ggml/source/CMakeLists.txt ]; then
    mkdir -p .ggml/source
    pip download --quiet --no-binary :all: --no-deps --dest .ggml llama-cpp-python==0.3.36
    tar -xzf .ggml/llama_cpp_python-*.tar.gz -C .ggml/source --strip-components=4 --wildcards '*/vendor/llama.cpp/ggml/*'
    rm .ggml/llama_cpp_python-*.tar.gz
fi
cmake -S bench/ggml -B ".ggml/$peer" -DGGML_SOURCE="$PWD/.ggml/source" -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON \
    -DGGML_OPENMP=ON -DGGML_LLAMAFILE=ON -DGGML_ALL_WARNINGS=OFF "$@"
cmake --build ".ggml/$peer" --parallel 2
echo "now: bench/peers.sh --peers $peer --filter mlp/784-500-10"
