"""Peers on tanda's workloads: the same data, initial weights and steps, in turn with tanda, in one run.

tanda bench --export writes data, weights and the losses of its first steps; each peer does these steps, and its losses
must agree. Then tanda and the peers are timed in turn, and the medians compared. Run by peers.sh.
"""

import argparse
import ctypes
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
from safetensors.numpy import load_file

LEARNING_RATE = 0.01  # of host/bench/training.c
AGREEMENT = 1e-3
LEAST_STEPS_PER_ROUND = 1


class Task:
    """A workload: data, shape, initial weights and what tanda's first losses are."""

    def __init__(self, name, figures, folder):
        stem = os.path.join(folder, name.replace("/", "-"))
        self.name = name
        self.units = figures["units"]
        self.rows, self.batch = figures["rows"], figures["batch"]
        self.losses = figures["first_losses"]
        self.x = np.load(stem + ".features.npy")
        self.y = np.load(stem + ".labels.npy")
        tensors = load_file(stem + ".safetensors")
        names = sorted((n for n in tensors if n.endswith("weight")), key=lambda n: int("".join(filter(str.isdigit, n))))
        self.weights = [tensors[n].astype(np.float32) for n in names]
        self.biases = [tensors[n[: -len("weight")] + "bias"].astype(np.float32) for n in names]
        self.full = self.batch >= self.rows
        self.binary = self.units[-1] == 1

    def rows_per_step(self):
        """On average, as the last batch of an epoch may be short."""
        return self.rows / -(-self.rows // self.batch)

    def in_order(self, step):
        """The rows of a step when nothing is shuffled."""
        per_epoch = -(-self.rows // self.batch)
        first = step % per_epoch * self.batch
        return slice(first, min(first + self.batch, self.rows))


class Peer:
    """step(rows) does one step on an index array or slice and returns something that loss() makes a float of."""

    def __init__(self, task):
        self.task = task
        self.at, self.order = 0, None

    def check(self):
        return [self.loss(self.step(self.task.in_order(s))) for s in range(len(self.task.losses))]

    def next_rows(self):
        task = self.task
        if task.full:
            return slice(0, task.rows)
        if self.order is None or self.at >= task.rows:
            self.order, self.at = self.permutation(), 0
        rows = self.order[self.at : self.at + task.batch]
        self.at += task.batch
        return rows

    def permutation(self):
        return np.random.permutation(self.task.rows)

    def run(self, steps):
        result = None
        for _ in range(steps):
            result = self.step(self.next_rows())
        return self.loss(result)

    def loss(self, result):
        return float(result)


class NumPy(Peer):
    name = "numpy"

    def __init__(self, task):
        super().__init__(task)
        self.weights = [w.T.copy() for w in task.weights]
        self.biases = [b.copy() for b in task.biases]

    def head(self, z, y):
        """Loss and d loss / d z."""
        if self.task.binary:
            z = z[:, 0]
            e = np.exp(-np.abs(z))
            loss = np.mean(np.maximum(z, 0) - z * y + np.log1p(e))
            p = np.where(z >= 0, 1, e) / (1 + e)
            return loss, ((p - y) / np.float32(len(y)))[:, None].astype(np.float32)
        z = z - z.max(axis=1, keepdims=True)
        e = np.exp(z)
        total = e.sum(axis=1, keepdims=True)
        rows = np.arange(len(y))
        loss = np.mean(np.log(total[:, 0]) - z[rows, y])
        p = e / total
        p[rows, y] -= 1
        return loss, p / np.float32(len(y))

    def step(self, rows):
        activations = [self.task.x[rows]]
        y = self.task.y[rows]
        last = len(self.weights) - 1
        for layer, (w, b) in enumerate(zip(self.weights, self.biases)):
            z = activations[-1] @ w + b
            activations.append(np.maximum(z, 0) if layer < last else z)
        loss, delta = self.head(activations[-1], y)
        for layer in range(last, -1, -1):
            gradient, bias = activations[layer].T @ delta, delta.sum(axis=0)
            if layer > 0:
                delta = delta @ self.weights[layer].T * (activations[layer] > 0)
            self.weights[layer] -= np.float32(LEARNING_RATE) * gradient
            self.biases[layer] -= np.float32(LEARNING_RATE) * bias
        return loss


class PyTorch(Peer):
    name = "torch"
    device = "cpu"

    def __init__(self, task):
        super().__init__(task)
        torch = self.torch = importlib.import_module("torch")
        torch.backends.cuda.matmul.allow_tf32 = False
        layers = []
        for w, b in zip(task.weights, task.biases):
            linear = torch.nn.Linear(w.shape[1], w.shape[0])
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(w))
                linear.bias.copy_(torch.from_numpy(b))
            layers += [linear, torch.nn.ReLU()]
        self.model = torch.nn.Sequential(*layers[:-1]).to(self.device)
        self.x = torch.from_numpy(task.x).to(self.device)
        self.y = torch.from_numpy(task.y.astype(np.float32)[:, None] if task.binary else task.y.astype(np.int64)).to(self.device)
        self.criterion = torch.nn.BCEWithLogitsLoss() if task.binary else torch.nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=LEARNING_RATE, fused=True)

    def permutation(self):
        return self.torch.randperm(self.task.rows, device=self.device)

    def step(self, rows):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.criterion(self.model(self.x[rows]), self.y[rows])
        loss.backward()
        self.optimizer.step()
        return loss.detach()


