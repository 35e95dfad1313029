"""L-BFGS against scikit-learn's: logistic regression of 1M x 28 rows with an l2 of 1 / n, from files to the optimum.

Run with the Python of bench/peers.sh's environment: .venv/bin/python bench/lbfgs.py [build-release/tanda]
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.pop(name, None)

import numpy
from safetensors.numpy import load_file
from sklearn.linear_model import LogisticRegression

ROWS, FEATURES, REPEATS, TOLERANCE = 1_000_000, 28, 5, 1e-6


def tanda_times(program, folder):
    """Seconds of training, as tanda tells them, and the wall time of the whole command."""
    begin = time.perf_counter()
    done = subprocess.run(
        [program, "train", "--device", "cpu", "--data", f"{folder}/x.npy", "--labels", f"{folder}/y.npy",
         "--optimizer", "lbfgs", "--l2", repr(1 / ROWS), "--tolerance", repr(TOLERANCE), "--quiet", "--json",
         "--output", f"{folder}/m.safetensors"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["seconds"]["train"], time.perf_counter() - begin


def largest_derivative(rows, labels, weight, bias):
    rest = 1 / (1 + numpy.exp(-(rows.astype(float) @ weight + bias))) - labels
    return max(abs(rows.T.astype(float) @ rest / ROWS + weight / ROWS).max(), abs(rest.mean()))


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "build-release/tanda"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "generate", "logistic", "--rows", str(ROWS), "--features", str(FEATURES),
                        "--output", f"{folder}/x.npy", "--labels", f"{folder}/y.npy", "--quiet"],
                       check=True, stdout=subprocess.DEVNULL)
        rows, labels = numpy.load(f"{folder}/x.npy"), numpy.load(f"{folder}/y.npy")
        rows = ((rows - rows.mean(0, dtype=float)) / rows.std(0, dtype=float)).astype(numpy.float32)
        ours, whole, theirs = [], [], []
        for _ in range(REPEATS):
            train, command = tanda_times(program, folder)
            begin = time.perf_counter()
            peer = LogisticRegression(C=1.0, tol=TOLERANCE, max_iter=1000).fit(rows, labels)
            theirs.append(time.perf_counter() - begin)
            ours.append(train)
            whole.append(command)
        model = load_file(f"{folder}/m.safetensors")
    weight, bias = model["0.weight"].ravel().astype(float), float(model["0.bias"][0])
    print(f"tanda        {statistics.median(ours) * 1e3:7.1f} ms of training, "
          f"{statistics.median(whole) * 1e3:.0f} ms with start, loading and scaling; "
          f"largest derivative {largest_derivative(rows, labels, weight, bias):.2g}")
    print(f"scikit-learn {statistics.median(theirs) * 1e3:7.1f} ms of fit; "
          f"largest derivative {largest_derivative(rows, labels, peer.coef_.ravel().astype(float), peer.intercept_[0]):.2g}")
    print(f"ratio {statistics.median(theirs) / statistics.median(ours):.1f}; "
          f"coefficients differ by {abs(weight - peer.coef_.ravel()).max():.1g} at most")


main()
