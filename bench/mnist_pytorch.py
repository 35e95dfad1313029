"""MNIST for five epochs, in tanda and in PyTorch: same first weights, same batches in the same order, same constants.

Sums in another order give other roundings, and training makes them grow: how far apart they may end, PyTorch itself
tells, by a second run with the hidden units in another order, which is the same network. tanda must end within three
times their difference, in the loss of each epoch and in the weights.

Run with the Python of bench/peers.sh's environment:
.venv/bin/python bench/mnist_pytorch.py FOLDER [build-release/tanda], where FOLDER has MNIST's four files.
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile

import numpy
import torch
from safetensors import safe_open
from safetensors.numpy import load_file

EPOCHS, BATCH, RATE, HIDDEN = 5, 128, 0.1, 128


def read(folder, name, header):
    with gzip.open(f"{folder}/{name}", "rb") as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=header)


def tanda(program, folder, output, *options):
    """Losses of the epochs; the model goes to `output`."""
    log = output + ".jsonl"
    subprocess.run(
        [program, "train", "--device", "cpu", "--data", f"{folder}/train-images-idx3-ubyte.gz", "--labels",
         f"{folder}/train-labels-idx1-ubyte.gz", "--hidden", str(HIDDEN), "--shuffle", "none", "--batch", str(BATCH),
         "--quiet", "--output", output, "--log", log, *options], check=True, stdout=subprocess.DEVNULL)
    with open(log) as lines:
        return [line["loss"] for line in map(json.loads, lines) if "epoch" in line]


def pytorch(images, labels, tensors, order):
    """Losses of the epochs and the weights, with the hidden units in this order while it trains."""
    net = torch.nn.Sequential(torch.nn.Linear(784, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 10))
    first, bias, second = tensors["0.weight"][order], tensors["0.bias"][order], tensors["2.weight"][:, order]
    net.load_state_dict({name: torch.tensor(numpy.ascontiguousarray(value)) for name, value in
                         (("0.weight", first), ("0.bias", bias), ("2.weight", second), ("2.bias", tensors["2.bias"]))})
    loss_of = torch.nn.CrossEntropyLoss(reduction="sum")
    optimizer = torch.optim.SGD(net.parameters(), RATE)
    losses = []
    for _ in range(EPOCHS):
        total = 0.0
        for begin in range(0, len(labels), BATCH):
            x, y = images[begin:begin + BATCH], labels[begin:begin + BATCH]
            optimizer.zero_grad()
            loss = loss_of(net(x), y)
            (loss / len(y)).backward()
            optimizer.step()
            total += loss.item()
        losses.append(total / len(labels))
    back = numpy.argsort(order)
    return losses, [net[0].weight.detach().numpy()[back], net[2].weight.detach().numpy()[:, back]]


def distance(one, other):
    return numpy.sqrt(sum(((a.astype(float) - b) ** 2).sum() for a, b in zip(one, other)))


def main():
    folder = sys.argv[1]
    program = sys.argv[2] if len(sys.argv) > 2 else "build-release/tanda"
    images = read(folder, "train-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    labels = torch.tensor(read(folder, "train-labels-idx1-ubyte.gz", 8).astype(numpy.int64))
    with tempfile.TemporaryDirectory() as work:
        # A step of this length changes no weight: so the first weights are written.
        tanda(program, folder, f"{work}/first.safetensors", "--epochs", "1", "--learning-rate", "1e-30")
        ours = tanda(program, folder, f"{work}/last.safetensors", "--epochs", str(EPOCHS), "--learning-rate",
                     str(RATE))
        with safe_open(f"{work}/last.safetensors", "np") as file:
            scaling = json.loads(file.metadata()["scaling"])
        first, last = load_file(f"{work}/first.safetensors"), load_file(f"{work}/last.safetensors")
    center, factor = (numpy.array(scaling[name], numpy.float32) for name in ("center", "factor"))
    images = torch.tensor((images.astype(numpy.float32) - center) * factor)
    plain, weights = pytorch(images, labels, first, numpy.arange(HIDDEN))
    shuffled, shuffled_weights = pytorch(images, labels, first, numpy.random.default_rng(1).permutation(HIDDEN))
    print("epoch  loss in tanda  in PyTorch   permuted     tanda - PyTorch  permuted - PyTorch")
    for epoch, (a, b, c) in enumerate(zip(ours, plain, shuffled), 1):
        print(f"{epoch:5}  {a:13.9f}  {b:.9f}  {c:.9f}  {a - b:15.2e}  {c - b:18.2e}")
    mine = distance([last["0.weight"], last["2.weight"]], weights)
    theirs = distance(shuffled_weights, weights)
    widest = max(abs(c - b) for b, c in zip(plain, shuffled))
    farthest = max(abs(a - b) for a, b in zip(ours, plain))
    print(f"largest difference of losses: tanda {farthest:.2e}, permuted {widest:.2e}, ratio {farthest / widest:.2f}")
    print(f"distance of the weights:      tanda {mine:.2e}, permuted {theirs:.2e}, ratio {mine / theirs:.2f}")
    sys.exit(int(farthest > 3 * widest or mine > 3 * theirs))


main()
