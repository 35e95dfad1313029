#!/bin/sh
# Makes ggml a peer of bench/peers.sh: takes its sources from PyPI (in llama-cpp-python's, 77 MB), builds them for this
# machine, and says how to run it. All in .ggml/. Arguments go to cmake, as -DGGML_BLAS=ON -DGGML_BLAS_VENDOR=OpenBLAS.
set -e
cd "$(dirname "$0")/.."
package=llama-cpp-python==0.3.36
if ! [ -f .ggml/source/CMakeLists.txt ]; then
    mkdir -p .ggml/source
    pip download --quiet --no-binary :all: --no-deps --dest .ggml "$package"
    tar -xzf .ggml/llama_cpp_python-*.tar.gz -C .ggml/source --strip-components=4 --wildcards '*/vendor/llama.cpp/ggml/*'
    rm .ggml/llama_cpp_python-*.tar.gz
fi
cmake -S bench/ggml -B .ggml/build -DGGML_SOURCE="$PWD/.ggml/source" -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON \
    -DGGML_OPENMP=ON -DGGML_ALL_WARNINGS=OFF "$@"
cmake --build .ggml/build --parallel 2
echo "now: bench/peers.sh --peers ggml --filter mlp/784-500-10"
