"""The campaigns of calls that fail: of memory, files and threads, and of OpenCL. The shim lets the N-th one fail."""
import collections
import json
import os
import pathlib
import random
import re
import shutil
import tempfile
from dataclasses import dataclass, field

import judge

CPU = "--device cpu --threads 2"
TRAIN = "train --data iris.csv --hidden 4 --epochs 2"

# Errors of OpenCL in turn: out of resources, of memory, of an allocation; no binary, no queue, no such size.
OPENCL_CALL = re.compile("cl[A-Z]")
OPENCL_CODES = [-5, -6, -4, -11, -36, -61]
MEMORY = {"malloc", "mmap", "thread"}
HARMLESS = {"short-read", "short-write"}  # a caller has to go on with the rest
INTERRUPTED = 4  # EINTR


@dataclass
class Command:
    """One command line. What it writes replaces what is there: model.safetensors, say, has another model before."""
    arguments: str
    outputs: tuple = ()  # the same bytes each time
    checkpoints: tuple = ()  # files or folders; any step of the training may be the last that was saved
    logs: tuple = ()
    before: dict = field(default_factory=dict)
    drivers: bool = False  # OpenCL's are there; then calls of libraries do not count, as drivers make millions
    per_stack: int = 0  # of each way to a call, so many calls; 0: all
    compiled: str = ""  # the folder that TANDA_CACHE_DIR names


EARLIER = {"model.safetensors": "earlier.safetensors"}

ALLOCATIONS = {
    "train": Command(f"{TRAIN} --validation 0.2 --optimizer adam --output model.safetensors {CPU}",
                     ("model.safetensors",), before=EARLIER),
    "train-lbfgs": Command("train --data iris.csv --hidden 3 --optimizer lbfgs --epochs 3 --l2 0.01 "
                           f"--class-weight balanced --json --output model.safetensors {CPU}",
                           ("model.safetensors",), before=EARLIER),
    "train-folds": Command(f"{TRAIN} --folds 2 --patience 2 --output model.safetensors {CPU}",
                           ("model.safetensors",), before=EARLIER),
    "train-columns": Command("train --data mixed.csv --categorical auto --missing mean --sample-weight weight "
                             f"--epochs 1 --unknown-category zero --output model.safetensors {CPU}",
                             ("model.safetensors",), before=EARLIER),
    "train-arrays": Command("train --data x.npy --labels y.npy --validation x.npy --validation-labels y.npy --epochs 1 "
                            f"--scale none --output model.safetensors {CPU}", ("model.safetensors",), before=EARLIER),
    "train-init": Command(f"train --config model.safetensors --init model.safetensors --output next.safetensors {CPU}",
                          ("next.safetensors",), before={"next.safetensors": "earlier.safetensors"}),
    "checkpoint": Command(f"{TRAIN} --optimizer momentum --checkpoint kept.safetensors --checkpoint-every 1 "
                          f"--log log.jsonl --csv-log log.csv {CPU}", (), ("kept.safetensors",),
                          ("log.jsonl", "log.csv")),
    "checkpoint-folder": Command(f"{TRAIN} --validation 0.2 --dropout 0.1 --patience 9 --checkpoint kept --keep 1 "
                                 f"--checkpoint-every 1 {CPU}", (), ("kept",)),
    "resume": Command(f"train --resume half.safetensors --output model.safetensors {CPU}", ("model.safetensors",),
                      ("half.safetensors",), before=EARLIER, per_stack=4),
    "resume-folder": Command(f"train --resume halves {CPU}", (), ("halves",), per_stack=2),
    "evaluate": Command(f"evaluate model.safetensors --data iris.csv {CPU}"),
    "evaluate-json": Command(f"evaluate model.safetensors --data iris.csv --json --top-k 2 {CPU}"),
    "predict": Command(f"predict model.safetensors --data iris.csv {CPU}"),
    "predict-columns": Command(f"predict columns.safetensors --data mixed.csv --top 1 {CPU}"),
    "verify": Command("verify --data iris.csv --hidden 4 --epochs 1 --against cpu,threads=1 " + CPU),
    "verify-json": Command(f"verify --data iris.csv --epochs 1 --against cpu,isa=generic --json {CPU}"),
    "record": Command(f"record --data iris.csv --hidden 4 --epochs 1 --output golden.json {CPU}", ("golden.json",),
                      before={"golden.json": "earlier.json"}),
    "verify-golden": Command(f"verify --golden golden.json {CPU}"),
    "trace": Command(f"trace --data iris.csv --hidden 2 --optimizer adam --l2 0.1 {CPU}"),
    "trace-page": Command(f"trace --data iris.csv --hidden 2 --json --language es --output page.html {CPU}", ("page.html",),
                          before={"page.html": "iris.csv"}),
    "surface": Command(f"surface --data iris.csv --hidden 2 --epochs 1 --grid 3 --optimizer sgd,lbfgs --json {CPU}"),
    "generate": Command("generate classification --rows 50 --test-rows 9 --features 3 --output new.npy --labels "
                        "newer.npy", ("new.npy", "newer.npy", "new-test.npy", "newer-test.npy"),
                        before={"new.npy": "x.npy", "newer.npy": "y.npy"}),
    "generate-shards": Command("generate classification --rows 50 --features 3 --shards 3 --output new",
                               ("new/meta.json",)),
    "inspect-data": Command("inspect iris.csv"),
    "inspect-shards": Command("inspect rows"),
    "train-shards": Command(f"train --data rows --epochs 1 --output model.safetensors {CPU}", ("model.safetensors",),
                            before=EARLIER),
    "inspect-data-json": Command("inspect mixed.csv --categorical auto --missing mean --json"),
    "inspect-model": Command("inspect columns.safetensors"),
    "inspect-model-json": Command("inspect model.safetensors --json"),
    "inspect-settings": Command("inspect model.safetensors --settings"),
    "devices": Command("devices"),
    "devices-json": Command("devices --json"),
    "bench": Command(f"bench --filter mlp/32-64 --repetitions 1 --min-time 0.001 --skip-limits --output b.json {CPU}",
                     logs=("b.json",), per_stack=1),
    "lab": Command("lab lab.json --csv lab.csv --json-file again.json", ("lab.csv", "again.json"),
                   before={"again.json": "lab.json"}),
    "lab-two": Command("lab lab.json lab.json --output both.html", ("both.html",), before={"both.html": "iris.csv"}),
    "train-opencl": Command(f"{TRAIN} --device opencl --output model.safetensors", ("model.safetensors",),
                            before=EARLIER, drivers=True, per_stack=1),
    "devices-opencl": Command("devices", drivers=True, per_stack=1),
}

