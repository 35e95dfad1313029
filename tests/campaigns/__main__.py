"""Lets things fail, one at a time, and judges each run of the program by its contract.

    python3 tests/campaigns CAMPAIGN [--sample N] [--seed S] [--jobs 2] [--tanda FILE] [--shim FILE]

  allocations   every call of memory, files and threads that commands make, on the CPU
  opencl        every call of OpenCL
  names         pairs of options that name files, among links, devices, pipes and folders

The contract: an exit code of tanda's, and one line that says why, apt to the fault; exit 0 only when everything is as
without the fault; under a final name nothing but the old file or the new, whole one; nothing left behind.

A line per violation tells how to see it again; --fault and --case do one run, and show what it wrote. Exit code 1:
there are violations.
"""
import argparse
import multiprocessing.pool
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import calls  # noqa: E402
import names  # noqa: E402

CAMPAIGNS = {
    "allocations": lambda *arguments: calls.campaign(*arguments, False),
    "opencl": lambda *arguments: calls.campaign(*arguments, True),
    "names": names.campaign,
}
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build-release"


def where(program, stack, known={}):
    """The innermost functions of the program on the way to a call."""
    frames = [frame.split("+")[1] for frame in stack.split() if frame.startswith(pathlib.Path(program).name + "+")][:4]
    if not frames or not shutil.which("addr2line"):
        return ""
    key = tuple(frames)
    if key not in known:
        # The address behind a call belongs to the next line.
        addresses = [hex(int(frame, 16) - 1) for frame in frames]
        found = subprocess.run(["addr2line", "-sfe", program, *addresses], capture_output=True, text=True).stdout
        places = zip(found.splitlines()[0::2], found.splitlines()[1::2])
        known[key] = " < ".join(f"{name} {place}".replace(" ??:?", "").replace(" ??:0", "") for name, place in places)
    return f" [in {known[key]}]"


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("campaign", choices=CAMPAIGNS)
    parser.add_argument("--sample", type=int, default=0, help="so many runs, drawn by the seed; default: all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--tanda", default=str(BUILD / "tanda"))
    parser.add_argument("--shim", default=str(BUILD / "tests" / "libtanda_faults.so"))
    parser.add_argument("--only", action="append", help="this command of the campaign")
    parser.add_argument("--fault", type=calls.Fault.parse, help="only this one: KIND:N:COUNT,CODE")
    parser.add_argument("--case", type=int, help="of names: only this run")
    options = parser.parse_args()
    options.root = ROOT
    options.tanda, options.shim = str(pathlib.Path(options.tanda).resolve()), str(pathlib.Path(options.shim).resolve())
    return options


def main():
    options, begun, runs, violations = parse(), time.monotonic(), 0, 0
    single = options.fault is not None or options.case is not None
    with tempfile.TemporaryDirectory(prefix="tanda_campaign_") as name, \
            multiprocessing.pool.ThreadPool(options.jobs) as pool:
        for again, sentences, outcome, stack in CAMPAIGNS[options.campaign](options, pathlib.Path(name), pool):
            runs, violations = runs + 1, violations + bool(sentences)
            if sentences:
                command = f"python3 tests/campaigns {options.campaign} --seed {options.seed} {again}"
                print(f"{'; '.join(sentences)}{where(options.tanda, stack)}: {command}", flush=True)
            if single:
                print(f"exit {outcome.code}\n{outcome.out}{outcome.err}")
    print(f"{options.campaign}: {runs} runs, {violations} violations, {time.monotonic() - begun:.0f} s")
    return violations > 0 or runs == 0


if __name__ == "__main__":
    sys.exit(main())
