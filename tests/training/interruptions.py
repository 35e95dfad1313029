#!/usr/bin/env python3
"""Interrupts trainings at random points and goes on elsewhere, until each ends: the bits must be those of one go.

    tests/training/interruptions.py [--points 100] [--tanda build-release/tanda] [--seed 0]
    tests/training/interruptions.py --streamed [--points 50]
    tests/training/interruptions.py --bursts 40 --timeouts 80

Each training is first done without interruption. Then it is started and, after a random time, ended by SIGINT, SIGTERM
or SIGKILL, and resumed with --resume on a machine drawn anew: another backend, thread count or instruction set. Checked
are the exit codes, that no checkpoint which was announced or seen before is lost, and in the end weights_sha256. It is no
part of ctest, as it takes minutes; tests/training/test_checkpoints.c does the same with ten points.

With --streamed the rows are more than --memory, each ending is a SIGKILL, of any rank where there are several, and the next
machine also has another --memory and number of ranks.

With --bursts or --timeouts, trainings are ended by so many bursts of signals within milliseconds, or by timeout(1), which
sends its signal twice: each must leave a whole checkpoint and exit with 130 (tests/program/test_signals.c has ten of each).
"""
import argparse
import collections
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DIGITS = str(ROOT / "datasets" / "digits.csv")

MACHINES = {
    "openmp, 1 thread": ["--device", "cpu", "--threads", "1"],
    "openmp, 2 threads": ["--device", "cpu", "--threads", "2"],
    "openmp, 3 threads": ["--device", "cpu", "--threads", "3"],
    "openmp, generic": ["--device", "cpu", "--isa", "generic"],
    "opencl": ["--device", "opencl"],
}

# Some 2 to 5 seconds each; a training whose options this version does not have is left out.
TRAININGS = {
    "adam, one-cycle, dropout": "--hidden 400,100 --batch 8 --optimizer adam --schedule one-cycle --dropout 0.2 "
                                "--learning-rate 0.002 --epochs 8",
    "l-bfgs": "--hidden 256,128 --optimizer lbfgs --tolerance 0 --l2 0.001 --validation 0.2 --epochs 150",
    "best kept": "--hidden 512,128 --batch 2 --validation 0.5 --patience 50 --epochs 8",
    "full batch": "--hidden 256,128 --batch full --validation 0.2 --epochs 150",
    "adam, plateau": "--hidden 300,100 --batch 8 --optimizer adam --schedule plateau --plateau-patience 1 "
                     "--validation 0.3 --learning-rate 0.002 --epochs 10",
    "momentum, step": "--hidden 400,100 --batch 8 --optimizer momentum --schedule step --decay-epochs 2 "
                      "--learning-rate 0.01 --epochs 8",
    "adamw, amsgrad, clipped": "--hidden 400,100 --batch 8 --optimizer adamw --amsgrad --clip-norm 0.5 --warmup-steps 700 "
                               "--learning-rate 0.002 --epochs 8",
    "no shuffle": "--hidden 400,200 --batch 16 --shuffle none --epochs 20",
    "rmsprop, class weights": "--hidden 400,100 --batch 8 --optimizer rmsprop --centered --class-weight balanced "
                              "--learning-rate 0.001 --epochs 8",
    "adagrad": "--hidden 400,100 --batch 8 --optimizer adagrad --learning-rate 0.01 --l2 0.0001 --epochs 8",
    "nesterov": "--hidden 400,100 --batch 8 --optimizer nesterov --learning-rate 0.01 --l1 0.00001 --epochs 8",
}

# Rows of some MiB, that a machine has so much memory for.
FILES = ["--data", "{folder}/rows.npy", "--labels", "{folder}/labels.npy"]
MADE = ["--data", "synthetic:blobs,rows=30011,features=40,classes=5"]
STREAMED = {
    "npy, no shuffle": (FILES, "--shuffle none --hidden 64 --batch 1500 --epochs 60 --optimizer adam"),
    "npy, windows": (FILES, "--shuffle window --shuffle-block 32 --shuffle-window 2048 --hidden 64 --batch 300 --epochs 40"),
    "synthetic, no shuffle": (MADE, "--shuffle none --hidden 64 --batch full --epochs 100 --validation 0.1"),
    "synthetic, windows": (MADE, "--shuffle window --shuffle-block 32 --shuffle-window 2048 --hidden 64 --batch 7000 "
                                 "--epochs 60 --dropout 0.2"),
}
MEMORIES = ["1300K", "2M", "3500K", "1G"]
RANKS = ["mpirun.openmpi", "--oversubscribe", "--bind-to", "none", "-np"]


class Failure(Exception):
    pass


def newest_step(folder):
    steps = [int(path.name[5:-12]) for path in folder.glob("step-*.safetensors")]
    return max(steps, default=0)


