"""A relay that is attacked, two clients that have nothing to do with it, and the books that must balance afterwards."""
import os
import sys
import time
from collections import Counter

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from metrics import STATE, Metrics, audited, difference  # noqa: E402
from peer import CLOSE, PATIENCE_SECONDS, TEXT, Peer, descriptors, frame, resident_bytes  # noqa: E402
from relayd_process import Relayd  # noqa: E402

# Two workers, whatever the machine has: the innocent pair is on both. What hostile clients publish is not kept, so that
# a relay that they have left holds what it held before. Nobody is pinged, however slow the machine is.
CONFIG = """
server: {workers: 2}
keepalive: {interval: 0}
channels:
  - {match: "hostile/**", history: {messages: 0}}
"""

# The allocator keeps some of what was freed for the next request: this much of it, measured over each group of rows. A
# deed's own bytes are more, where a row is about memory.
MEMORY_TOLERANCE_BYTES = 16 * 1024 * 1024

# A sanitizer keeps freed memory to find those who still use it.
IS_MEMORY_CHECKED = not os.environ.get("HOSTILE_SANITIZER")


def eventually(look, is_right, what):
    """Looks until it is right. Nothing here takes long; the limit only ends a test that has gone wrong."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_right(seen := look()):
        if time.monotonic() > end:
            raise AssertionError(f"{what}: {seen}")
        time.sleep(0.005)
    return seen


class Innocents:
    """Two clients in a channel of their own. Each message must come back to both, in order, and nothing else may."""

    def __init__(self, port, tls=False):
        self._pair = [Peer(port, tls=tls).join("innocent/pair") for _ in range(2)]
        self.messages = 0

    def close(self):
        for peer in self._pair:
            peer.socket.close()

    def exchange(self, count=2):
        for _ in range(count):
            text = f"innocent {self.messages}".encode()
            self._pair[self.messages % 2].send(frame(TEXT, text))
            self.messages += 1
            for peer in self._pair:
                if (seen := peer.frame()) != (TEXT, text):
                    raise AssertionError(f"the innocent pair was sent {seen}, not {text}")

    def close_frames(self):
        """What each of them is told at the end, which it answers."""
        told = [peer.close_frame() for peer in self._pair]
        for peer in self._pair:
            peer.send(frame(CLOSE, b"\x03\xe9"))
        return told


class Stage:
    """One relay with its innocent pair. After each deed comes check(), with what it must have changed."""

    def __init__(self, config=CONFIG, token="", tls=False, **options):
        self.relay = Relayd(config, **options)
        self.pid = self.relay.process.pid
        self._peers = []
        try:
            self.metrics = Metrics(self.relay.ops_port, token)
            self.innocents = Innocents(self.relay.port, tls)
            self.innocents.exchange()
            # A delivery is counted after it is written: the numbers may be a moment late.
            eventually(self._books, lambda books: books["relay_deliveries_total"] == 2 * self.innocents.messages,
                       "the innocent pair's deliveries")
            self._resident_bytes = resident_bytes(self.pid)
            self._begin()
        except BaseException:
            self.close()
            raise

    def close(self):
        for peer in self._peers:
            peer.socket.close()
        if hasattr(self, "innocents"):
            self.innocents.close()
        if hasattr(self, "metrics"):
            self.metrics.close()
        self.relay.__exit__()

    def another_peer(self, port="clients", **options):
        """A connection to the "clients" or "ops" port."""
        return Peer(self.relay.port if port == "clients" else self.relay.ops_port, **options)

    def peer(self, port="clients", **options):
        """The same, closed at the end of the row."""
        peer = self.another_peer(port, **options)
        self._peers.append(peer)
        return peer

    def check(self, changes, keeps_messages=False):
        """Everything is as before the deed, except for these counters; the innocent pair goes on."""
        self.innocents.exchange()
        for peer in self._peers:
            peer.socket.close()
        self._peers.clear()
        exchanged = self.innocents.messages - self._start_messages
        expected = Counter(changes) + Counter({"websocket_messages_total": exchanged,
                                               "relay_deliveries_total": 2 * exchanged})
        ignored = {"relay_channels"} if keeps_messages else set()

        def wrong():
            changed = difference(self._start, self._books())
            return {name: change for name, change in difference(expected, changed).items() if name not in ignored}
        eventually(wrong, lambda seen: not seen, "these numbers are not what they must be, and by how much")
        if IS_MEMORY_CHECKED:
            most = self._resident_bytes + MEMORY_TOLERANCE_BYTES
            eventually(lambda: resident_bytes(self.pid), lambda now: now <= most, f"memory, of at most {most}")
        self._begin()

    def _begin(self):
        """From here on changes are counted, so that what is counted late or twice is found by the next row."""
        self._start = self._books()
        self._start_messages = self.innocents.messages

    def _books(self):
        samples = self.metrics.all()
        return {**audited(samples), **{name: int(samples[name]) for name in STATE}, "descriptors": descriptors(self.pid)}
