"""What an OpenCL device does, beside the CPU, its own limits, CLBlast, PyTorch and the machine model. Run by gpu-lab.sh.

What the report needs most is done first, once; the time that is left of the budget goes into repetitions. What could
not be measured keeps the reason in place of the figure.
"""

import argparse
import datetime
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

import gpu_lab_report

BENCH = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(BENCH)
DATA = os.path.join(REPOSITORY, "datasets")

# What is trained to compare bits: name, options of tanda train. Each kind of kernel has one.
TRAININGS = [
    ("perceptron, full batch", "--data perceptron.csv --scale none --batch full --epochs 12 --learning-rate 0.5"),
    ("logistic regression, 79 tiles", "--data synthetic:logistic,rows=20011,features=28 --batch full --epochs 3"),
    ("logistic regression, mini-batches", "--data breast_cancer.csv --epochs 3"),
    ("softmax regression", "--data iris.csv --epochs 2"),
    ("two narrow tanh layers", "--data iris.csv --hidden 3,17 --activation tanh --batch 100 --epochs 2"),
    ("64 relu, batches of two tiles", "--data digits.csv --hidden 64 --batch 300 --epochs 2"),
    ("300 wide: two chunks, full batch", "--data digits.csv --hidden 300,20 --batch full --epochs 2"),
    ("adam, dropout", "--data digits.csv --hidden 40,20 --dropout 0.5 --optimizer adam --epochs 1"),
]
TRAINING = re.compile("^(logistic|softmax|mlp)/")  # workloads whose steps an executor computes
PRODUCTS = re.compile("^(softmax|mlp)/")  # those with products of matrices
ON_DEVICE = re.compile("^(assemble/(?!memcpy)|start/first-step)")  # no executor to choose
REPETITIONS, LEAST_SECONDS = 3, 0.02  # of one round
TORCH = """
import numpy, safetensors.numpy, torch, sys
kind = next((k for k in ("cuda", "xpu") if hasattr(torch, k) and getattr(torch, k).is_available()), None)
if sys.argv[1] == "CPU":
    print("cpu", torch.__version__, "the CPU", sep="\\t")
elif kind is None:
    sys.exit("PyTorch " + torch.__version__ + " finds no GPU")
else:
    of = getattr(torch, kind)
    names = [of.get_device_name(i) for i in range(of.device_count())]
    at = next((i for i, name in enumerate(names) if name in sys.argv[2] or sys.argv[2] in name), 0)
    print(kind + ":" + str(at), torch.__version__, names[at], sep="\\t")
"""


class Failed(Exception):
    """What could not be done, and why: "misfit" (of an executor and a training), "time" (there was too little) or "fault"."""

    def __init__(self, reason, kind="fault"):
        super().__init__(reason)
        self.kind = "misfit" if "does not fit this training" in reason else kind

    def result(self):
        """What stands in the report in place of figures."""
        return {"reason": str(self), "kind": self.kind}


class Budget:
    """Seconds for all of it; a phase may use them up to its share. Building has had half of them at most."""

    def __init__(self, seconds, spent):
        self.start, self.seconds = time.monotonic() - min(spent, seconds / 2), seconds

    def spent(self):
        return time.monotonic() - self.start

    def left(self, share=1.0):
        return share * self.seconds - self.spent()


def run(command, seconds, longest=None):
    """What a command writes; it may take the seconds that are left, and `longest` of them by itself."""
    if seconds <= 0.5:
        raise Failed("the budget was spent", "time")
    limit = min(seconds, longest or seconds)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, cwd=DATA, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise Failed(f"took longer than the {limit:.0f} s that were left for it", "time") from None
    except OSError as error:
        raise Failed(str(error)) from None
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise Failed(lines[-1] if lines else f"ended with {done.returncode}, and said nothing")
    return done.stdout