def hash_of(output):
    found = re.search(r"^weights_sha256: (\w+)$", output, re.M)
    if not found:
        raise Failure("no weights_sha256 in: " + output)
    return found.group(1)


def wait_for_training(process, log):
    """Until the banner's last line, as points before it would tell nothing."""
    while process.poll() is None and "\ntraining: " not in "\n" + log.read_text():
        time.sleep(0.005)


class Run:
    machines, signals = MACHINES, [signal.SIGKILL, signal.SIGINT, signal.SIGTERM]
    longest = 0.25  # of a leg, of the time in one go

    def __init__(self, tanda, folder, options, counts, random_source):
        self.tanda, self.folder, self.options = tanda, folder, options
        self.counts, self.random = counts, random_source
        self.kept = folder / "kept"
        self.log = folder / "stderr"

    def whole(self):
        machine = MACHINES["openmp, 2 threads"]
        begun = time.monotonic()
        done = subprocess.run([self.tanda, "train", *self.options, *machine, "--quiet"], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(done.stderr)
        return hash_of(done.stdout), time.monotonic() - begun

    def start(self, machine):
        where = "--resume" if newest_step(self.kept) > 0 else "--checkpoint"
        if where == "--checkpoint":
            shutil.rmtree(self.kept, ignore_errors=True)
        arguments = self.options if where == "--checkpoint" else []
        self.log.write_text("")
        with open(self.log, "w") as stderr, open(self.folder / "stdout", "w") as stdout:
            return self.launch([self.tanda, "train", *arguments, where, str(self.kept), "--checkpoint-every",
                                self.random.choice(["0.05s", "0.2s", "1"]), *self.machines[machine]], stdout, stderr)

    def launch(self, command, stdout, stderr):
        return subprocess.Popen(command, stdout=stdout, stderr=stderr)

    def end(self, process, number):
        """Sends the signal; the exit code, and what it may be."""
        process.send_signal(number)
        return process.wait(), [-signal.SIGKILL] if number == signal.SIGKILL else [130]

    def leg(self, longest):
        """Runs until a signal or the end; True when the training is done."""
        before = newest_step(self.kept)
        machine = self.random.choice(sorted(self.machines))
        number = self.random.choice(self.signals)
        process = self.start(machine)
        wait_for_training(process, self.log)
        time.sleep(self.random.uniform(0.0, longest))
        code, expected = self.end(process, number)
        log = self.log.read_text()
        after = newest_step(self.kept)
        announced = [int(step) for step in re.findall(r"^saved \S*step-(\d+)\.safetensors", log, re.M)]
        if after < max([before, *announced]):
            raise Failure(f"a checkpoint was lost: {after} after {before} and {announced}\n{log}")
        if code == 0:
            return True
        if code not in expected:
            raise Failure(f"exit {code} after {signal.Signals(number).name}:\n{log}")
        if code == 130 and f"step-{after:012d}.safetensors, --resume goes on from there" not in log:
            raise Failure(f"it does not say where it was saved:\n{log}")
        place = re.search(r"(\d+) steps? of \d+ rows per epoch", log)
        self.counts["points"] += 1
        self.counts[signal.Signals(number).name] += 1
        self.counts["on " + machine] += 1
        self.counts["inside of an epoch"] += bool(place and after % int(place.group(1)) != 0)
        return False


class StreamedRun(Run):
    """Of rows beyond memory, by one rank or several, of which one is killed."""

    signals, longest = [signal.SIGKILL], 0.5

    def start(self, machine):
        self.ranks = self.random.choice([1, 2, 3])
        memory = self.random.choice(MEMORIES)
        self.counts[f"on {self.ranks} ranks"] += 1
        self.counts["in " + memory] += 1
        self.machines = dict(MACHINES, **{machine: [*MACHINES[machine], "--memory", memory]})
        return super().start(machine)

    def launch(self, command, stdout, stderr):
        for path in self.folder.glob("pid.*"):
            path.unlink()
        environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
        if self.ranks > 1:
            told = f"echo $$ >{self.folder}/pid.$OMPI_COMM_WORLD_RANK; exec \"$0\" \"$@\""
            command = [*RANKS, str(self.ranks), "sh", "-c", told, *command]
        return subprocess.Popen(command, stdout=stdout, stderr=stderr, env=environment)

    def end(self, process, number):
        if self.ranks == 1 or process.poll() is not None:
            return super().end(process, number)
        killed = (self.folder / f"pid.{self.random.randrange(self.ranks)}").read_text()
        begun = time.monotonic()
        try:
            os.kill(int(killed), number)
        except ProcessLookupError:  # it has just ended
            pass
        code = process.wait()
        if time.monotonic() - begun > 10:
            raise Failure(f"ranks were left for {time.monotonic() - begun:.0f} s")
        return code, [128 + number, 1]


def streamed_run(tanda, folder, name, counts, source):
    data, options = STREAMED[name]
    subprocess.run([tanda, "generate", "blobs", "--rows", "30011", "--features", "40", "--classes", "5", "--quiet",
                    "--output", str(folder / "rows.npy"), "--labels", str(folder / "labels.npy")], check=True,
                   capture_output=True)
    return StreamedRun(tanda, folder, [word.format(folder=folder) for word in data] + options.split(), counts, source)


BURSTS = [(2, 0.0), (2, 0.0002), (2, 0.005), (5, 0.001)]  # signals, and seconds between two
ENDINGS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU]


