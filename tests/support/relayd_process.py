"""Starts the real relayd as its users do, on ports that the system chooses, and tells where it listens."""
import fcntl
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request

SMALLEST_PIPE_BYTES = 4096


def free_port():
    """A port for a relay that must be found without its log."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Relayd:
    """A running relayd. Use it as a context manager: it is gone afterwards, whatever happened.

    prefix      a command that starts it, such as prlimit
    stalls_log  nobody reads its log once it listens: a small pipe, which is full after some thirty lines
    """

    def __init__(self, config="", environment=None, prefix=(), stalls_log=False):
        self._folder = tempfile.TemporaryDirectory()
        self.config_file = os.path.join(self._folder.name, "relay.yaml")
        with open(self.config_file, "w", encoding="utf-8") as file:
            file.write(config)
        ports = {"RELAY_SERVER_PORT": "0", "RELAY_METRICS_PORT": "0"}
        self.process = subprocess.Popen(
            [*prefix, os.environ["RELAYD"], "--config-file", self.config_file],
            stderr=subprocess.PIPE, text=True, env={**os.environ, **ports, **(environment or {})})
        self._stalls_log = stalls_log
        if stalls_log:
            fcntl.fcntl(self.process.stderr, fcntl.F_SETPIPE_SZ, SMALLEST_PIPE_BYTES)
        self.log = []
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        if not self._listening.wait(20) or not hasattr(self, "ops"):
            self.kill()
            raise RuntimeError("relayd did not start:\n" + "\n".join(self.log))

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line.rstrip("\n"))
            if found := re.search(r"listening on (wss?://\S+)", line):
                self.url = found.group(1).rstrip('"}')
            if found := re.search(r"metrics at (http://[^\s\"]+)/metrics", line):
                self.ops = found.group(1)
                self._listening.set()
                if self._stalls_log:
                    return
        self._listening.set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self._reader.join(10)
        self.process.stderr.close()
        self._folder.cleanup()

    @property
    def port(self):
        """Where clients connect."""
        return int(self.url.rstrip("/").rsplit(":", 1)[1])

    @property
    def ops_port(self):
        return int(self.ops.rsplit(":", 1)[1])

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)

    def terminate(self, timeout=20):
        """SIGTERM; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(timeout)

    def wait(self, timeout=20):
        """Waits until it has ended; returns the exit status."""
        status = self.process.wait(timeout)
        self._reader.join(10)
        return status

    def get(self, path):
        """(status, text) of the ops port."""
        try:
            with urllib.request.urlopen(self.ops + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metric(self, name):
        """The value of one sample, named with its labels as Prometheus prints them."""
        for line in self.get("/metrics")[1].splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        raise KeyError(name)
