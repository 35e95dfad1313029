# What tanda needs on Debian 12, for building, running and testing.
build_packages=(gcc libc6-dev cmake ninja-build pkg-config ocl-icd-opencl-dev opencl-headers libclblast-dev
    pocl-opencl-icd libarchive-dev libjansson-dev nettle-dev zlib1g-dev)
test_packages=(libcriterion-dev librandom123-dev mesa-opencl-icd binutils clang-15 libclc-15 oclgrind g++ gnuplot-nox
    groff-base patch shellcheck zsh fish libopenmpi-dev openmpi-bin libmpich-dev mpich)
# What .ci/run needs besides.
ci_packages=(clang clang-format-14 libomp-dev)