OPENCL = {
    "train": Command(f"{TRAIN} --device opencl --optimizer adam --validation 0.2 --patience 2 --output "
                     "model.safetensors", ("model.safetensors",), before=EARLIER, drivers=True, per_stack=1),
    "train-checkpoint": Command(f"{TRAIN} --device opencl --checkpoint kept.safetensors --checkpoint-every 1", (),
                                ("kept.safetensors",), drivers=True, per_stack=1),
    "train-compiles": Command("train --data iris.csv --epochs 1 --device opencl", drivers=True, per_stack=1,
                              compiled="none"),
    "train-compiled": Command("train --data iris.csv --epochs 1 --device opencl", drivers=True, per_stack=1,
                              compiled="compiled"),
    "verify": Command("verify --data iris.csv --hidden 4 --epochs 1 --device opencl --against cpu", drivers=True,
                      per_stack=2),
    "evaluate": Command("evaluate model.safetensors --data iris.csv --device opencl", drivers=True, per_stack=1),
    "devices": Command("devices", drivers=True, per_stack=1),
}

# Not there without the fault, but right: of a training that ended before its last step; of a device named otherwise; of
# shards that are to be gone on with.
RIGHT = re.compile(r"/((step-\d+|best)\.safetensors|\w{64}\.bin|_unfinished\.json)$")
MIXED = "colour,size,weight,class\n" + "".join(
    f"{'red green blue'.split()[i % 3]},{'' if i % 7 == 3 else i % 5},{1 + i % 2},{'no' if i % 4 else 'yes'}\n"
    for i in range(30))


@dataclass(frozen=True)
class Fault:
    kind: str
    first: int
    count: int = 1  # 0: all that follow, too
    code: int = 0  # 0: the usual one of the kind

    def __str__(self):
        return f"{self.kind}:{self.first}:{self.count},{self.code}"

    @staticmethod
    def parse(text):
        place, _, code = text.partition(",")
        kind, first, *count = place.split(":")
        return Fault(kind, int(first), int(count[0]) if count else 1, int(code or 0))


