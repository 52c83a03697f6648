"""A client that sends any bytes it likes and reads what a correct client would: HTTP answers, WebSocket frames.

Sockets of the standard library, blocking, with a time limit that only ends a test that has gone wrong. A peer never
corrects what it is told to send: that is what it is for.
"""
import json
import os
import socket
import ssl
import struct
from dataclasses import dataclass, field

PATIENCE_SECONDS = float(os.environ.get("HOSTILE_PATIENCE", "30"))

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN = 0x80

KEY = "dGhlIHNhbXBsZSBub25jZQ=="

ANY_CERTIFICATE = ssl.create_default_context()
ANY_CERTIFICATE.check_hostname = False
ANY_CERTIFICATE.verify_mode = ssl.CERT_NONE


def request(method, target, *fields, body=b"", host="127.0.0.1"):
    """A correct HTTP/1.1 request; with a body it announces the length."""
    if isinstance(body, str):
        body = body.encode()
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *fields]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def upgrade(target="/", *fields):
    """The opening handshake of a WebSocket."""
    return request("GET", target, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                   f"Sec-WebSocket-Key: {KEY}", *fields)


def frame(opcode, payload=b"", first=FIN, mask=b"\0\0\0\0"):
    """A client's frame, with the shortest length; `first` holds the FIN bit and the reserved ones."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", first | opcode, 0x80 | size)
    elif size < 65536:
        head = struct.pack("!BBH", first | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", first | opcode, 0x80 | 127, size)
    if mask != b"\0\0\0\0":
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return head + mask + payload


@dataclass
class Answer:
    """An HTTP answer; the field names are in lower case."""
    status: int
    fields: dict = field(default_factory=dict)
    body: bytes = b""

    def json(self):
        return json.loads(self.body)


class Gone(Exception):
    """The relay has ended the connection."""


class Peer:
    """One connection to the relay."""

    def __init__(self, port, address="127.0.0.1", receive_bytes=0, tls=False):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_bytes:  # before connecting, so that the window is small from the beginning
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(PATIENCE_SECONDS)
        self.socket.connect((address, port))
        if tls:
            self.socket = ANY_CERTIFICATE.wrap_socket(self.socket)
        self._received = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    # Sending

    def send(self, *parts):
        """All of it, as far as the relay takes it: a connection that it has ended is no error."""
        try:
            self.socket.sendall(b"".join(parts))
        except ConnectionError:
            pass

    def end_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """Gone without a FIN, as when a machine restarts."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    # Reading

    def _receive_more(self):
        try:
            received = self.socket.recv(65536)
        except ConnectionError as error:
            raise Gone from error
        if not received:
            raise Gone
        self._received += received

    def _take(self, size):
        while len(self._received) < size:
            self._receive_more()
        taken = bytes(self._received[:size])
        del self._received[:size]
        return taken

    def _take_line_end(self, end):
        while (at := self._received.find(end)) < 0:
            self._receive_more()
        return self._take(at + len(end))

    def head(self):
        """The head of an HTTP answer. Gone if there is none."""
        lines = self._take_line_end(b"\r\n\r\n").decode("latin-1").split("\r\n")
        fields = {}
        for line in lines[1:]:
            if line:
                name, value = line.split(":", 1)
                name = name.lower()
                fields[name] = f"{fields[name]}, {value.strip()}" if name in fields else value.strip()
        return Answer(int(lines[0].split(" ")[1]), fields)

    def answer(self, to="GET"):
        """The next HTTP answer, with its body; `to` is the request's method."""
        answer = self.head()
        if to != "HEAD" and answer.status >= 200 and answer.status not in (204, 304):
            answer.body = self._take(int(answer.fields["content-length"]))
        return answer

    def ask(self, *parts, to="GET"):
        self.send(*parts)
        return self.answer(to)

    def line(self):
        """The next line of a stream, without its end."""
        return self._take_line_end(b"\n").decode().rstrip("\n")

    def frame(self):
        """(opcode, payload) of the next frame, which the relay neither masks nor fragments."""
        first, second = self._take(2)
        if second == 126:
            size = struct.unpack("!H", self._take(2))[0]
        elif second == 127:
            size = struct.unpack("!Q", self._take(8))[0]
        else:
            size = second
        return first & 0x0F, self._take(size)

    def close_frame(self):
        """(code, reason) of the close frame, after whatever comes before it. Gone if there is none."""
        while True:
            opcode, payload = self.frame()
            if opcode == CLOSE:
                return struct.unpack("!H", payload[:2])[0], payload[2:].decode()

    def rest(self):
        """All that still comes until the relay ends the connection."""
        try:
            while True:
                self._receive_more()
        except Gone:
            return self._take(len(self._received))

    def join(self, channel, *fields):
        """Becomes a WebSocket client of this channel."""
        answer = self.ask(upgrade("/" + channel, *fields))
        if answer.status != 101:
            raise AssertionError(f"/{channel}: {answer.status} {answer.body}")
        return self


def descriptors(pid):
    """How many descriptors a process of this user has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
