#!/usr/bin/env python3
"""Two options that name files, at random: python3 tests/files/output_pairs.py build-release/tanda [COUNT [SEED]]

Each run is in a new folder with inputs, hard links, symbolic links, folders, a pipe with a reader and, where they can be
made, devices of its own. After it: no input has changed unless it may be replaced, no link, pipe or device has been
replaced, each file holds what one run wrote, and no temporary file is left. The first line of a failure names the command.
"""
import hashlib
import os
import random
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = os.path.abspath(sys.argv[1])
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1

INPUTS = {"--data": "x.npy", "--labels": "l.npy", "--validation": "vx.npy", "--validation-labels": "vl.npy",
          "--init": "m.safetensors", "--config": "m.safetensors"}
OUTPUTS = ["--output", "--checkpoint", "--log", "--csv-log"]
READ_WHOLE = {"m.safetensors", "c.safetensors"}  # by --init and --config, and by --resume


def run(arguments, folder):
    environment = dict(os.environ, TANDA_CACHE_DIR="")
    return subprocess.run([PROGRAM, *arguments], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60)


def make_template(folder):
    common = ["--device", "cpu", "--threads", "1", "--quiet"]
    train = ["train", "--data", "x.npy", "--labels", "l.npy", "--epochs", "1", *common]
    for name, labels, seed in [("x.npy", "l.npy", "1"), ("vx.npy", "vl.npy", "2")]:
        run(["generate", "moons", "--rows", "40", "--seed", seed, "--output", name, "--labels", labels], folder)
    run([*train, "--output", "m.safetensors"], folder)
    run([*train, "--checkpoint", "c.safetensors"], folder)
    run([*train, "--checkpoint", "kept"], folder)
    os.mkdir(folder / "d")
    for name in ["x.npy", "l.npy", "vx.npy", "vl.npy", "m.safetensors", "c.safetensors"]:
        os.symlink(name, folder / f"soft-{name}")
        os.symlink(f"../{name}", folder / "d" / name)
        os.link(folder / name, folder / f"hard-{name}")
    os.symlink("new.safetensors", folder / "dangling.safetensors")
    os.symlink("../new.safetensors", folder / "d" / "dangling.safetensors")
    os.symlink("d", folder / "soft-d")
    os.mkfifo(folder / "pipe")
    (folder / "read-only.safetensors").write_text("nobody may write this")
    (folder / "read-only.safetensors").chmod(0o444)
    for name, minor in [("null", 3), ("full", 7)]:
        try:
            os.mknod(folder / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
            (folder / name).open("wb").close()
        except OSError as error:
            print("SKIPPED: no device nodes here:", error)
            (folder / name).unlink(missing_ok=True)


def names_of(folder):
    found = [str(path.relative_to(folder)) for path in folder.rglob("*")]
    found += ["new.safetensors", "new", "d/new.safetensors", "soft-d/new.safetensors", "d/../new.safetensors",
              "no/where", "kept/new.safetensors", "", "a" * 245, "."]
    found += [f"./d/../{name}" for name in found if "/" not in name and name]
    return sorted(found)


def state_of(folder):
    """What every path is: its type, and for files the hash, mode and time."""
    made = {}
    for path in folder.rglob("*"):
        found = path.lstat()
        what = stat.S_IFMT(found.st_mode)
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(what) else ""
        made[str(path.relative_to(folder))] = (what, digest, os.readlink(path) if path.is_symlink() else "")
    return made


def one_round(random_numbers, template, folder):
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["cp", "-a", template, folder], check=True)
    names = names_of(folder)
    given = dict(INPUTS)
    if random_numbers.random() < 0.5:
        del given["--config"]
    resume = random_numbers.choice([None, None, "c.safetensors", "kept"])
    if resume:
        given = {"--resume": resume, "--data": "x.npy", "--labels": "l.npy"}
    for flag in random_numbers.sample(OUTPUTS, 2):
        # Half of them near the inputs, so that they meet.
        given[flag] = random_numbers.choice(names if random_numbers.random() < 0.5 else
                                            [name for name in names if "safetensors" in name or "npy" in name])
    reader = subprocess.Popen(["cat", folder / "pipe"], stdout=subprocess.DEVNULL)
    arguments = ["train", "--epochs", "2", "--device", "cpu", "--threads", "1", "--quiet"]
    for flag, value in given.items():
        arguments += [flag, value]
    before = state_of(folder)
    done = run(arguments, folder)
    reader.kill()
    reader.wait()
    after = state_of(folder)
    faults = []
    if done.returncode not in (0, 1, 2):
        faults.append(f"exit {done.returncode}")
    if done.returncode != 0 and not done.stderr.startswith(b"tanda: "):
        faults.append("no line on standard error")
    inputs = {os.path.realpath(folder / value) for flag, value in INPUTS.items() if flag in given}
    outputs = {os.path.realpath(folder / given[flag]) for flag in OUTPUTS if flag in given}
    if "--checkpoint" not in given and resume:
        outputs.add(os.path.realpath(folder / resume))
    keeps = os.path.realpath(folder / "kept") in outputs  # the folder's own names come and go
    logs = {os.stat(folder / given[flag]).st_ino for flag in ["--log", "--csv-log"]
            if os.path.exists(folder / given.get(flag, "no/where"))}  # in place: all links see it
    for name, was in before.items():
        now = after.get(name)
        path = os.path.realpath(folder / name)
        if keeps and name.startswith("kept/"):
            continue
        if now is None:
            faults.append(f"{name} is gone")
        elif now[0] != was[0]:
            faults.append(f"{name} is of another kind now")
        elif now[2] != was[2]:
            faults.append(f"{name} leads elsewhere now")
        elif now[1] != was[1]:
            if done.returncode == 2:
                faults.append(f"{name} has changed, with exit 2")
            if name == "read-only.safetensors":
                faults.append(f"{name} has changed")
            if path in inputs and os.path.basename(path) not in READ_WHOLE:
                faults.append(f"{name} has changed, and is an input")
            if path not in outputs and os.stat(path).st_ino not in logs:
                faults.append(f"{name} has changed, and is no output")
    faults += [f"{name} is left" for name in after if ".unfinished-" in name]
    if faults:
        print(" ".join(repr(word) for word in arguments))
        print("   ", "; ".join(faults), "|", done.stderr.decode(errors="replace").strip()[:300])
    return done.returncode, not faults


def main():
    random_numbers = random.Random(SEED)
    base = Path(tempfile.mkdtemp(prefix="tanda_pairs_"))
    template = base / "template"
    template.mkdir()
    make_template(template)
    codes, good = {}, 0
    for _ in range(COUNT):
        code, is_good = one_round(random_numbers, template, base / "round")
        codes[code] = codes.get(code, 0) + 1
        good += is_good
    shutil.rmtree(base)
    print(f"{good} of {COUNT} without a fault; exit codes {dict(sorted(codes.items()))}")
    return 0 if good == COUNT else 1


if __name__ == "__main__":
    sys.exit(main())