class Stage:
    """The files that commands start from, in a folder that no run changes."""

    def __init__(self, folder, tanda, shim, root):
        self.folder, self.tanda, self.shim = folder / "stage", tanda, shim
        self.folder.mkdir()
        (folder / "no-drivers").mkdir()
        self.environment = environment_of(folder, True)
        self.without_drivers = environment_of(folder, False)
        shutil.copy(root / "datasets" / "iris.csv", self.folder)
        (self.folder / "mixed.csv").write_text(MIXED)
        self.make()
        self.loader = judge.Loader(tanda, self.without_drivers, self.folder / "iris.csv")

    def tell(self, arguments, **more):
        outcome = judge.run([self.tanda, *arguments.split(), "--quiet"], self.folder, {**self.environment, **more}, 300)
        if outcome.code != 0:
            raise SystemExit(f"tanda {arguments}: exit {outcome.code}: {outcome.err}")

    def make(self):
        self.tell(f"train --data iris.csv --hidden 4 --epochs 1 --output model.safetensors {CPU}")
        self.tell(f"train --data iris.csv --hidden 5 --epochs 1 --output earlier.safetensors {CPU}")
        self.tell("train --data mixed.csv --categorical auto --missing mean --epochs 1 --output columns.safetensors "
                  f"{CPU}")
        self.tell(f"record --data iris.csv --hidden 4 --epochs 1 --output golden.json {CPU}")
        self.tell(f"record --data iris.csv --hidden 5 --epochs 1 --output earlier.json {CPU}")
        self.tell("generate classification --rows 40 --features 3 --output x.npy --labels y.npy")
        self.tell("generate classification --rows 40 --features 3 --shards 2 --output rows")
        (self.folder / "own.json").write_text('[{"name": "mine", "rows": 64, "units": [4, 3]}]')
        self.tell("lab --seconds 0.001 --workloads own.json --device cpu,threads=1 --json-file lab.json")
        self.tell(f"train --data iris.csv --hidden 4 --epochs 3 --checkpoint halves --checkpoint-every 1 {CPU}")
        steps = sorted((self.folder / "halves").glob("step-*"))
        for path in steps[1:]:
            path.unlink()
        shutil.copy(steps[0], self.folder / "half.safetensors")

    def compile(self, commands):
        """Compiled kernels, PoCL's own and tanda's; without them a run takes seconds."""
        (self.folder / "compiled").mkdir()
        (self.folder / "compiled").chmod(0o700)
        self.tell("devices", TANDA_CACHE_DIR="compiled")
        for command in commands:
            if not command.compiled:
                with tempfile.TemporaryDirectory() as folder:
                    self.copy_for(command, pathlib.Path(folder))
                    judge.run([self.tanda, *command.arguments.split()], folder, self.environment, 300)

    def copy_for(self, command, folder):
        """The files that the command line names, and what its outputs replace."""
        names = {word: word for word in ["iris.csv", *command.arguments.split()] if (self.folder / word).exists()}
        if command.compiled == "compiled":
            names["compiled"] = "compiled"
        for name, source in {**names, **command.before}.items():
            if (self.folder / source).is_dir():
                shutil.copytree(self.folder / source, folder / name)
            else:
                shutil.copy(self.folder / source, folder / name)

    def run(self, command, folder, **environment):
        self.copy_for(command, folder)
        if command.drivers:
            environment["TANDA_FAULT_SCOPE"] = "program"
        if command.compiled:
            environment["TANDA_CACHE_DIR"] = command.compiled
        return judge.run([self.tanda, *command.arguments.split(), "--quiet"], folder,
                         {**(self.environment if command.drivers else self.without_drivers), "LD_PRELOAD": self.shim,
                          **environment})


def environment_of(folder, opencl):
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("TANDA_", "OMP_", "GOMP_", "LD_"))}
    kept.update(TANDA_CACHE_DIR="", LC_ALL="C")
    kept.setdefault("POCL_CACHE_DIR", str(folder / "pocl"))
    kept.setdefault("POCL_MAX_PTHREAD_COUNT", "2")
    if not opencl:
        kept["OCL_ICD_VENDORS"] = str(folder / "no-drivers")
    return kept


