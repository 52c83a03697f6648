"""Waits for the lines that another program prints."""
import contextlib
import os
import signal
import subprocess
import threading


class Lines:
    """A process whose lines are waited for. Use as a context manager: it and its children are gone afterwards."""

    def __init__(self, *command, environment=None):
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                                         env={**os.environ, **(environment or {})}, start_new_session=True)
        self._lines = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            with self._changed:
                self._lines.append(line.rstrip("\n"))
                self._changed.notify()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        self._reader.join(10)
        self._process.stdout.close()

    def wait(self):
        """Until it ends by itself; gives its exit status."""
        return self._process.wait(30)

    def wait_for(self, wanted):
        """The first line that is wanted, and is not older than the one before; all before it are forgotten."""
        with self._changed:
            while True:
                while self._lines:
                    line = self._lines.pop(0)
                    if wanted(line):
                        return line
                if not self._changed.wait(30):
                    raise AssertionError("the line never came")
