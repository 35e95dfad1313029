#!/bin/sh
# Downloads MNIST's four IDX files (packed by gzip, 11 MB) into a folder and checks what is in them.
#   ./fetch_mnist.sh [FOLDER]        default: mnist, beside this script
# MNIST_MIRROR=URL takes the files from another place.
set -eu

folder=${1:-$(dirname "$0")/mnist}
mirror=${MNIST_MIRROR:-https://storage.googleapis.com/cvdf-datasets/mnist}
part=
trap '[ -z "$part" ] || rm -f "$part"' EXIT
mkdir -p "$folder"

# The files themselves are packed differently on every mirror: the sums are of their contents.
check() { # FILE SUM
    [ "$(gzip -dc "$1" 2>/dev/null | sha256sum | cut -d ' ' -f 1)" = "$2" ]
}

while read -r sum name; do
    target=$folder/$name.gz
    if [ -f "$target" ] && check "$target" "$sum"; then
        echo "$target: already there"
        continue
    fi
    part=$target.part
    curl --fail --location --silent --show-error --retry 3 --output "$part" "$mirror/$name.gz"
    if ! check "$part" "$sum"; then
        echo "$name.gz from $mirror: its contents do not have the SHA-256 $sum" >&2
        exit 1
    fi
    mv "$part" "$target"
    part=
    echo "$target: downloaded and checked"
done <<END
ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db train-images-idx3-ubyte
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5 train-labels-idx1-ubyte
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7 t10k-images-idx3-ubyte
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2 t10k-labels-idx1-ubyte
END
