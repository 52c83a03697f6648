"""How long innocent clients wait while others attack. Run by `scripts/hostile --measure`; not part of the tests.

The innocent pair is a process of its own at normal priority, the attackers are another one at nice 10, and the relay has
all cores. Messages go out on a schedule that does not wait for the ones before: a relay that is silent for a second makes
fifty messages wait, and all of them count.
"""
import gc
import json
import multiprocessing
import os
import resource
import select
import socket
import subprocess
import sys
import tempfile
import time

from attacks import JUDGED, OTHERS
from peer import TEXT, Peer, frame

MESSAGES_A_SECOND = 50
SECONDS = 10
SETTLE_SECONDS = 90  # how long messages are waited for that an attack has held up
ATTACKERS_NICE = 10

WORST_MS = 250
P99_MS = 20


class Relay:
    """relayd with its defaults, its log in a file."""

    def __init__(self, program, config):
        self._folder = tempfile.TemporaryDirectory()
        path = os.path.join(self._folder.name, "relay.yaml")
        with open(path, "w", encoding="ascii") as file:
            file.write(config)
        self.port, self.ops_port = free_ports(2)
        with open(os.path.join(self._folder.name, "log"), "wb") as log:
            self._process = subprocess.Popen(
                [program, "--config-file", path], stderr=log,
                env={**os.environ, "RELAY_SERVER_PORT": str(self.port), "RELAY_METRICS_PORT": str(self.ops_port)})
        end = time.monotonic() + 20
        while time.monotonic() < end and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.ops_port)) == 0:
                    return
            time.sleep(0.05)
        self.__exit__()
        raise RuntimeError(f"{program} does not listen")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()


def free_ports(count):
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def exchange(port, seconds, channel):
    """Two clients of one channel, on different workers, send by turns; returns how long each message took to reach
    both of them, in milliseconds, from when it was due."""
    gc.disable()
    pair = [Peer(port).join(channel) for _ in range(2)]
    waiting = [bytearray(), bytearray()]
    arrived = [0, 0]
    due, waits = [], []
    poller = select.poll()
    for peer in pair:
        peer.socket.setblocking(False)
        poller.register(peer.socket, select.POLLIN)
    numbers = {peer.socket.fileno(): number for number, peer in enumerate(pair)}
    text = frame(TEXT, bytes(30))
    size = 2 + 30  # as it comes back: without a mask
    total = seconds * MESSAGES_A_SECOND
    start = time.perf_counter()
    give_up = start + seconds + SETTLE_SECONDS
    while len(waits) < total and (now := time.perf_counter()) < give_up:
        next_due = start + len(due) / MESSAGES_A_SECOND
        if len(due) < total and now >= next_due:
            pair[len(due) % 2].socket.send(text)
            due.append(next_due)
            continue
        until = next_due - now if len(due) < total else give_up - now
        for descriptor, _ in poller.poll(max(0.0, until * 1000)):
            number = numbers[descriptor]
            received = pair[number].socket.recv(65536)
            now = time.perf_counter()
            if not received:
                return waits, total - len(waits)
            waiting[number] += received
            arrived[number] += len(waiting[number]) // size
            del waiting[number][:len(waiting[number]) // size * size]
            while len(waits) < min(arrived):
                waits.append((now - due[len(waits)]) * 1000)
    return waits, total - len(waits)


def in_process(function, *arguments, nice=0):
    """Begins it in a process of its own; the answer is a call that waits for what it returns."""
    here, there = multiprocessing.Pipe(duplex=False)

    def run():
        os.nice(nice)
        there.send(function(*arguments))

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    there.close()

    def wait():
        try:
            return here.recv()
        finally:
            process.join()
    return wait


def measure(program, attack, seconds):
    """What the pair waits without the attack and with it."""
    with Relay(program, attack.config) as relay:
        attack.prepare(relay.port)
        quiet = in_process(exchange, relay.port, seconds, "innocent/quiet")()
        pair = in_process(exchange, relay.port, seconds, "innocent/attacked")
        port = relay.ops_port if attack.on_ops_port else relay.port
        attackers = in_process(attack.run, port, seconds, nice=ATTACKERS_NICE)
        answers, connections = attackers()
        return {"attack": attack.name, "without": summary(*quiet), "with": summary(*pair()), "answers": answers,
                "connections": connections}


def summary(waits, lost):
    ordered = sorted(waits)

    def quantile(part):
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else float("inf")
    return {"p50": quantile(0.5), "p99": quantile(0.99), "worst": quantile(1), "lost": lost}


def is_met(run):
    attacked = run["with"]
    return attacked["worst"] < WORST_MS and attacked["p99"] < P99_MS and attacked["lost"] == 0


def row_of(run):
    def cells(waits):
        return [f"{waits[name]:.2f}" for name in ("p50", "p99", "worst")]
    lost = f", {run['with']['lost']} lost" if run["with"]["lost"] else ""
    return [run["attack"], *cells(run["without"]), *cells(run["with"]), f"{run['answers']}",
            f"{run['connections']}", ("holds" if is_met(run) else "MISSED") + lost]


def table(runs):
    rows = [["attack", "p50", "p99", "worst", "p50 attacked", "p99 attacked", "worst attacked", "answers",
             "connections", "bars"], *[row_of(run) for run in runs]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def run(program, names, seconds):
    """Measures these attacks one after the other; the exit status is 0 if every bar was met."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    attacks = {**JUDGED, **OTHERS}
    runs = []
    for name in names or JUDGED:
        runs.append(measure(program, attacks[name], seconds))
        print(json.dumps(runs[-1]), file=sys.stderr, flush=True)
    print(f"Milliseconds that a message takes to reach both of an innocent pair, {MESSAGES_A_SECOND} a second for "
          f"{seconds} s, without\nand with the attack (nice {ATTACKERS_NICE}); {os.cpu_count()} cores, load "
          f"{os.getloadavg()[0]:.1f}. Bars: worst under {WORST_MS} ms, p99 under {P99_MS} ms.\n")
    print(table(runs))
    return 0 if all(is_met(run) for run in runs) else 1