class Baseline:
    """A run without a fault: what it wrote, and which calls it made."""

    def __init__(self, stage, command):
        self.stage, self.command = stage, command
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            outcome = stage.run(command, folder, TANDA_FAULT_TRACE=str(folder) + ".trace")
            trace = pathlib.Path(str(folder) + ".trace")
            self.calls = trace.read_text().splitlines()
            trace.unlink()
            if outcome.code != 0:
                raise SystemExit(f"tanda {command.arguments}: exit {outcome.code}: {outcome.err}")
            self.out = judge.comparable(outcome.out)
            self.notes = set(outcome.err.splitlines())
            self.entries = judge.entries(folder)
            self.outputs = {path: (folder / path).read_bytes() for path in command.outputs}
            self.logs = {path: self.log_of(folder / path) for path in command.logs}
            self.ends = {stage.loader.verdict("checkpoint", path) for path in checkpoints_in(command, folder)}

    def log_of(self, path):
        text = judge.text_of(path)
        if path.name != "b.json":
            return judge.comparable(text)
        try:
            return judge.without_figures(json.loads(text))
        except ValueError:
            return f"is not JSON: {text[:60]}"

    def positions(self):
        """Each call as (kind, number among its kind, stack), the chosen ones of each stack."""
        counts, seen = collections.Counter(), collections.Counter()
        for line in self.calls:
            kind, _, stack = line.partition(" ")
            counts[kind] += 1
            seen[line] += 1
            if self.command.per_stack == 0 or seen[line] <= self.command.per_stack:
                yield kind, counts[kind], stack


def checkpoints_in(command, folder):
    for name in command.checkpoints:
        path = folder / name
        if path.is_dir():
            yield from sorted(path.glob("step-*.safetensors"))
        elif path.exists():
            yield path


def judge_outputs(baseline, outcome, folder, fault):
    command, stage = baseline.command, baseline.stage
    done = outcome.code == 0
    for name, whole in baseline.outputs.items():
        before = stage.folder / command.before[name] if name in command.before else None
        found = (folder / name).read_bytes() if (folder / name).exists() else None
        if found == whole or (not done and found == (before.read_bytes() if before else None)):
            continue
        what = "is missing" if found is None else "is another file than without the fault"
        verdict = stage.loader.verdict("model", folder / name) if found and name.endswith(".safetensors") else ""
        yield f"exit {outcome.code}, {name} {what} {verdict}".strip()
    for path in checkpoints_in(command, folder):
        verdict = stage.loader.verdict("checkpoint", path)
        if verdict not in baseline.ends:
            yield f"exit {outcome.code}, checkpoint {path.name}: {verdict}"
    for path in folder.rglob("best.safetensors"):
        if verdict := stage.loader.verdict("model", path):
            yield f"exit {outcome.code}, {path.name}: {verdict}"
    if "--resume" in command.arguments and not any(checkpoints_in(command, folder)):
        yield f"exit {outcome.code}, and the earlier checkpoint is gone"
    if done and not outcome.survived:
        if command.checkpoints and not any(checkpoints_in(command, folder)):
            yield "exit 0, and no checkpoint"
        for name, lines in baseline.logs.items():
            if baseline.log_of(folder / name) != lines:
                yield f"exit 0, {name} is not as without the fault"
    # A lock that may not be ours any more stays, and that of a process that its OpenMP runtime ended: the next takes it.
    ended = fault.kind in ("stat", "read") or any(line.startswith("libgomp:") for line in outcome.err.splitlines())
    if fault.kind != "unlink":
        for name in sorted(judge.entries(folder) - baseline.entries):
            if not RIGHT.search(name) and not (ended and name.endswith(".lock")):
                yield f"exit {outcome.code}, it leaves {name}"


def judge_inputs(baseline, folder):
    command = baseline.command
    outputs = {*command.outputs, *command.checkpoints, *command.logs, *command.before}
    for path in baseline.stage.folder.glob("*.*"):
        if path.name not in outputs and (folder / path.name).exists():
            if (folder / path.name).read_bytes() != path.read_bytes():
                yield f"the input {path.name} changed"


