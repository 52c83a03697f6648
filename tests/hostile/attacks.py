"""Load that hurts, for `scripts/hostile --measure`: each attack runs until its time or its count is over.

An attack is a loop over non-blocking sockets that sends bytes made beforehand, so that the relay is what is busy, not the
attacker.
"""
import errno
import selectors
import socket
import time
from dataclasses import dataclass
from typing import Callable

from peer import CONTINUATION, PING, PONG, TEXT, Peer, frame, request, upgrade

CHANNELS = 50_000
CHANNELS_A_BATCH = 1000
FLOOD_BYTES = 256 * 1024
MOST_CONNECTIONS = 20_000  # of one attack, one after the other

NOT_YET = (errno.EAGAIN, errno.EINPROGRESS)
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Line:
    """One of an attack's connections. It comes again whenever the relay ends it."""

    def __init__(self, port, opening, selector):
        self._port = port
        self._opening = opening
        self._selector = selector
        self.connections = 0
        self.begin()

    def begin(self):
        self.connections += 1
        self.received = bytearray()
        self.is_open = False  # once its opening is answered
        self._to_send = memoryview(self._opening)
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.connect_ex(("127.0.0.1", self._port))
        self._selector.register(self._socket, READ | WRITE, self)

    def end(self):
        self._selector.unregister(self._socket)
        self._socket.close()

    def begin_again(self):
        self.end()
        self.begin()

    def send(self, content):
        self._to_send = memoryview(content)
        self._selector.modify(self._socket, READ | WRITE, self)

    def stop_reading(self):
        self._selector.modify(self._socket, WRITE, self)

    def read(self):
        received = self._socket.recv(1 << 18)
        if not received:
            raise ConnectionResetError
        self.received += received

    def write(self):
        """Returns whether there is no more to send."""
        if self._to_send:
            self._to_send = self._to_send[self._socket.send(self._to_send):]
        return not self._to_send

    def pause_writing(self):
        self._selector.modify(self._socket, READ, self)


@dataclass
class Attack:
    """name     what it is, with its entry in the list of known attacks
    lines    connections at once
    opening  what each of them sends first
    prepare  called with the clients' port before anything is measured
    config   of the relay
    """
    name: str
    lines: int
    opening: bytes
    prepare: Callable = lambda port: None
    config: str = ""
    on_ops_port: bool = False

    def run(self, port, seconds):
        """Returns how often it was answered, over how many connections."""
        selector = selectors.DefaultSelector()
        lines = [Line(port, self.opening, selector) for _ in range(self.lines)]
        answers = 0
        end = time.monotonic() + seconds
        while time.monotonic() < end and sum(line.connections for line in lines) < MOST_CONNECTIONS:
            for key, events in selector.select(max(0.0, end - time.monotonic())):
                line = key.data
                try:
                    if events & READ:
                        line.read()
                        answers += self.received(line)
                    elif line.write():
                        self.written(line)
                except OSError as error:
                    if error.errno not in NOT_YET:
                        line.begin_again()
        for line in lines:
            line.end()
        return answers, sum(line.connections for line in lines)

    def received(self, line):
        """Something has come; returns how many answers were completed by it."""
        raise NotImplementedError

    def written(self, line):
        """All is sent that was to be sent."""
        line.pause_writing()


class Asking(Attack):
    """Asks the same again as soon as it is answered."""

    def received(self, line):
        head = line.received.find(b"\r\n\r\n")
        if head < 0:
            return 0
        at = line.received.lower().index(b"content-length:") + len(b"content-length:")
        whole = head + 4 + int(line.received[at:line.received.index(b"\r", at)])
        if len(line.received) < whole:
            return 0
        del line.received[:whole]
        line.send(self.opening)
        return 1


class Resuming(Attack):
    """Listeners that reconnect as soon as they were told where their stream begins."""

    def received(self, line):
        if b"\nid:" not in line.received:
            return 0
        line.begin_again()
        return 1


@dataclass
class Flooding(Attack):
    """After its opening is answered it sends the same bytes without end."""
    flood: bytes = b""
    reads: bool = True

    def received(self, line):
        if not line.is_open and b"\r\n\r\n" in line.received:
            line.is_open = True
            line.send(self.flood)
            if not self.reads:
                line.stop_reading()
            return 1
        if line.is_open:
            line.received.clear()
        return 0

    def written(self, line):
        if line.is_open:
            line.send(self.flood)
            if not self.reads:
                line.stop_reading()
        else:
            line.pause_writing()


def fill_channels(port):
    """One message in each of many channels."""
    with Peer(port) as peer:
        for first in range(0, CHANNELS, CHANNELS_A_BATCH):
            items = ",".join(f'{{"channel":"many/{number}","text":"x"}}'
                             for number in range(first, first + CHANNELS_A_BATCH))
            answer = peer.ask(request("POST", "/-/publish", "Content-Type: application/json", body=f"[{items}]"))
            if answer.status != 200:
                raise RuntimeError(f"a batch of messages was answered {answer.status}")


def flood(name, six_bytes, first=b""):
    assert len(six_bytes) == 6
    return Flooding(f"A2: five clients flood {name} of six bytes", 5, upgrade("/hostile/flood?echo=0") + first,
                    flood=six_bytes * (FLOOD_BYTES // 6))


NEWEST_OF_ALL = request("GET", "/**?last=1", "Accept: application/json")
UNKNOWN_POSITION = request("GET", "/**", "Accept: text/event-stream", "Last-Event-ID: 000000000001-5")

# What must hold, and what is measured only when it is named.
JUDGED = {
    "A1": Asking("A1: 200 connections ask GET /**?last=1", 200, NEWEST_OF_ALL, prepare=fill_channels),
    "A1-resume": Resuming("A1: 200 listeners of /** resume from an unknown position", 200, UNKNOWN_POSITION,
                          prepare=fill_channels),
    "A2-text": flood("empty messages", frame(TEXT)),
    "A2-fragments": flood("empty fragments", frame(CONTINUATION, first=0), frame(TEXT, first=0)),
    "A2-pings": flood("pings", frame(PING)),
    "A2-pongs": flood("pongs", frame(PONG)),
}


def batch(item, count):
    return request("POST", "/-/publish", "Content-Type: application/json", body=f"[{','.join([item] * count)}]")


OTHERS = {
    "A3-zeros": Asking("A3: five connections post batches of two million zeros", 5, batch("0", 2 * 1024 * 1024 - 1)),
    "A3-batch": Asking("A3: five connections post batches of 1,000 messages", 5,
                       batch('{"channel":"hostile/batch","text":"x"}', 1000)),
    "A4": Flooding("A4: two clients ping and never read (drop_oldest)", 2, upgrade("/hostile/pings"),
                   config="slow_clients: {policy: drop_oldest}\n", flood=frame(PING, bytes(125)) * 2000, reads=False),
    "A5": Asking("A5: five connections list 50,000 channels", 5, request("GET", "/-/api/channels"),
                 prepare=fill_channels, on_ops_port=True),
}
