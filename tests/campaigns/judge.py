"""Runs the program, and says what of its contract a run broke."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field

TIMEOUT = 60  # seconds; a run takes some milliseconds, unless the machine is busy
CODES = {0, 1, 2, 3, 4, 130}
GOES_ON = re.compile(r"goes on( without it)?$")
TOLD = re.compile(r"(tanda|note): |saved |libgomp: ")  # libgomp speaks first, and tanda after it


@dataclass
class Outcome:
    code: object  # exit code, minus a signal's number, or "hangs"
    out: str
    err: str

    @property
    def failures(self):
        """The lines that tell why it failed; what the training survives is none of them."""
        return [line for line in self.err.splitlines() if line.startswith("tanda: ") and not GOES_ON.search(line)]

    @property
    def survived(self):
        return any(line.startswith("tanda: ") and GOES_ON.search(line) for line in self.err.splitlines())


def run(arguments, folder, environment, timeout=TIMEOUT):
    # Files, not pipes: what the program started and left behind must not make the campaign wait.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(arguments, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=err, start_new_session=True)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            code = "hangs"
        out.seek(0), err.seek(0)
        return Outcome(code, out.read().decode(errors="replace"), err.read().decode(errors="replace"))


def contract(outcome):
    """Exit code and standard error of any run with --quiet."""
    if outcome.code == "hangs":
        yield "hangs"
    elif outcome.code < 0:
        yield f"died by {signal.Signals(-outcome.code).name}"
    elif outcome.code not in CODES:
        yield f"exit {outcome.code} is no exit code of tanda"
    elif outcome.code in (0, 130) and outcome.failures:
        yield f"exit {outcome.code}, but it says: {outcome.failures[0]}"
    elif outcome.code not in (0, 130) and len(outcome.failures) != 1:
        yield f"exit {outcome.code} with {len(outcome.failures)} lines that say why"
    for line in outcome.err.splitlines():
        if line and not TOLD.match(line):
            yield f"a line on standard error that is not tanda's: {line[:100]}"
            break


def out_of_memory(outcome, words="memory", codes=(1,)):
    """No memory, and no thread, is told as such: the user can neither mend the data nor the command line."""
    if outcome.code in CODES - {0, 130} and outcome.failures:
        if outcome.code not in codes or not re.search(words, outcome.err):
            yield f"want of {words} is told as exit {outcome.code}: {outcome.failures[0]}"


def without_times(value):
    """JSON without what differs from run to run."""
    if isinstance(value, dict):
        return {key: without_times(entry) for key, entry in value.items()
                if key not in ("time", "device") and not key.startswith("seconds")}
    return [without_times(entry) for entry in value] if isinstance(value, list) else value


def without_figures(value):
    """The shape of JSON that holds measurements. Caches are told as far as the machine's files can be read."""
    if isinstance(value, dict):
        return {key: without_figures(entry) for key, entry in value.items() if key not in ("date", "caches")}
    if isinstance(value, list):
        return [without_figures(entry) for entry in value]
    return None if isinstance(value, (int, float)) else value


def comparable(text):
    """What must be the same in each run: all lines, JSON or not, but for times."""
    lines = []
    for line in text.splitlines():
        try:
            lines.append(json.dumps(without_times(json.loads(line))) if line.startswith("{") else line)
        except ValueError:
            lines.append(line)
    return [line for line in lines if not line.startswith("seconds:")]


def text_of(path):
    return path.read_text(errors="replace") if path.is_file() else ""


def entries(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@dataclass
class Loader:
    """Loads what is kept, as its reader will: models by inspect, checkpoints by going on to the end."""
    tanda: str
    environment: dict
    data: pathlib.Path
    verdicts: dict = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def try_model(self, path):
        found = run([self.tanda, "inspect", str(path)], "/", self.environment)
        return "" if found.code == 0 else f"does not load: {found.err.strip()}"

    def try_checkpoint(self, path):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(path, f"{folder}/try.safetensors")
            shutil.copy(self.data, folder)
            found = run([self.tanda, "train", "--resume", "try.safetensors", "--quiet", "--device", "cpu"], folder,
                        self.environment)
        hashes = re.findall(r"^weights_sha256: (\w+)", found.out, re.M)
        return hashes[0] if found.code == 0 and hashes else f"does not resume: {found.err.strip()}"

    def verdict(self, kind, path):
        """Kept by content, as most runs end in the same bytes."""
        key = kind + hashlib.sha256(path.read_bytes()).hexdigest()
        with self.lock:
            if key in self.verdicts:
                return self.verdicts[key]
        verdict = self.try_model(path) if kind == "model" else self.try_checkpoint(path)
        with self.lock:
            self.verdicts[key] = verdict
        return verdict