def judge_words(baseline, outcome, fault):
    if fault.kind in MEMORY:
        words = "memory|thread" if fault.kind in ("thread", "malloc") else "memory"
        yield from judge.out_of_memory(outcome, words, (1, 4) if baseline.command.drivers else (1,))
    elif OPENCL_CALL.match(fault.kind):
        if outcome.code not in (0, 1, 4) and outcome.code in judge.CODES:
            yield f"a failed OpenCL call is told as exit {outcome.code}: {''.join(outcome.failures[:1])}"
    elif fault.kind in HARMLESS and outcome.code != 0:
        yield f"a {fault.kind.replace('-', ' ')} is no fault, but exit {outcome.code}: {''.join(outcome.failures[:1])}"
    elif outcome.code == 2:
        yield f"a failed {fault.kind} is told as wrong usage: {''.join(outcome.failures[:1])}"
    elif outcome.code == 4 and not baseline.command.drivers:
        yield f"a failed {fault.kind} is told as a device's: {''.join(outcome.failures[:1])}"


# A processor whose name cannot be read is a CPU.
OF_DEVICES = re.compile(r'unusable: .*|"error": .*|^opencl: .*|"remark": .*|exact  CPU \(|"name": "CPU"', re.M)


def told_instead(baseline, outcome):
    """The list of devices says which of them cannot be used, and why, as it does not without the fault."""
    told = OF_DEVICES.findall("\n".join(judge.comparable(outcome.out)))
    return set(told) - set(OF_DEVICES.findall("\n".join(baseline.out))) or outcome.err


def judge_results(baseline, outcome, folder):
    if outcome.code == 0 and judge.comparable(outcome.out) != baseline.out:
        if baseline.command.arguments.startswith("bench"):
            return
        if baseline.command.arguments.startswith("devices") and told_instead(baseline, outcome):
            return
        first = [line for line in judge.comparable(outcome.out) if line not in baseline.out][:1]
        yield f"exit 0, and standard output is not as without the fault: {''.join(first)[:100]}"
    for name in re.findall(r"^(?:model|golden): (\S+)$", outcome.out, re.M):
        if name in baseline.outputs and (folder / name).read_bytes() != baseline.outputs[name]:
            yield f"exit {outcome.code}, and standard output tells of {name}"


def try_fault(baseline, fault):
    """What the contract of a run with this fault lacks: sentences, best none."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        text = f"{fault.kind}:{fault.first}:{fault.count}"
        code = {"TANDA_FAULT_ERROR": str(fault.code)} if fault.code else {}
        outcome = baseline.stage.run(baseline.command, folder, TANDA_FAULT=text, **code)
        found = [*judge.contract(outcome), *judge_words(baseline, outcome, fault),
                 *judge_results(baseline, outcome, folder),
                 *judge_outputs(baseline, outcome, folder, fault), *judge_inputs(baseline, folder)]
        return found, outcome


def faults_of(baseline, with_opencl):
    for kind, number, stack in baseline.positions():
        if bool(OPENCL_CALL.match(kind)) != with_opencl:
            continue
        if with_opencl:
            yield Fault(kind, number, int(number % 4 != 0), OPENCL_CODES[number % len(OPENCL_CODES)]), stack
            continue
        yield Fault(kind, number), stack
        if kind not in HARMLESS:
            yield Fault(kind, number, 0), stack
        if kind in ("open", "read", "write"):
            yield Fault(kind, number, 1, INTERRUPTED), stack


def campaign(options, folder, pool, with_opencl):
    """The sentences of each run, with what it takes to do it again."""
    commands = {name: command for name, command in (OPENCL if with_opencl else ALLOCATIONS).items()
                if not options.only or name in options.only}
    stage = Stage(folder, options.tanda, options.shim, options.root)
    if with_drivers := [command for command in commands.values() if command.drivers]:
        stage.compile(with_drivers)
    work = []
    for name, command in commands.items():
        baseline = Baseline(stage, command)
        faults = [(options.fault, "")] if options.fault else faults_of(baseline, with_opencl)
        work += [(name, baseline, fault, stack) for fault, stack in faults]
    if options.sample and not options.fault:
        work = random.Random(options.seed).sample(work, min(options.sample, len(work)))

    def one(item):
        name, baseline, fault, stack = item
        found, outcome = try_fault(baseline, fault)
        return f"--only {name} --fault {fault}", found, outcome, stack

    return pool.imap_unordered(one, work)