class Lab:
    def __init__(self, arguments):
        self.arguments = arguments
        self.tanda, self.python = (os.path.abspath(p) if os.sep in p else p for p in (arguments.program, arguments.python))
        self.budget = Budget(arguments.budget, arguments.spent)
        self.longest = self.most = max(10.0, arguments.budget / 8)  # of one process
        self.device = self.choose_device()
        chosen = arguments.executors.split(",") if arguments.executors else self.device["executors"]
        self.executors = [name for name in self.device["executors"] if name in chosen]

    def call(self, share, *words):
        """A command of tanda, and the JSON object that it answers with."""
        try:
            return json.loads(run([self.tanda, *words, "--json", "--quiet"], self.budget.left(share), self.longest))
        except Failed as failure:
            raise Failed(re.sub(r"^tanda: (opencl:\S+: )?", "", str(failure)), failure.kind) from None

    def choose_device(self):
        """The one asked for, or the first GPU, or any OpenCL device."""
        try:
            answer = json.loads(run([self.tanda, "devices", "--json", "--quiet"], max(60.0, self.budget.left())))
        except Failed as failure:
            sys.exit(f"gpu-lab: tanda devices: {failure}")
        found = [d for d in answer["devices"] if d["backend"] == "opencl"]
        asked = [d for d in found if d["id"] == self.arguments.device]
        gpus = [d for d in found if d["kind"] != "CPU"]
        if self.arguments.device and not asked:
            there = ", ".join(d["id"] for d in found) or "no OpenCL device"
            sys.exit(f"gpu-lab: --device {self.arguments.device}: tanda devices has {there}")
        if not found:
            sys.exit(f"gpu-lab: no OpenCL device: {answer.get('remark', 'tanda devices lists none')}")
        device = (asked or gpus or found)[0]
        if device["kind"] == "CPU":
            say(f"{device['id']} is a CPU: what is measured here says nothing about GPUs")
        self.version, self.cpu = answer["version"], answer["devices"][0]
        return device

    # ---- bits -------------------------------------------------------------------------------------------------

    def train(self, options, *more):
        result = self.call(0.35, "train", *options.split(), *more)
        return {"weights_sha256": result["weights_sha256"], "executor": result["executor"]}

    def matrix(self):
        """Each training on the CPU, on the device as it comes, and by each of its executors."""
        for name, options in TRAININGS:
            if not re.search(self.arguments.trainings, name):
                continue
            self.report["matrix"].append({"training": name, "options": options, "results": {},
                                          "cpu": attempt(lambda: self.train(options, "--device", "cpu"))})
        rows = [(row, executor) for executor in ["default", *self.executors] for row in self.report["matrix"]]
        for i, (row, executor) in enumerate(rows):
            forced = [] if executor == "default" else ["--executor", executor]
            self.allow(0.35, len(rows) - i)
            result = row["results"][executor] = attempt(
                lambda: self.train(row["options"], "--device", self.device["id"], "--require-device", "--accept-flush", *forced))
            if "weights_sha256" in result and "weights_sha256" in row["cpu"]:
                result["equal"] = result["weights_sha256"] == row["cpu"]["weights_sha256"]
            say(f"bits of {row['training']}, {executor}: {gpu_lab_report.bits(result)}")
        self.longest = self.most

    # ---- limits -----------------------------------------------------------------------------------------------

    def limits(self):
        """Of the device and of the CPU."""
        def measure(device):
            answer = self.call(0.35, "bench", "--device", device, "--accept-flush", "--filter", "^no workload$")
            return answer["context"]["devices"][0]
        self.report["limits"] = {side: attempt(lambda: measure(device))
                                 for side, device in (("device", self.device["id"]), ("cpu", "cpu"))}

    # ---- workloads --------------------------------------------------------------------------------------------

    def names(self):
        listed = run([self.tanda, "bench", "--list", "--filter", self.arguments.filter], 60.0).split()
        return [name for name in listed if TRAINING.match(name) or ON_DEVICE.match(name)]

    def time(self, cell, name, specification, share):
        """A round more for a cell, which keeps its times or, of its first round, the reason that there are none."""
        if "reason" in cell:
            return
        try:
            answer = self.call(share, "bench", "--device", specification, "--accept-flush", "--skip-limits", "--filter", f"^{name}$",
                               "--repetitions", str(REPETITIONS), "--min-time", str(LEAST_SECONDS))
        except Failed as failure:
            if "seconds" not in cell:
                cell.update(failure.result())
            return
        runs = answer["benchmarks"]
        median = next(b for b in runs if b.get("aggregate_name") == "median")
        cell.setdefault("seconds", []).extend(b["real_time"] * 1e-6 for b in runs if b["run_type"] == "iteration")
        cell["median_seconds"] = statistics.median(cell["seconds"])
        cell["others_cores"] = max(cell.get("others_cores", 0.0), median["others_cores"])
        cell["executor"] = median.get("executor")
        cell["first_step_seconds"] = max(cell.get("first_step_seconds", 0.0), median["first_step_seconds"])
        for key in ("bytes", "flops"):
            if f"{key}_per_second" in median:
                cell[key] = median[f"{key}_per_second"] * median["real_time"] * 1e-6
        cell["shape"] = {key: median[key] for key in ("units", "rows", "batch")}

    def specifications(self, name):
        """What a workload is measured with: the key of the result, and tanda's --device."""
        device = self.device["id"]
        found = {"cpu": "cpu", "default": device}
        if TRAINING.match(name):
            found.update({executor: f"{device},executor={executor}" for executor in self.executors})
        return found

    def round(self, share):
        """The CPU and what is taken by default first, for all workloads: what is short of time then are forced executors."""
        for is_forced in (False, True):
            cells = [(w, key, text) for w in self.workloads for key, text in self.specifications(w["name"]).items()
                     if (key not in ("cpu", "default")) == is_forced]
            for i, (workload, key, specification) in enumerate(cells):
                results = workload["results"]
                if key != results.get("default", {}).get("executor"):  # it has been measured as the default
                    cell = results.setdefault(key, {})
                    self.allow(share if is_forced else 0.75 * share, len(cells) - i)
                    self.time(cell, workload["name"], specification, share)
                    say(f"{workload['name']}, {key}: {gpu_lab_report.cell_text(cell)}")
        self.longest = self.most

    def allow(self, share, cells):
        """No process of these cells takes more than some times its part, so that there is time for all."""
        self.longest = min(self.most, max(5.0, 4.0 * self.budget.left(share) / cells))

    def fast_round(self, share):
        """Our kernels and CLBlast's, where products may be added up in any order."""
        for workload in self.workloads:
            if not PRODUCTS.match(workload["name"]):
                continue
            for gemm in ("tanda", "clblast"):
                self.time(workload["fast"].setdefault(gemm, {}), workload["name"],
                          f"{self.device['id']},math=fast,gemm={gemm}", share)
            say(f"{workload['name']}, fast: " + ", ".join(f"{k} {gpu_lab_report.cell_text(c)}" for k, c in workload["fast"].items()))

    # ---- others -----------------------------------------------------------------------------------------------

    def torch(self):
        """PyTorch on the same device, by peers.py, whose losses must agree with tanda's."""
        try:
            found = run([self.python, "-c", TORCH, self.device["kind"], self.device["name"]], self.budget.left(0.95), 60.0)
        except Failed as failure:
            raise Failed(f"{self.python}: {failure}", failure.kind) from None
        kind, version, name = found.strip().split("\t")
        names = [w["name"] for w in self.workloads if TRAINING.match(w["name"]) and not w["name"].endswith("no-loss")]
        if not names:
            raise Failed("no workload for it")
        say(f"PyTorch {version} on {name}")
        with tempfile.TemporaryDirectory() as folder:
            output = os.path.join(folder, "peers.json")
            try:
                run([self.python, os.path.join(BENCH, "peers.py"), "--tanda", self.tanda, "--device", self.device["id"], "--peers", "torch",
                     "--torch-device", kind, "--rounds", "2", "--seconds", "0.1", "--pause", "0" if kind != "cpu" else "0.5",
                     "--filter", f"^({'|'.join(names)})$", "--output", output], self.budget.left(0.95))
                reason = "not among its results"
            except Failed as failure:
                reason = str(failure)
            try:
                with open(output) as file:
                    results = json.load(file)["results"]
            except (OSError, ValueError):
                raise Failed(reason) from None
        return {"version": version, "device": name, "results": results, "rest": reason}

    def model(self):
        """The machine model's seconds: by workload and executor, of the card that has the device's name."""
        program = self.arguments.model or os.path.join(os.path.dirname(self.tanda), "bench", "gpu_model")
        if not os.path.exists(program):
            raise Failed(f"there is no {os.path.relpath(program, REPOSITORY)}")
        cards = re.findall(r"^## (.*)$", run([program, "--filter", "^no workload$"], self.budget.left(0.97), 60.0), re.M)
        names = [w["name"] for w in self.workloads if TRAINING.match(w["name"])]
        words = {card: re.search(r"[A-Z]*\d{3,}\w*", card) for card in cards}
        asked = self.arguments.card or self.device["name"]
        card = next((c for c, word in words.items() if word and re.search(rf"\b{word[0]}", asked, re.I)), None)
        if card is None:
            raise Failed(f"it has no card {asked}; it has {', '.join(cards)}")
        say(f"the model's {card}")
        predicted = {}
        for executor in self.executors:
            try:
                table = run([program, "--card", words[card][0], "--filter", f"^({'|'.join(names)})$", "--executor", executor],
                            self.budget.left(0.97), 60.0)
                add_predictions(predicted, executor, table)
            except Failed as failure:
                say(f"the model of {executor}: {failure}")
        return {"card": card, "predictions": predicted}

    # ---- all of it --------------------------------------------------------------------------------------------

    def more_rounds(self):
        """As many as the budget still has time for."""
        longest = 0.0
        while self.report["rounds"] < self.arguments.rounds and self.budget.left() > longest:
            start = time.monotonic()
            self.round(1.0)
            self.fast_round(1.0)
            longest = max(longest, time.monotonic() - start)
            self.report["rounds"] += 1

    def measure(self):
        """The report is written after each part: who stops the lab keeps what it has."""
        not_reached = {"reason": "the lab was stopped before", "kind": "time"}
        self.workloads = [{"name": name, "results": {}, "fast": {}} for name in self.names()]
        self.report = {"device": self.device, "cpu": self.cpu, "version": self.version, "executors": self.executors,
                       "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"), "budget": self.arguments.budget,
                       "loads": os.getloadavg(), "limits": {"device": not_reached, "cpu": not_reached}, "matrix": [],
                       "workloads": self.workloads, "rounds": 1, "torch": not_reached, "model": not_reached}
        for part in (self.limits, self.matrix, lambda: self.round(0.75), lambda: self.fast_round(0.85), self.others,
                     self.more_rounds):
            part()
            self.report["seconds"] = self.budget.spent()
            self.write()

    def others(self):
        self.report["torch"] = attempt(self.torch)
        self.report["model"] = attempt(self.model)

    def write(self):
        name = re.sub(r"[^A-Za-z0-9]+", "-", self.device["name"]).strip("-").lower()
        self.stem = os.path.join(self.arguments.output, name)
        os.makedirs(self.arguments.output, exist_ok=True)
        with open(self.stem + ".json", "w") as file:
            json.dump(self.report, file, indent=1)
            file.write("\n")
        with open(self.stem + ".md", "w") as file:
            file.write(gpu_lab_report.markdown(self.report))


