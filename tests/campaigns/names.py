"""
Random pairs of options that name files, among links, devices, pipes and folders of a folder of their own: no input
changes, no device is replaced, and nothing is lost.
"""
import json
import os
import pathlib
import random
import shutil
import stat
import tempfile
import threading
from dataclasses import dataclass

import judge

TIMEOUT = 20
CPU = "--device cpu --threads 2 --quiet"

# The options that take a file: those that read it, and those that write it.
READS = {"--data", "--labels", "--validation", "--validation-labels", "--init", "--config", "--resume"}
KEPT = {"--data", "--labels", "--validation", "--validation-labels"}  # what no output may be
LOGS = {"--log", "--csv-log"}
TRAIN = {"--data": "data.csv", "--output": None, "--validation": None, "--labels": None, "--validation-labels": None,
         "--checkpoint": None, "--log": None, "--csv-log": None, "--init": None, "--config": None, "--resume": None}
# A command, and what its options are where the pair has nothing else; None: not given.
COMMANDS = {
    "train": ("train --epochs 2", TRAIN),
    "record": ("record --epochs 1", {"--data": "data.csv", "--output": "new.json", "--config": None, "--labels": None,
                                     "--validation": None, "--init": None}),
    "generate": ("generate moons --rows 20", {"--output": "new.npy", "--labels": None}),
    "lab": ("lab lab.json", {"--output": "new.html", "--json-file": None, "--csv": None}),
    "bench": ("bench --filter ^nothing$ --skip-limits", {"--output": None}),
}
NAMES = ["data.csv", "hard.csv", "link.csv", "./folder/../data.csv", "x.npy", "y.npy", "validation.csv",
         "model.safetensors", "hard.safetensors", "link.safetensors", "folder/../model.safetensors", "config.json",
         "half.safetensors", "halves", "half-link.safetensors", "null", "null-link", "pipe", "folder",
         "folder-link", "folder-link/new.safetensors", "dangling.safetensors", "missing/new.safetensors",
         "new.safetensors", "./new.safetensors", "folder/../new.safetensors", "new.csv", "readonly.safetensors",
         "other.txt", "hard-other.txt", "", "n" * 250 + ".safetensors", "/dev/null/x"]
TABLES = ["data.csv", "hard.csv", "link.csv", "./folder/../data.csv", "validation.csv"]
MODELS = ["model.safetensors", "hard.safetensors", "link.safetensors", "folder/../model.safetensors"]
# What an option can read.
FITTING = {"--data": [*TABLES, "x.npy"], "--validation": TABLES, "--labels": ["y.npy"],
           "--validation-labels": ["y.npy"], "--init": MODELS, "--config": ["config.json", *MODELS],
           "--resume": ["half.safetensors", "half-link.safetensors", "halves", "./halves"]}
PLAIN = [*NAMES[:15], "new.safetensors", "new.csv", "./new.safetensors", "readonly.safetensors", "other.txt",
         "hard-other.txt"]


@dataclass
class Entry:
    """What a name is: type and rights, what a link or device names, the number of its inode, and its bytes."""
    mode: int
    target: object
    inode: int
    data: bytes

    @staticmethod
    def of(path):
        found = os.lstat(path)
        link = os.readlink(path) if stat.S_ISLNK(found.st_mode) else None
        data = pathlib.Path(path).read_bytes() if stat.S_ISREG(found.st_mode) else None
        return Entry(found.st_mode, link if link is not None else found.st_rdev, found.st_ino, data)


def make_stage(stage, options, environment):
    """Every kind of thing that a name can be."""
    def tell(arguments):
        outcome = judge.run([options.tanda, *arguments.split()], stage, environment)
        if outcome.code != 0:
            raise SystemExit(f"tanda {arguments}: exit {outcome.code}: {outcome.err}")
    stage.mkdir()
    shutil.copy(options.root / "datasets" / "iris.csv", stage / "data.csv")
    shutil.copy(options.root / "datasets" / "iris.csv", stage / "validation.csv")
    tell(f"train --data data.csv --epochs 1 --output model.safetensors {CPU}")
    tell("generate moons --rows 30 --output x.npy --labels y.npy --quiet")
    tell(f"train --data data.csv --epochs 3 --checkpoint halves --checkpoint-every 1 {CPU}")
    steps = sorted((stage / "halves").glob("step-*"))
    for path in steps[1:]:
        path.unlink()
    shutil.copy(steps[0], stage / "half.safetensors")
    shutil.copy(stage / "model.safetensors", stage / "readonly.safetensors")
    (stage / "own.json").write_text('[{"name": "mine", "rows": 64, "units": [4, 3]}]')
    tell("lab --seconds 0.001 --workloads own.json --device cpu,threads=1 --json-file lab.json --quiet")
    (stage / "config.json").write_text('{"epochs": 3}\n')
    (stage / "other.txt").write_text("an earlier file\n")