def end_by_burst(command, log, index, random_source):
    with open(log, "w") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr)
    wait_for_training(process, log)
    time.sleep(random_source.uniform(0.05, 0.5))
    count, pause = BURSTS[index % len(BURSTS)]
    for _ in range(count):
        process.send_signal(random_source.choice(ENDINGS))
        time.sleep(pause)
    return process.wait()


def end_by_timeout(command, log, index, random_source):
    number = ["TERM", "INT", "HUP"][index % 3]
    with open(log, "w") as stderr:
        return subprocess.run(["timeout", "--preserve-status", "-s", number, f"{random_source.uniform(0.3, 0.6):.3f}", *command],
                              stdout=subprocess.DEVNULL, stderr=stderr).returncode


def repeated_signals(tanda, end, count, random_source):
    """Each of `count` trainings in a new file or folder is ended by `end`; fails at the first that left none."""
    for index in range(count):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            place = folder / ("c.safetensors" if index % 2 else "kept")
            log = folder.parent / (folder.name + ".log")
            command = [tanda, "train", "--data", DIGITS, "--hidden", "64", "--batch", "4", "--epochs", "1000000", "--device",
                       "cpu", "--checkpoint", str(place)]
            code = end(command, log, index, random_source)
            told, files = log.read_text(), [path for path in folder.rglob("*") if path.is_file()]
            log.unlink()
            whole = [subprocess.run([tanda, "evaluate", path, "--data", DIGITS, "--device", "cpu"], capture_output=True).returncode
                     for path in files]
            if code != 130 or not files or any(whole):
                sys.exit(f"FAILED: run {index}: exit {code}, {[path.name for path in files]}, exits {whole}:\n{told}")
    print(f"{count} trainings, {end.__name__.replace('_', ' ')}: exit 130 and a whole checkpoint each, nothing else left",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--tanda", default=str(ROOT / "build-release" / "tanda"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--streamed", action="store_true")
    parser.add_argument("--bursts", type=int, default=0)
    parser.add_argument("--timeouts", type=int, default=0)
    options = parser.parse_args()
    source = random.Random(options.seed)
    if options.bursts or options.timeouts:
        repeated_signals(options.tanda, end_by_burst, options.bursts, source)
        repeated_signals(options.tanda, end_by_timeout, options.timeouts, source)
        return
    counts, begun = collections.Counter(), time.monotonic()
    help_text = subprocess.run([options.tanda, "train", "--help"], capture_output=True, text=True).stdout
    trainings = {name: text.split() for name, text in TRAININGS.items()
                 if all(word in help_text for word in text.split() if word.startswith("--"))}
    if options.streamed:
        trainings = STREAMED
    for name in TRAININGS.keys() - trainings.keys() if not options.streamed else []:
        print(f"left out, this version lacks an option of it: {name}")

    done = 0
    while counts["points"] < options.points:
        name = list(trainings)[done % len(trainings)]
        with tempfile.TemporaryDirectory() as folder:
            if options.streamed:
                run = streamed_run(options.tanda, pathlib.Path(folder), name, counts, source)
            else:
                run = Run(options.tanda, pathlib.Path(folder), ["--data", DIGITS, *trainings[name]], counts, source)
            try:
                expected, seconds = run.whole()
                first = counts["points"]
                while not run.leg(run.longest * seconds):
                    pass
                found = hash_of((pathlib.Path(folder) / "stdout").read_text())
                if found != expected:
                    raise Failure(f"weights {found}, in one go {expected}")
            except Failure as failure:
                sys.exit(f"FAILED: {name}, after {counts['points']} points, seed {options.seed}: {failure}")
        done += 1
        print(f"{name}: {counts['points'] - first} interruptions, {seconds:.1f} s in one go, same weights "
              f"{expected[:16]}...", flush=True)
    print(f"{counts['points']} interruptions of {done} trainings in {time.monotonic() - begun:.0f} s: every hash equal, "
          f"no checkpoint lost")
    print(", ".join(f"{key} {value}" for key, value in sorted(counts.items()) if key != "points"))


if __name__ == "__main__":
    main()