class Jax(Peer):
    name = "jax"

    def __init__(self, task):
        super().__init__(task)
        jax = self.jax = importlib.import_module("jax")
        jnp = jax.numpy
        self.x, self.y = jnp.asarray(task.x), jnp.asarray(task.y)
        self.parameters = [(jnp.asarray(w.T), jnp.asarray(b)) for w, b in zip(task.weights, task.biases)]

        def loss_of(parameters, x, y):
            for w, b in parameters[:-1]:
                x = jax.nn.relu(x @ w + b)
            z = x @ parameters[-1][0] + parameters[-1][1]
            if task.binary:
                z = z[:, 0]
                return jnp.mean(jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z))))
            return jnp.mean(jax.nn.logsumexp(z, axis=1) - jnp.take_along_axis(z, y[:, None], axis=1)[:, 0])

        def update(parameters, x, y):
            loss, gradient = jax.value_and_grad(loss_of)(parameters, x, y)
            return jax.tree.map(lambda p, g: p - LEARNING_RATE * g, parameters, gradient), loss

        self.step_full = jax.jit(update, donate_argnums=0)
        self.step_rows = jax.jit(lambda p, x, y, rows: update(p, x[rows], y[rows]), donate_argnums=0)

    def step(self, rows):
        if isinstance(rows, slice):
            rows = slice(*rows.indices(self.task.rows))
            whole = rows.stop - rows.start == self.task.rows
            x, y = (self.x, self.y) if whole else (self.x[rows], self.y[rows])
            self.parameters, loss = self.step_full(self.parameters, x, y)
        else:
            self.parameters, loss = self.step_rows(self.parameters, self.x, self.y, rows)
        return loss