def attempt(work):
    """What the work gives, or the reason that there is nothing."""
    try:
        return work()
    except Failed as failure:
        return failure.result()


def add_predictions(predicted, executor, text):
    """From a table of the model: the first executor is the one that would be taken; behind it stands the one asked for. What has
    a > before it is the least that it can be."""
    header = next((line for line in text.splitlines() if line.startswith("| workload |")), "")
    columns = [c.strip() for c in header.strip("|").split("|")]
    for line in text.splitlines():
        cells = [c.strip() for c in line.strip("|").split("|")]
        if not TRAINING.match(cells[0]) or len(cells) != len(columns):
            continue
        of_workload = predicted.setdefault(cells[0], {})
        times = [cell for column, cell in zip(columns, cells) if column == "us"]
        for name, text in zip((cells[1], executor), times):
            found = re.fullmatch(r"(\\?> *)?([0-9.]+(e[+-]?[0-9]+)?)", text)
            if found:
                of_workload[name] = {"seconds": float(found[2]) * 1e-6, "is_least": found[1] is not None}


def say(text):
    print(text, file=sys.stderr, flush=True)


def parse():
    parser = argparse.ArgumentParser(prog="bench/gpu-lab.sh", description=__doc__.split("\n")[0])
    parser.add_argument("--program", required=True, help="this tanda; default: the preset release's, which is built")
    parser.add_argument("--device", help="as tanda devices calls it; default: the first GPU, else the first OpenCL device")
    parser.add_argument("--budget", type=float, default=480.0, help="seconds for all of it (480): less means fewer repetitions")
    parser.add_argument("--rounds", type=int, default=1000, help="of all times at most, where the budget has time for more")
    parser.add_argument("--output", default=os.path.join(BENCH, "results"), help="folder of the two files (bench/results)")
    parser.add_argument("--filter", default="", help="workloads of tanda bench (regular expression)")
    parser.add_argument("--trainings", default="", help="trainings whose bits are compared (regular expression)")
    parser.add_argument("--executors", help="of the device, with commas between them; default: all")
    venv = os.path.join(REPOSITORY, ".venv", "bin", "python")
    parser.add_argument("--python", default=venv if os.path.exists(venv) else sys.executable, help="the Python that has PyTorch")
    parser.add_argument("--model", help="the machine model; default: bench/gpu_model beside the program")
    parser.add_argument("--card", help="the model's card; default: the one that has the device's name")
    parser.add_argument("--spent", type=float, default=0.0, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    lab = Lab(parse())
    lab.measure()
    say(f"{lab.stem}.md, {lab.stem}.json: {gpu_lab_report.verdict(lab.report)}")
    return 1 if gpu_lab_report.is_wrong(lab.report) else 0


if __name__ == "__main__":
    sys.exit(main())
