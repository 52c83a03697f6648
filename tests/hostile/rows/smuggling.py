"""Requests that two readers could read in different ways: a proxy sees one request, and the relay must not see two."""
from itertools import chain

from peer import request
from row import Counter, Row, failed_handshakes, on_both_ports, requests

# A second request that would be heard if the first one were read wrongly.
SMUGGLED = request("POST", "/hostile/smuggled", body="smuggled")


def is_refused(port, name, sent, status=400):
    """One answer, to the first request; then the connection ends. The second one was not read."""
    def deed(stage):
        peer = stage.peer(port)
        peer.send(sent, SMUGGLED)
        answer = peer.answer()
        assert answer.status == status, answer
        assert answer.fields.get("connection") == "close", answer
        assert peer.rest() == b"", "there is one answer"
    changes = requests("other", status) + failed_handshakes("bad_request") if port == "clients" else Counter()
    return Row(f"{name} ({port})", "what proxies read in different ways is refused, and nothing after it is read",
               deed, changes)


def post(*fields, version="HTTP/1.1"):
    return "\r\n".join([f"POST /hostile/a {version}", "Host: 127.0.0.1", *fields]).encode() + b"\r\n\r\n"


CHUNK = b"1\r\nx\r\n0\r\n\r\n"

REFUSED = [
    ("a length and chunks", post("Content-Length: 11", "Transfer-Encoding: chunked") + CHUNK),
    ("chunks and a length", post("Transfer-Encoding: chunked", "Content-Length: 11") + CHUNK),
    ("two lengths", post("Content-Length: 1", "Content-Length: 2") + b"xx"),
    ("the same length twice", post("Content-Length: 1", "Content-Length: 1") + b"x"),
    ("a list of lengths", post("Content-Length: 1, 1") + b"x"),
    ("a length with a sign", post("Content-Length: +1") + b"x"),
    ("a length in hexadecimal", post("Content-Length: 0x1") + b"x"),
    ("a blank before the colon", post("Content-Length : 1") + b"x"),
    ("a folded field", post("X: a", " Content-Length: 1") + b"x"),
    ("a line feed alone", post("X: a\nContent-Length: 1") + b"x"),
    ("a carriage return alone", post("X: a\rContent-Length: 1") + b"x"),
    ("a NUL", post("X: a\0b")),
    ("chunks in HTTP/1.0", post("Transfer-Encoding: chunked", version="HTTP/1.0") + CHUNK),
    ("two Hosts", post("Host: other", "Content-Length: 1") + b"x"),
    ("a blank in the target", b"POST /a HTTP/1.1\r\nX: HTTP/1.1\r\nHost: a\r\n\r\n".replace(b"/a", b"/a /b")),
    ("a version of its own", post("Content-Length: 1", version="HTTP/1.2") + b"x"),
]

ROWS = list(chain.from_iterable(on_both_ports(is_refused, *refused) for refused in REFUSED))
