#!/usr/bin/env python3
"""How fast rows beyond memory are trained on: held against reading their file, against the step in memory, and, of
synthetic rows, against making them and training on them one after the other.

    bench/stream.py [--program build-release/tanda] [--rows 4000000] [--features 16 28 100] [--folder FOLDER]

writes .npy files of so many rows into FOLDER (removed afterwards), and measures in turn, --rounds times:

  disk     reading the file past the system's memory, four reads of 8 MiB at a time
  memory   an epoch over rows that were loaded
  cold     an epoch over rows that are streamed, --memory being a tenth of the file, of whose bytes the system has none
  warm     the same with all of them in the system's memory

A ratio is that of one round; the table has medians. The goal is 1.10 for cold / max(disk, memory). Times of an epoch are
those of trainings of --epochs epochs, but for `cold`, which has one. Synthetic rows are made alone (`tanda bench`), trained
on in memory, and streamed; a ratio is the seconds of the first two by those of the third. The goal is 0.90.
"""
import argparse
import json
import mmap
import os
import statistics
import subprocess
import tempfile
import threading
import time

PIECE = 8 << 20


def forget(path):
    """The system is to have nothing of the file in its memory."""
    file = os.open(path, os.O_RDONLY)
    os.fsync(file)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(file)


def remember(path):
    with open(path, "rb") as file:
        while file.read(PIECE):
            pass


def read_seconds(path):
    """Of the disk at its best: four threads, each with a read of its own under way."""
    file = os.open(path, os.O_RDONLY | os.O_DIRECT)
    places = iter(range(0, os.path.getsize(path), PIECE))
    lock = threading.Lock()

    def work():
        buffer = mmap.mmap(-1, PIECE)
        while True:
            with lock:
                place = next(places, None)
            if place is None:
                return
            os.preadv(file, [buffer], place)

    threads = [threading.Thread(target=work) for _ in range(4)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - begin
    os.close(file)
    return seconds


def train(options, *arguments):
    command = [options.program, "train", "--scale", "none", "--device", "cpu", "--quiet", "--json", *arguments]
    made = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ | {"TANDA_CACHE_DIR": ""})
    return json.loads(made.stdout)


def epoch_seconds(options, *arguments):
    return train(options, *arguments, "--epochs", str(options.epochs))["seconds"]["train"] / options.epochs


def print_row(*cells):
    print("".join(f"{cell:>12.3f}" if isinstance(cell, float) else f"{cell:>12}" for cell in cells), flush=True)


def median(rounds, name):
    return statistics.median(of[name] for of in rounds)


def measure_file(options, folder, features):
    data, labels = (os.path.join(folder, name) for name in ("features.npy", "labels.npy"))
    subprocess.run([options.program, "generate", "logistic", "--rows", str(options.rows), "--features", str(features),
                    "--output", data, "--labels", labels, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    files, memory = (data, labels), str(os.path.getsize(data) // 10)
    for order in options.orders:
        arguments = [data, "--labels", labels, "--shuffle", order, "--batch", str(options.batch)]
        rounds = []
        for _ in range(options.rounds):
            of = {}
            for file in files:
                forget(file)
            of["disk"] = read_seconds(data)
            for file in files:
                forget(file)
            cold = train(options, *arguments, "--memory", memory, "--epochs", "1")["seconds"]
            of["cold"], of["load"] = cold["train"], cold["load"]
            for file in files:
                remember(file)
            of["warm"] = epoch_seconds(options, *arguments, "--memory", memory)
            of["memory"] = epoch_seconds(options, *arguments)
            of["ratio"] = of["cold"] / max(of["disk"], of["memory"])
            of["warm ratio"] = of["warm"] / max(of["disk"], of["memory"])
            rounds.append(of)
        names = ("disk", "memory", "cold", "warm", "load", "ratio", "warm ratio")
        print_row(features, order, *(median(rounds, name) for name in names))
    for file in files:
        os.remove(file)


def measure_making(options, features):
    source = f"synthetic:logistic,rows={options.rows},features={features}"
    memory = str(options.rows * features * 4 // 10)
    for batch in (str(options.batch), "full"):
        arguments = [source, "--shuffle", "none", "--batch", batch]
        rounds = []
        for _ in range(options.rounds):
            of = {"trained": epoch_seconds(options, *arguments)}
            of["made"] = made_seconds(options, features)
            of["streamed"] = epoch_seconds(options, *arguments, "--memory", memory)
            of["ratio"] = (of["made"] + of["trained"]) / of["streamed"]
            rounds.append(of)
        print_row(features, batch, *(median(rounds, name) for name in ("made", "trained", "streamed", "ratio")))


def made_seconds(options, features):
    """By the rate of `tanda bench`, which makes them by all cores, into their caches."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        name = f"synthetic/logistic/{features}/normal"
        subprocess.run([options.program, "bench", "--device", "cpu", "--filter", f"^{name}$", "--min-time", "0.05",
                        "--output", file.name], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        figures = json.load(open(file.name))["benchmarks"]
    of = next(figure for figure in figures if figure["name"] == f"{name}/cpu_median")
    return options.rows / of["rows"] * of["real_time"] / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build-release/tanda")
    parser.add_argument("--rows", type=int, default=4_000_000)
    parser.add_argument("--features", type=int, nargs="+", default=[16, 28, 100])
    parser.add_argument("--orders", nargs="+", default=["none", "window"])
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", help="where the files are written; default: where temporary files are")
    parser.add_argument("--only", choices=["files", "making"])
    options = parser.parse_args()
    if options.only != "making":
        print_row("features", "order", "disk s", "memory s", "cold s", "warm s", "load s", "ratio", "warm ratio")
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            for features in options.features:
                measure_file(options, folder, features)
    if options.only != "files":
        print_row("features", "batch", "made s", "memory s", "streamed s", "ratio")
        for features in options.features:
            measure_making(options, features)


if __name__ == "__main__":
    main()
