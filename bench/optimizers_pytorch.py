"""200 steps with each optimizer, by tanda and by PyTorch: the same data, initial weights, batches and constants.

    python bench/optimizers_pytorch.py [--tanda build-release/tanda]

Needs PyTorch and NumPy. Plain descent, momentum and nesterov are torch.optim.SGD; where PyTorch's formula is another
than Keras 3's (epsilon outside the root, or corrected moments), Keras's is written here by hand, in PyTorch's binary32.
Rows are taken in the order of the file. Prints the loss over all rows after the steps, of both, and the relative
difference; ends with 1 where one is above 1e-5. tests/training/test_optimizer_losses.c holds tanda to PyTorch's figures.
"""

import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile

import numpy as np
import torch

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
AGREEMENT = 1e-5
EPSILON = 1e-7

TASKS = {  # rows of a batch such that an epoch has a divisor of 200 steps
    "digits": {"batch": 90, "epochs": 10},
    "breast_cancer": {"batch": 57, "epochs": 20},
}


# ---- Keras 3's formulas, keras/src/optimizers --------------------------------------------------------------------


class Rule:
    """state: tensors of one parameter; step counts from 1."""

    def __init__(self, **constants):
        self.__dict__.update(constants)
        self.state = {}

    def of(self, w, name, value=0.0):
        return self.state.setdefault((id(w), name), torch.full_like(w, value))


class AdaGrad(Rule):
    def update(self, w, g, step):
        a = self.of(w, "accumulator", 0.1)
        a += g * g
        w -= self.rate * g / torch.sqrt(a + EPSILON)


class RMSprop(Rule):
    def update(self, w, g, step):
        v = self.of(w, "velocity")
        v.copy_(0.9 * v + 0.1 * g * g)
        denominator = v + EPSILON
        if self.centered:
            a = self.of(w, "average")
            a.copy_(0.9 * a + 0.1 * g)
            denominator = v - a * a + EPSILON
        increment = self.rate * g / torch.sqrt(denominator)
        if self.momentum > 0:
            b = self.of(w, "momentum")
            b.copy_(self.momentum * b + increment)
            increment = b
        w -= increment


class Adam(Rule):
    def update(self, w, g, step):
        m, v = self.of(w, "m"), self.of(w, "v")
        w -= w * self.decay * self.rate
        alpha = self.rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        m += (g - m) * (1 - 0.9)
        v += (g * g - v) * (1 - 0.999)
        if self.amsgrad:
            v = torch.maximum(self.of(w, "v_hat"), v)
            self.state[(id(w), "v_hat")] = v
        w -= alpha * m / (torch.sqrt(v) + EPSILON)


class Torch:
    """One of PyTorch's own."""

    def __init__(self, **options):
        self.options, self.optimizer = options, None

    def update_all(self, parameters):
        if self.optimizer is None:
            self.optimizer = torch.optim.SGD(parameters, **self.options)
        self.optimizer.step()


OPTIMIZERS = [  # name, tanda's options, the rule
    ("sgd", "--learning-rate 0.05", lambda: Torch(lr=0.05)),
    ("sgd, L2", "--learning-rate 0.05 --l2 0.01", lambda: Torch(lr=0.05)),
    ("sgd, clipped by norm", "--learning-rate 0.05 --clip-norm 0.5", lambda: Torch(lr=0.05)),
    ("momentum", "--optimizer momentum", lambda: Torch(lr=0.01, momentum=0.9)),
    ("nesterov", "--optimizer nesterov", lambda: Torch(lr=0.01, momentum=0.9, nesterov=True)),
    ("adagrad", "--optimizer adagrad --learning-rate 0.01", lambda: AdaGrad(rate=0.01)),
    ("rmsprop", "--optimizer rmsprop", lambda: RMSprop(rate=0.001, centered=False, momentum=0)),
    (
        "rmsprop, centered",
        "--optimizer rmsprop --centered --momentum 0.5",
        lambda: RMSprop(rate=0.001, centered=True, momentum=0.5),
    ),
    ("adam", "--optimizer adam", lambda: Adam(rate=0.001, decay=0, amsgrad=False)),
    ("adam, AMSGrad", "--optimizer adam --amsgrad", lambda: Adam(rate=0.001, decay=0, amsgrad=True)),
    ("adamw", "--optimizer adamw --weight-decay 0.1", lambda: Adam(rate=0.001, decay=0.1, amsgrad=False)),
]


