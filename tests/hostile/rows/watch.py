"""What an operator is told of a relay that cannot do what it should.

Nothing that a client sends should make a worker hang. A debugger can, which is what is done here.
"""
import ctypes
import errno
import os
import unittest

from peer import request
from row import Row, clients, failed_handshakes, requests
from stage import eventually

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WAIT_FOR_THREADS = 0x40000000  # __WALL

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def workers(pid):
    """The threads of the process that serve clients."""
    threads = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/comm", encoding="utf-8") as file:
            if file.read().startswith("relay-worker"):
                threads.append(int(thread))
    return threads


def trace(request, thread):
    if libc.ptrace(request, thread, None, None) < 0:
        error = ctypes.get_errno()
        if error == errno.EPERM:
            raise unittest.SkipTest("this machine does not let a process hold a thread of its child (ptrace)")
        raise OSError(error, os.strerror(error))


class Held:
    """A thread that does not run, while the others of its process do."""

    def __init__(self, thread):
        self._thread = thread

    def __enter__(self):
        trace(PTRACE_SEIZE, self._thread)
        trace(PTRACE_INTERRUPT, self._thread)
        os.waitpid(self._thread, WAIT_FOR_THREADS)

    def __exit__(self, *_):
        trace(PTRACE_DETACH, self._thread)


def status(stage, path):
    return stage.relay.get(path)[0]


def a_worker_hangs(stage):
    assert (status(stage, "/-/healthz"), status(stage, "/-/readyz")) == (200, 200), "idle workers are healthy"
    with Held(workers(stage.pid)[0]):
        for path in ("/-/healthz", "/-/readyz"):
            eventually(lambda at=path: status(stage, at), lambda code: code == 503, f"{path} of a relay that hangs")
        longest = [value for name, value in stage.metrics.all().items()
                   if name.startswith("relay_worker_longest_turn_seconds{")]
        assert len(longest) == 2 and max(longest) >= 5 > min(longest), longest
    for path in ("/-/healthz", "/-/readyz"):
        eventually(lambda at=path: status(stage, at), lambda code: code == 200, f"{path} of a relay that goes on")


OPEN_FILES = 200


def tells_the_limit_in_force(stage):
    """limits.connections asks for more than the open files allow: the operator is told, and so is each client over it."""
    in_force = int(stage.metrics.all()["relay_max_connections"])
    assert 2 < in_force < OPEN_FILES, in_force
    assert any("limits.connections" in line and str(in_force) in line for line in stage.relay.log), stage.relay.log
    peers = [stage.peer() for _ in range(in_force - 2)]
    for peer in peers:
        peer.join("hostile/many")
    for _ in range(10):
        assert stage.peer().ask(request("GET", "/hostile/many")).status == 503
    for peer in peers:
        peer.reset()
    return clients(1006, len(peers)) + requests("GET", 503, 10) + failed_handshakes("connection_limit", 10)


ROWS = [
    Row("a worker that does not turn", "health and readiness say so, and take it back", a_worker_hangs),
    Row("fewer open files than limits.connections", "the operator is told what is in force", tells_the_limit_in_force,
        relay={"environment": {"RELAY_LIMITS_CONNECTIONS": "5000"},
               "prefix": ("prlimit", f"--nofile={OPEN_FILES}:{OPEN_FILES}")}),
]