class ScikitLearn(Peer):
    """MLPClassifier: whole epochs, as partial_fit makes them; its two-class networks have one output."""

    name = "sklearn"

    def __init__(self, task):
        super().__init__(task)
        if len(task.units) < 3 or (not task.binary and task.units[-1] == 2):
            raise NotImplementedError("no such network")
        network = importlib.import_module("sklearn.neural_network").MLPClassifier
        self.classes = np.arange(2 if task.binary else task.units[-1])
        self.network = network(
            hidden_layer_sizes=task.units[1:-1], solver="sgd", momentum=0.0, nesterovs_momentum=False, alpha=0.0,
            learning_rate_init=LEARNING_RATE, batch_size=task.batch, shuffle=True)
        self.network.partial_fit(task.x[: task.batch], task.y[: task.batch], classes=self.classes)
        for layer, (w, b) in enumerate(zip(task.weights, task.biases)):
            self.network.coefs_[layer][...] = w.T
            self.network.intercepts_[layer][...] = b

    def step(self, rows):
        self.network.partial_fit(self.task.x[rows], self.task.y[rows])
        return self.network.loss_

    def run(self, steps):
        """One epoch, whatever is asked for; timed() divides by its steps."""
        self.network.partial_fit(self.task.x, self.task.y)
        return self.network.loss_

    def steps_of(self, steps):
        return -(-self.task.rows // self.task.batch)


class GgmlTask(ctypes.Structure):
    """peer_task of bench/ggml/peer.c."""

    _fields_ = [(name, ctypes.c_void_p) for name in ("units", "features", "labels", "weights", "biases")] + [
        (name, ctypes.c_int64) for name in ("layers", "rows", "batch")] + [("learning_rate", ctypes.c_float)]


class Ggml(Peer):
    """ggml_opt with plain descent, in the library that bench/ggml.sh makes."""

    name = "ggml"
    library = ".ggml/ggml/libggml_peer.so"

    def __init__(self, task):
        super().__init__(task)
        if task.binary or task.rows % task.batch:
            raise NotImplementedError("no such loss, or the last batch is short")
        try:
            self.ggml = ctypes.CDLL(self.library)
        except OSError:
            raise ImportError("bench/ggml.sh makes it") from None
        self.ggml.peer_new.restype = ctypes.c_void_p
        self.ggml.peer_step.restype = ctypes.c_float
        self.peer = ctypes.c_void_p(self.new_peer(task))
        self.ggml.peer_set_threads(self.peer, os.cpu_count())

    def new_peer(self, task):
        """ggml copies all that it is handed."""
        units = np.array(task.units, np.int64)
        x, y = np.ascontiguousarray(task.x, np.float32), np.eye(task.units[-1], dtype=np.float32)[task.y.astype(np.int64)]
        pointers = [(ctypes.c_void_p * len(a))(*(t.ctypes.data for t in a)) for a in (task.weights, task.biases)]
        return self.ggml.peer_new(ctypes.byref(GgmlTask(
            units.ctypes.data, x.ctypes.data, y.ctypes.data, *(ctypes.addressof(p) for p in pointers),
            len(task.weights), task.rows, task.batch, LEARNING_RATE)))

    def check(self):
        """Then settles on the number of threads that is the quickest."""
        losses = super().check()
        seconds = {}
        for threads in [*range(1, os.cpu_count() + 1)] * 2:
            self.ggml.peer_set_threads(self.peer, threads)
            seconds[threads] = min(seconds.get(threads, np.inf), timed(self, 5))
        self.ggml.peer_set_threads(self.peer, min(seconds, key=seconds.get))
        print("  ggml: " + ", ".join(f"{t} threads {s * 1e3:.3g} ms" for t, s in seconds.items()), file=sys.stderr)
        return losses

    def next_rows(self):
        """The batches of ggml's data set, which shuffles itself."""
        if self.at == 0:
            self.ggml.peer_shuffle(self.peer)
        rows = slice(self.at, self.at + self.task.batch)
        self.at = rows.stop % self.task.rows
        return rows

    def step(self, rows):
        return self.ggml.peer_step(self.peer, ctypes.c_int64(rows.start // self.task.batch))


class GgmlOpenBlas(Ggml):
    """As bench/ggml.sh openblas makes it. With OMP_WAIT_POLICY=passive two threads do not wait on OpenBLAS's cores."""

    name = "ggml-openblas"
    library = ".ggml/ggml-openblas/libggml_peer.so"


PEERS = {peer.name: peer for peer in (PyTorch, NumPy, Jax, ScikitLearn, Ggml, GgmlOpenBlas)}


def tanda(arguments, workload, device, *more):
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}  # the peers' own
    with tempfile.NamedTemporaryFile(suffix=".json") as output:
        subprocess.run([arguments.tanda, "bench", "--skip-limits", "--filter", f"^{workload}$", "--device", device,
                        "--output", output.name, *more], check=True, stdout=subprocess.DEVNULL, env=environment)
        with open(output.name) as file:
            return next(b for b in json.load(file)["benchmarks"] if b.get("aggregate_name") == "median")


def timed(peer, steps):
    steps_done = peer.steps_of(steps) if hasattr(peer, "steps_of") else steps
    start = time.perf_counter()
    peer.run(steps)
    return (time.perf_counter() - start) / steps_done


def agrees(losses, expected):
    return all(abs(a - b) <= AGREEMENT * abs(b) for a, b in zip(losses, expected))


def start_peers(arguments, task):
    """The peers that apply, with the steps that fill a round."""
    started = []
    for name in arguments.peers.split(","):
        try:
            peer = PEERS[name](task)
        except (ImportError, NotImplementedError) as reason:
            print(f"  {name}: left out ({reason})", file=sys.stderr)
            continue
        losses = peer.check()
        if not agrees(losses, task.losses):
            print(f"  {name}: losses {losses} differ from tanda's {task.losses}", file=sys.stderr)
        seconds = timed(peer, 1)
        seconds = min(seconds, timed(peer, max(1, int(0.02 / seconds))))
        started.append((peer, max(LEAST_STEPS_PER_ROUND, int(arguments.seconds / seconds)), agrees(losses, task.losses)))
    return started


def compare(arguments, workload, folder):
    devices = arguments.device.split(",")
    figures = tanda(arguments, workload, devices[0], "--export", folder, "--repetitions", "1", "--min-time", "0.001")
    task = Task(workload, figures, folder)
    times = {f"tanda {device}": [] for device in devices}
    peers = start_peers(arguments, task)
    for _ in range(arguments.rounds):
        for device in devices:
            time.sleep(arguments.pause)
            found = tanda(arguments, workload, device, "--repetitions", "3", "--min-time", str(arguments.seconds / 3))
            times[f"tanda {device}"].append(found["real_time"] * 1e-6)
        for peer, steps, _ in peers:
            time.sleep(arguments.pause)
            times.setdefault(peer.name, []).append(timed(peer, steps))
    ours = statistics.median(times[f"tanda {devices[0]}"])
    agreement = {peer.name: fine for peer, _, fine in peers}
    return [{"workload": workload, "runner": name, "median_seconds": statistics.median(t), "min_seconds": min(t),
             "max_seconds": max(t), "krows_per_second": task.rows_per_step() / statistics.median(t) / 1e3,
             "ratio": statistics.median(t) / ours, "losses_agree": agreement.get(name)}
            for name, t in times.items()]


def show(lines):
    for line in lines:
        agree = {True: "", False: "LOSSES DIFFER", None: ""}[line["losses_agree"]]
        print(f"{line['workload']:34} {line['runner']:12} {line['median_seconds'] * 1e3:10.4f} ms "
              f"{line['min_seconds'] * 1e3:10.4f} .. {line['max_seconds'] * 1e3:<10.4f} {line['krows_per_second']:9.1f} krow/s "
              f"{line['ratio']:7.2f}x {agree}",
              flush=True)


def versions():
    found = {}
    for name in ("numpy", "torch", "jax", "sklearn"):
        try:
            found[name] = importlib.import_module(name).__version__
        except ImportError:
            pass
    for peer in (Ggml, GgmlOpenBlas):
        if os.path.exists(peer.library):
            version = ctypes.CDLL(peer.library).ggml_version
            version.restype = ctypes.c_char_p
            found[peer.name] = version().decode()
    return found


def write(output, results):
    """A file that is never half written: who stops this script keeps what was measured."""
    if output:
        with open(output + ".part", "w") as file:
            json.dump({"versions": versions(), "results": results}, file, indent=2)
        os.replace(output + ".part", output)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tanda", default="build-release/tanda", help="the program")
    parser.add_argument("--filter", default="^(logistic|softmax|mlp)", help="workloads (regular expression)")
    parser.add_argument("--device", default="cpu", help="tanda's devices; ratios are to the first")
    parser.add_argument("--peers", default="torch,numpy,jax,sklearn,ggml")
    parser.add_argument("--rounds", type=int, default=7, help="times in turn")
    parser.add_argument("--seconds", type=float, default=0.2, help="of one peer in one round, about")
    parser.add_argument("--pause", type=float, default=0.5,
                        help="seconds before each time: threads that wait for more to do keep the cores busy for a while")
    parser.add_argument("--torch-device", default="cpu", help="PyTorch's: cuda:0")
    parser.add_argument("--output", help="JSON file, written after each workload")
    arguments = parser.parse_args()
    PyTorch.device = arguments.torch_device
    warnings.filterwarnings("ignore")
    names = subprocess.run([arguments.tanda, "bench", "--list", "--filter", arguments.filter], check=True,
                           capture_output=True, text=True).stdout.split()
    results = []
    for name in names:
        if not name.startswith(("logistic", "softmax", "mlp")) or name.endswith("no-loss"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            lines = compare(arguments, name, folder)
        show(lines)
        results += lines
        write(arguments.output, results)
    return 1 if any(line["losses_agree"] is False for line in results) else 0


if __name__ == "__main__":
    sys.exit(main())