# ---- data and weights --------------------------------------------------------------------------------------------


def read_model(path):
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values = np.frombuffer(data[8 + size + begin : 8 + size + end], dtype="<f4")
            tensors[name] = values.reshape(entry["shape"]).copy()
    return header["__metadata__"], tensors


def load_rows(path, metadata):
    scaling = json.loads(metadata["scaling"])
    classes = json.loads(metadata["class_names"])
    with open(path) as file:
        lines = [line.strip().split(",") for line in file][1:]
    x = np.array([line[:-1] for line in lines], dtype=np.float32)
    x = (x - np.array(scaling["center"], dtype=np.float32)) * np.array(scaling["factor"], dtype=np.float32)
    return torch.tensor(x), torch.tensor([classes.index(line[-1]) for line in lines])


def make_network(tensors):
    layers = []
    for name in sorted(name for name in tensors if name.endswith("weight")):
        weight, bias = tensors[name], tensors[name[: -len("weight")] + "bias"]
        layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.copy_(torch.tensor(bias))
        layers += [layer, torch.nn.Tanh()]
    return torch.nn.Sequential(*layers[:-1])


def loss_of(network, x, y):
    logits = network(x)
    if logits.shape[1] == 1:
        return torch.nn.functional.binary_cross_entropy_with_logits(logits[:, 0], y.to(torch.float32))
    return torch.nn.functional.cross_entropy(logits, y)


# ---- both --------------------------------------------------------------------------------------------------------


def train_pytorch(network, x, y, batch, epochs, rule, options):
    words = options.split()
    l2 = float(words[words.index("--l2") + 1]) if "--l2" in words else 0.0
    clip = float(words[words.index("--clip-norm") + 1]) if "--clip-norm" in words else 0.0
    parameters, step = list(network.parameters()), 0
    for _ in range(epochs):
        for first in range(0, len(x), batch):
            step += 1
            network.zero_grad()
            loss_of(network, x[first : first + batch], y[first : first + batch]).backward()
            with torch.no_grad():
                if clip > 0:
                    norm = torch.sqrt(sum((w.grad**2).sum() for w in parameters))
                    for w in parameters:
                        w.grad *= clip * torch.minimum(1 / norm, torch.tensor(1 / clip))
                for w in parameters:
                    if w.dim() == 2:
                        w.grad += l2 * w
                if isinstance(rule, Torch):
                    rule.update_all(parameters)
                else:
                    for w in parameters:
                        rule.update(w, w.grad, step)
    assert step == 200
    with torch.no_grad():
        return float(loss_of(network.double(), x.double(), y))


def run_tanda(program, arguments):
    command = [program, "train", "--quiet", "--json", "--shuffle", "none", "--device", "cpu"] + arguments
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tanda", default=os.path.join(REPOSITORY, "build-release", "tanda"))
    options = parser.parse_args()
    worst = 0.0
    for task, shape in TASKS.items():
        data = os.path.join(REPOSITORY, "datasets", task + ".csv")
        common = ["--data", data, "--hidden", "32", "--activation", "tanh", "--batch", str(shape["batch"])]
        with tempfile.TemporaryDirectory() as folder:
            start = os.path.join(folder, "start.safetensors")
            # A rate so small that no weight moves: the initial weights.
            run_tanda(options.tanda, common + ["--epochs", "1", "--learning-rate", "1e-37", "--output", start])
            metadata, tensors = read_model(start)
        x, y = load_rows(data, metadata)
        for name, words, rule in OPTIMIZERS:
            mine = run_tanda(options.tanda, common + ["--epochs", str(shape["epochs"])] + words.split())
            network = make_network(tensors)
            theirs = train_pytorch(network, x, y, shape["batch"], shape["epochs"], rule(), words)
            difference = abs(mine["loss"] - theirs) / theirs
            worst = max(worst, difference)
            print(f"{task:14} {name:22} tanda {mine['loss']:.9f}  PyTorch {theirs:.9f}  {difference:.1e}", flush=True)
    print(f"largest relative difference: {worst:.1e}, PyTorch {torch.__version__}")
    return 0 if worst <= AGREEMENT else 1


if __name__ == "__main__":
    sys.exit(main())
