#!/usr/bin/env python3
"""Two ranks of one thread beside one process of two threads, and what exact sums cost over MPI_Allreduce.

    python3 bench/hosts/ranks.py [--rounds 5] [--build build-release] [--mpi openmpi]

Both do the same training in turn, round by round, and the medians of the rounds' ratios are told: 1 is as fast, more is
faster. The second table has the exchange of a step (exchange_MPI, to be built) beside MPI_Allreduce of the same
gradients, as parts of the step of two ranks. Some two minutes on two quiet cores.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

# What is trained, its parameters, and the options.
WORKLOADS = [
    ("784-512-512-10, batch 4,096", 669706,
     "synthetic:blobs,rows=16384,features=784,classes=10 --hidden 512,512 --batch 4096 --epochs 8"),
    ("1M x 28 logistic, full batch", 29,
     "synthetic:logistic,rows=1000000,features=28 --batch full --epochs 200 --report-every 200"),
    ("784-128-10, batch 1,024", 101770,
     "synthetic:blobs,rows=32768,features=784,classes=10 --hidden 128 --batch 1024 --epochs 12"),
]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--build", default="build-release")
    parser.add_argument("--mpi", choices=["openmpi", "mpich"], default="openmpi")
    return parser.parse_args()


def launcher(mpi):
    if mpi == "mpich":
        return ["mpirun.mpich", "-np", "2"]
    return ["mpirun.openmpi", "--oversubscribe", "--bind-to", "none", "-np", "2"]


def output_of(command):
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def train(arguments, options, ranks):
    """Seconds of a step, and the hash of the weights."""
    device = ["--device", f"cpu,threads={2 // ranks}", "--json"]
    start = launcher(arguments.mpi) if ranks > 1 else []
    told = json.loads(output_of(start + [f"{arguments.build}/tanda", "train"] + options.split() + device))
    return told["seconds"]["train"] / told["steps"], told["weights_sha256"]


def compare(arguments, options):
    """Medians: seconds of a step alone and by ranks, and how many times as fast ranks are."""
    alone, shared = [], []
    for _ in range(arguments.rounds):
        one, several = train(arguments, options, 1), train(arguments, options, 2)
        if one[1] != several[1]:
            sys.exit(f"{options}: {one[1]} alone, {several[1]} by ranks")
        alone.append(one[0])
        shared.append(several[0])
    ratios = [one / several for one, several in zip(alone, shared)]
    return statistics.median(alone), statistics.median(shared), statistics.median(ratios)


def exchanges(arguments):
    """Of each number of parameters: seconds of the exchange, and of MPI_Allreduce."""
    program = f"{arguments.build}/exchange_{arguments.mpi}"
    told = output_of(launcher(arguments.mpi) + [program] + [str(count) for _, count, _ in WORKLOADS])
    rows = [line.split() for line in told.splitlines() if line.split()[0].isdigit() and "us" in line]
    return {int(row[0]): (1e-6 * float(row[1]), 1e-6 * float(row[3])) for row in rows}


def main():
    arguments = parse_arguments()
    print("| training | one process, two threads | two ranks of one thread | as fast |\n|---|--:|--:|--:|")
    steps = {}
    for name, parameters, options in WORKLOADS:
        alone, shared, ratio = compare(arguments, options)
        steps[parameters] = shared
        print(f"| {name} | {1e3 * alone:.2f} ms | {1e3 * shared:.2f} ms | {ratio:.2f} |", flush=True)
    print("\n| training | exchange of a step | MPI_Allreduce | more, of a step |\n|---|--:|--:|--:|")
    measured = exchanges(arguments)
    for name, parameters, _ in WORKLOADS:
        exact, free = measured[parameters]
        part = (exact - free) / steps[parameters]
        print(f"| {name} | {1e6 * exact:.0f} us | {1e6 * free:.0f} us | {100 * part:.1f} % |")


if __name__ == "__main__":
    main()
