#!/usr/bin/env python3
"""Time of a step on 1 to 1,024 hosts, on paper: the tables of docs/scale.md. Nothing here has run on so many.

    python3 bench/hosts/scale.py
"""
from math import ceil, log2

TILE = 256  # rows

# Measured by one thread of an AMD EPYC 9004 (AVX-512): user time of a full batch, tanda train --device cpu,threads=1.
# us of a core for a tile; a card's from bench/gpu_model.md (H100), at a batch that fills it; parameters; bytes of a tile.
WORKLOADS = [
    ("28 features, logistic, 100M rows full", 390625, 2.1, 143.6 / 15625, 29, 28 * TILE * 4),
    ("784-512-512-10, batch 65,536", 256, 8080.0, 300 / 16, 669706, 784 * TILE * 4),
    ("784-512-512-10, batch 1,048,576", 4096, 8080.0, 300 / 16, 669706, 784 * TILE * 4),
    ("1024-1024-1024-1024-10, batch 65,536", 256, 42700.0, 530.8 / 4, 4208650, 1024 * TILE * 4),
    ("300-5000, softmax, batch 65,536", 256, 16200.0, 2 * 3 * 300 * 5000 * TILE / 40e12 * 1e6, 1505000, 300 * TILE * 4),
]

CORES, CARDS = 64, 8  # of a host
SPEED_UP = 0.8  # of 64 cores over one that has the machine to itself, as clocks and caches are shared
SHARED_TILE = 0.4  # the same where tiles are fewer than cores, which then share each op of a tile
HOST_BYTES = 200e3  # bytes per us from the memory of a host of 64 cores
CARD_LAUNCHES = 20.0  # us of a card's step that no number of ranks makes shorter

# Taken for granted of the network: 100 Gb/s per host, 90 % of it for data; RDMA.
LATENCY = 3.0  # us for a message
MESSAGE = 0.4  # us of the processor for each further message that is under way at once
WIRE = 0.9 * 100e9 / 8 / 1e6  # bytes per us
PCIE = 25e3  # bytes per us
ADDING = 8e3  # bytes per us that a thread reads and adds
COPYING = 8e3
SLICED = 65536  # bytes of all ranks from which on slices are exchanged: SHARING_LEAST_SLICED


def gather(ranks, per_host, own_bytes):
    """All get what each has: bytes through a host's card, and messages."""
    received = per_host * (ranks - per_host) * own_bytes
    return LATENCY * ceil(log2(ranks)) + received / WIRE


def exchange(ranks, per_host, parameters):
    size = 4 * parameters
    if ranks == 1:
        return 0.0
    if size * ranks < SLICED:
        return gather(ranks, per_host, size + 16) + ranks * size / ADDING
    messages = 2 * (LATENCY + MESSAGE * (ranks - 1))
    travel = 2 * per_host * (ranks - per_host) * (size / ranks) / WIRE
    return messages + travel + size / COPYING + size / ADDING


def step(workload, hosts, cards):
    _, tiles, core, card, parameters, tile_bytes = workload
    per_host = CARDS if cards else 1
    ranks = hosts * per_host
    most = ceil(tiles / ranks)  # tiles of the busiest rank
    if cards:
        work = most * card + CARD_LAUNCHES + (2 * 4 * parameters / PCIE if ranks > 1 else 0.0)
    else:
        share = SPEED_UP if most >= CORES else SHARED_TILE
        work = max(most * core / (CORES * share), most * tile_bytes / HOST_BYTES)
    return work, exchange(ranks, per_host, parameters)


def text_of(us):
    return f"{us / 1e3:,.2f} ms" if us >= 1e3 else f"{us:,.0f} us"


def table(cards):
    counts = [1, 2, 4, 16, 64, 256, 1024]
    print("| workload | " + " | ".join(f"{n:,} host{'s' if n > 1 else ''}" for n in counts) + " |")
    print("|---|" + "--:|" * len(counts))
    for workload in WORKLOADS:
        alone = sum(step(workload, 1, cards))
        cells = []
        for hosts in counts:
            work, exchanged = step(workload, hosts, cards)
            time = work + exchanged
            cells.append(f"{text_of(time)}, {alone / time:.1f} x, {100 * exchanged / time:.0f} %")
        print(f"| {workload[0]} | " + " | ".join(cells) + " |")


print("Hosts of 64 cores, one rank each:\n")
table(False)
print("\nHosts of 8 cards (H100), one rank each card:\n")
table(True)
