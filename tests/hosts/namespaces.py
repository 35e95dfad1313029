#!/usr/bin/env python3
"""Four hosts over TCP on one machine: network namespaces behind a bridge, each with a name of its own.

    python3 tests/hosts/namespaces.py [--tanda build-release/tanda]

mpirun starts its daemons in the other namespaces by a stand-in for ssh, and ranks of different hosts share no memory:
all that travels goes by TCP. One hash, that of one process, is wanted for each training, and each host once in the line
about ranks. Then a rank is killed, and the wire of a host is cut: within 10 s all ranks have to be gone, those of the host that
is cut off, too. Skipped aloud where namespaces or Open MPI are not to be had. Needs root; leaves nothing behind.
"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HOSTS = 4
DIGITS = str(ROOT / "datasets" / "digits.csv")
TRAININGS = {
    "adam, small": f"{DIGITS} --hidden 24 --batch 1024 --epochs 3 --optimizer adam",
    "slices, dropout": f"{DIGITS} --hidden 150,120 --batch 1300 --epochs 2 --dropout 0.2",
    "full batch, beyond memory": "synthetic:blobs,rows=30011,features=40,classes=5 --batch full --epochs 5 --memory 1M",
    "lbfgs": f"{DIGITS} --hidden 8 --optimizer lbfgs --epochs 5 --l2 0.01",
}
# The launcher calls it as it does ssh: HOST COMMAND.
AGENT = """#!/bin/sh
host=$1
shift
exec ip netns exec "$host" unshare --uts sh -c 'hostname "$0"; exec sh -c "$1"' "$host" "$*"
"""


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(0)


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def must(*command):
    done = run(*command)
    if done.returncode != 0:
        skip(f"{' '.join(command)}: {done.stderr.strip()}")


class Network:
    """Namespaces on a bridge, which is in the first one, so that the machine's own network stays as it is."""

    def __init__(self):
        self.names = [f"tanda{os.getpid()}h{i}" for i in range(HOSTS)]

    def __enter__(self):
        try:
            self.make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def make(self):
        first = self.names[0]
        for name in self.names:
            must("ip", "netns", "add", name)
            must("ip", "-n", name, "link", "set", "lo", "up")
        must("ip", "-n", first, "link", "add", "bridge", "type", "bridge")
        must("ip", "-n", first, "addr", "add", "10.213.0.1/24", "dev", "bridge")
        must("ip", "-n", first, "link", "set", "bridge", "up")
        for i, name in enumerate(self.names[1:], 2):
            must("ip", "-n", first, "link", "add", f"port{i}", "type", "veth", "peer", "name", "wire", "netns", name)
            must("ip", "-n", first, "link", "set", f"port{i}", "master", "bridge", "up")
            must("ip", "-n", name, "addr", "add", f"10.213.0.{i}/24", "dev", "wire")
            must("ip", "-n", name, "link", "set", "wire", "up")

    def processes(self, host, program):
        """Those of a program that are on a host."""
        found = []
        for process in run("ip", "netns", "pids", self.names[host]).stdout.split():
            try:
                if os.readlink(f"/proc/{process}/exe") == program:
                    found.append(int(process))
            except OSError:  # it has just ended
                pass
        return found

    def __exit__(self, *_):
        for name in self.names:
            for process in run("ip", "netns", "pids", name).stdout.split():
                run("kill", "-9", process)
            run("ip", "netns", "del", name)


def start_on_hosts(network, folder, command):
    """By mpirun in the first namespace; one rank on each host. The daemons ask one another whether they are there."""
    agent = folder / "agent"
    agent.write_text(AGENT)
    agent.chmod(0o755)
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    first = network.names[0]
    launch = ["mpirun.openmpi", "--mca", "plm_rsh_agent", str(agent), "--mca", "btl", "tcp,self", "--mca", "pml", "ob1",
              "--mca", "btl_tcp_if_include", "10.213.0.0/24", "--mca", "oob_tcp_if_include", "10.213.0.0/24",
              "--mca", "oob_tcp_keepalive_time", "2", "--mca", "oob_tcp_keepalive_intvl", "1",
              "--mca", "oob_tcp_keepalive_probes", "3", "--mca", "mpi_yield_when_idle", "1", "--mca", "orte_tmpdir_base", str(folder), "--bind-to", "none",
              "--host", ",".join(network.names), "-np", str(HOSTS)]
    return subprocess.Popen(["ip", "netns", "exec", first, "unshare", "--uts", "sh", "-c", 'hostname "$0"; exec "$@"', first,
                             *launch, *command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end_of(process):
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def hash_of(done, what):
    found = re.findall(r"^weights_sha256: (\w+)$", done.stdout, re.M)
    if done.returncode != 0 or len(found) != 1:
        sys.exit(f"FAILED: {what}: exit {done.returncode}: {done.stdout}{done.stderr}")
    return found[0]


def wait_for_training(network, tanda):
    begun = time.monotonic()
    while not all(network.processes(host, tanda) for host in range(HOSTS)):
        if time.monotonic() - begun > 60:
            sys.exit("FAILED: the ranks do not start")
        time.sleep(0.1)
    time.sleep(2)


def lose(network, folder, tanda, what, fault):
    """Ranks that train for long are gone within 10 s of a fault."""
    process = start_on_hosts(network, folder, [tanda, "train", DIGITS, "--hidden", "64", "--batch", "1024", "--epochs",
                                               "10000000", "--device", "cpu,threads=1", "--quiet"])
    wait_for_training(network, tanda)
    begun = time.monotonic()
    fault(network)
    done = end_of(process)
    while any(network.processes(host, tanda) for host in range(HOSTS)) and time.monotonic() - begun < 30:
        time.sleep(0.1)
    seconds = time.monotonic() - begun
    if done.returncode == 0 or seconds > 10 or done.stderr.count("tanda: ") > 1:
        sys.exit(f"FAILED: {what}: exit {done.returncode} after {seconds:.1f} s: {done.stderr}")
    print(f"{what}: exit {done.returncode}, no rank left after {seconds:.1f} s", flush=True)


def kill(network, tanda):
    for process in network.processes(2, tanda):
        os.kill(process, signal.SIGKILL)


def cut(network):
    run("ip", "-n", network.names[2], "link", "set", "wire", "down")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tanda", default=str(ROOT / "build-release" / "tanda"))
    tanda = str(pathlib.Path(parser.parse_args().tanda).resolve())
    if os.geteuid() != 0:
        skip("network namespaces are root's to make")
    for name in ["ip", "unshare", "mpirun.openmpi"]:
        if shutil.which(name) is None:
            skip(f"there is no {name}")
    with tempfile.TemporaryDirectory(prefix="tanda_hosts_") as folder, Network() as network:
        for what, options in TRAININGS.items():
            command = [tanda, "train", *options.split(), "--device", "cpu,threads=1"]
            alone = hash_of(run(*command), what)
            several = end_of(start_on_hosts(network, pathlib.Path(folder), command))
            if hash_of(several, what) != alone:
                sys.exit(f"FAILED: {what}: {hash_of(several, what)} on {HOSTS} hosts, {alone} alone")
            if f"ranks: {HOSTS} on {HOSTS} hosts" not in several.stderr:
                sys.exit(f"FAILED: {what}: not on {HOSTS} hosts: {several.stderr}")
            print(f"{what}: {alone[:16]}... on {HOSTS} hosts", flush=True)
        lose(network, pathlib.Path(folder), tanda, "a rank is killed", lambda network: kill(network, tanda))
        lose(network, pathlib.Path(folder), tanda, "a wire is cut", cut)


if __name__ == "__main__":
    main()