def lay_out(stage, folder):
    """A copy of the stage; links, devices and pipes are made where they stand."""
    shutil.copytree(stage, folder, dirs_exist_ok=True)
    (folder / "folder").mkdir()
    (folder / "readonly.safetensors").chmod(0o444)
    for name, old in {"hard.csv": "data.csv", "hard.safetensors": "model.safetensors",
                      "hard-other.txt": "other.txt"}.items():
        os.link(folder / old, folder / name)
    for name, target in {"link.csv": "data.csv", "link.safetensors": "model.safetensors", "folder-link": "folder",
                         "half-link.safetensors": "half.safetensors", "dangling.safetensors": "nowhere.safetensors",
                         "null-link": "null"}.items():
        os.symlink(target, folder / name)
    os.mkfifo(folder / "pipe")
    try:
        os.mknod(folder / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        os.mkfifo(folder / "null")  # only root makes devices


def draw(source):
    command = source.choice(["train"] * 12 + ["record"] * 3 + ["generate"] * 3 + ["bench", "lab"])
    words, usual = COMMANDS[command]
    pair = source.sample(sorted(usual), min(2, len(usual)))
    named = {option: name for option, name in usual.items() if name is not None}
    for option in pair:
        reads = option in FITTING and command != "generate"
        choice = NAMES if source.random() < 0.4 else FITTING[option] if reads else PLAIN
        named[option] = source.choice(choice)
    if source.random() < 0.3:  # two ways to one file are rare by chance
        named[pair[-1]] = named[pair[0]]
    if "--labels" in pair and command != "generate" and "--data" not in pair:
        named["--data"] = "x.npy"
    if "--resume" in named and "--data" not in pair:
        del named["--data"]
    if {"--validation-labels", "--validation"} & named.keys() == {"--validation-labels"}:
        named.update({"--data": "x.npy", "--labels": named.get("--labels", "y.npy"), "--validation": "x.npy"})
    return command, words, named


def place_of(folder, name):
    """The same for two names of one file: device and inode; of what is not there yet, the folder's and the name."""
    path = os.path.realpath(folder / name) if name else ""
    try:
        found = os.stat(path)
        return found.st_dev, found.st_ino
    except (OSError, ValueError):
        pass
    try:
        found = os.stat(os.path.dirname(path))
        return found.st_dev, found.st_ino, os.path.basename(path)
    except (OSError, ValueError):
        return (path,)


def can_be_regular(path):
    """It is a regular file, or could be made as one."""
    if os.path.exists(path):
        return os.path.isfile(path)
    path = os.path.realpath(path)
    return os.path.isdir(os.path.dirname(path)) and len(os.path.basename(path)) < 256


class Case:
    def __init__(self, number, options, stage, environment):
        self.number, self.options, self.stage, self.environment = number, options, stage, environment
        self.command, words, self.named = draw(random.Random(f"{options.seed} {number}"))
        pairs = [part for option, name in self.named.items() for part in (option, name)]
        self.arguments = [options.tanda, *words.split(), *pairs, *CPU.split()]

    def reads(self, option):
        return option in READS and not (self.command == "generate" and option == "--labels")

    def survey(self):
        """What each option's name means, before the run."""
        self.before = {name: Entry.of(self.folder / name) for name in judge.entries(self.folder)}
        self.places = {option: place_of(self.folder, name) for option, name in self.named.items()}
        self.regular = {option for option, name in self.named.items() if name and can_be_regular(self.folder / name)}
        self.outputs = {option for option in self.named if not self.reads(option)}
        if self.named.get("--resume") and "--checkpoint" not in self.named:
            self.outputs.add("--resume")  # it goes on saving there

    def must_refuse(self):
        """Why this is wrong usage, or nothing. What --resume names may also be no checkpoint, which is told first."""
        writers = sorted((self.outputs & self.regular) - {"--resume"})
        for index, one in enumerate(writers):
            for other in sorted((self.named.keys() & KEPT & self.regular) - self.outputs):
                if self.places[one] == self.places[other]:
                    return f"{one} is {other}"
            for other in writers[index + 1:]:
                if self.places[one] == self.places[other]:
                    return f"{one} is {other}"
        return ""

    def may_write(self, name):
        if name.endswith("/best.safetensors") and self.inside_output(name):
            return True
        entry = self.before[name]
        inodes = {(os.stat(self.folder).st_dev, entry.inode)}
        return any(self.places[option] in inodes for option in self.outputs)

    def inside_output(self, name):
        """Of a folder of checkpoints."""
        folder = place_of(self.folder, os.path.dirname(name))
        return any(self.places[option] == folder for option in self.outputs & {"--checkpoint", "--resume"})

    def judge_entry(self, name, code):
        old, path = self.before[name], self.folder / name
        if not os.path.lexists(path):
            if not (self.inside_output(name) and code in (0, 130)):
                yield f"{name} is gone"
            return
        new = Entry.of(path)
        if (new.mode, new.target) != (old.mode, old.target):
            yield f"{name} was {stat.filemode(old.mode)} {old.target}, is {stat.filemode(new.mode)} {new.target}"
        elif new.data != old.data and not (self.may_write(name) and code in (0, 130)):
            logged = any(self.places[option][-1] == old.inode for option in self.outputs & LOGS)
            if code == 2 or not logged:
                yield f"{name} changed"

    def judge_output(self, option):
        """After exit 0: what it should be, in the form of its reader."""
        path = self.folder / self.named[option]
        if not path.exists() or (option == "--checkpoint" and path.is_dir()):
            yield from [] if path.exists() else [f"exit 0, and {option} {path.name} is not there"]
        elif path.is_file() and option == "--output" and self.command == "train" or option == "--checkpoint":
            found = judge.run([self.options.tanda, "inspect", str(path)], "/", self.environment)
            if path.is_file() and found.code != 0:
                yield f"exit 0, and {option}: {found.err.strip()}"
        elif path.is_file() and self.command == "record" and option == "--output":
            yield from [] if json.loads(path.read_text()) else ["the golden file is empty"]
        elif path.is_file() and self.command == "generate":
            yield from [] if path.read_bytes().startswith(b"\x93NUMPY") else [f"{option} is no .npy file"]

    def judge(self, outcome):
        yield from judge.contract(outcome)
        refusal = self.must_refuse()
        # What --config holds is read before the options are known.
        if refusal and outcome.code != 2 and not (outcome.code == 3 and "--config" in self.named):
            yield f"{refusal}, but exit {outcome.code}"
        for name in sorted(self.before):
            yield from self.judge_entry(name, outcome.code)
        for name in sorted(judge.entries(self.folder) - self.before.keys()):
            if outcome.code == 2 or "unfinished" in name:
                yield f"exit {outcome.code}, it leaves {name}"
        readonly = os.stat(self.folder / "readonly.safetensors").st_ino
        for option in sorted(self.outputs):
            if self.places[option][-1] == readonly and outcome.code == 0:
                yield f"exit 0, but the owner may not write {option}"
        if outcome.code == 0:
            for option in sorted(self.outputs & self.regular - LOGS - {"--resume"}):
                yield from self.judge_output(option)

    def run(self):
        with tempfile.TemporaryDirectory() as name:
            self.folder = pathlib.Path(name)
            lay_out(self.stage, self.folder)
            self.survey()
            # Who writes to a pipe waits for a reader, and who reads for a writer, that says nothing.
            pipe = os.path.realpath(self.folder / "pipe")
            written = any(os.path.realpath(self.folder / self.named[option]) == pipe for option in self.outputs)
            reader = os.open(self.folder / "pipe", os.O_RDONLY | os.O_NONBLOCK) if written else None
            silent = threading.Thread(target=say_nothing, args=(self.folder / "pipe",), daemon=True)
            silent.start()
            outcome = judge.run(self.arguments, self.folder, self.environment, TIMEOUT)
            found = list(self.judge(outcome))
            os.close(os.open(self.folder / "pipe", os.O_RDONLY | os.O_NONBLOCK))
            silent.join(1)
            if reader is not None:
                os.close(reader)
        words = " ".join(word if word else "''" for word in ["tanda", *self.arguments[1:]])
        return f"--case {self.number}", [f"{'; '.join(found)}: {words}"] if found else [], outcome, ""


def say_nothing(pipe):
    """Ends a pipe as soon as somebody reads it."""
    os.close(os.open(pipe, os.O_WRONLY))


def campaign(options, folder, pool):
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("TANDA_", "OMP_", "GOMP_", "LD_"))}
    (folder / "no-drivers").mkdir()
    environment = {**kept, "TANDA_CACHE_DIR": "", "LC_ALL": "C", "OCL_ICD_VENDORS": str(folder / "no-drivers")}
    make_stage(folder / "stage", options, environment)
    numbers = range(options.sample or 1000) if options.case is None else [options.case]
    return pool.imap_unordered(lambda number: Case(number, options, folder / "stage", environment).run(), numbers)
