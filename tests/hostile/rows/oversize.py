"""What is longer than its limit. It is refused by its announced length where there is one: nobody has to send it first."""
import struct

from peer import BINARY, CONTINUATION, FIN, TEXT, frame, request
from row import Counter, Row, clients, failed_handshakes, limits, messages, requests, violations
from stage import CONFIG as USUAL

MESSAGE = 64 * 1024
HEAD = 4 * 1024
FIELDS = 20
BATCH = 128 * 1024

CONFIG = USUAL + f"""
limits: {{message_size: {MESSAGE}, request_head_size: {HEAD}, request_header_fields: {FIELDS}}}
http: {{batch_size: {BATCH}, batch_messages: 10}}
"""
RELAY = {"config": CONFIG}

TOO_BIG = clients(1009) + violations("message_too_big") + limits("message_size")


def announced(size):
    """The head of a frame whose payload never comes."""
    return struct.pack("!BBQ", FIN | BINARY, 0xFF, size) + bytes(4)


LONGEST_SHORT_FRAME = struct.pack("!BBH", FIN | CONTINUATION, 0xFE, 65535) + bytes(4)


def message(name, sent):
    def deed(stage):
        peer = stage.peer().join("hostile/big")
        peer.send(sent)
        stage.innocents.exchange()
        assert peer.close_frame()[0] == 1009
    return Row(name, "the sender of a message over limits.message_size is told 1009; nobody receives a part", deed, TOO_BIG)


def largest_message(stage):
    peer = stage.peer().join("hostile/big")
    whole = bytes(MESSAGE)
    peer.send(frame(BINARY, whole))
    assert peer.frame() == (BINARY, whole)
    half = MESSAGE // 2
    peer.send(frame(BINARY, whole[:half], first=0), frame(CONTINUATION, whole[half:]))
    assert peer.frame() == (BINARY, whole)
    peer.send(frame(0x8, b"\x03\xe8"))
    assert peer.close_frame() == (1000, "")


def http(name, sent, status, error, changes, port="clients"):
    """It is answered without its rest: the connection then ends."""
    def deed(stage):
        peer = stage.peer(port)
        peer.send(sent)
        stage.innocents.exchange()
        answer = peer.answer()
        assert answer.status == status, answer
        assert error is None or answer.json()["error"] == error, answer
        assert answer.fields.get("connection") == "close", answer
        assert peer.rest() == b""
    return Row(f"{name} ({port})", "what is over its limit is answered without being read whole", deed, changes)


def head_of(size):
    start = b"GET /hostile/big HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "
    return start + b"x" * (size - len(start) - 4) + b"\r\n\r\n"


def largest_head(stage):
    fields = [f"X-{number}: x" for number in range(FIELDS - 1)]  # and Host
    for sent in (head_of(HEAD), request("GET", "/hostile/big", *fields)):
        answer = stage.peer().ask(sent)
        assert answer.status == 200, answer


MANY_FIELDS = request("GET", "/hostile/big", *[f"X-{number}: x" for number in range(FIELDS)])
CHUNKED = "Transfer-Encoding: chunked"


def post(*fields):
    lines = ["POST /hostile/big HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/octet-stream", *fields]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def chunk(size):
    return b"%x\r\n" % size + bytes(size) + b"\r\n"


def batch(count):
    items = ",".join(['{"channel":"hostile/big","text":"x"}'] * count)
    return request("POST", "/-/publish", "Content-Type: application/json", body=f"[{items}]")


def too_many_in_a_batch(stage):
    answer = stage.peer().ask(batch(11))
    assert (answer.status, answer.json()["error"]) == (413, "too_many"), answer


ROWS = [
    Row("a message of exactly the limit", "the limit itself is allowed, whole or in fragments", largest_message,
        clients(1000) + messages(2, receivers=1)),
    message("a message of one byte more", frame(BINARY, bytes(MESSAGE + 1))),
    message("an announced message of one byte more", announced(MESSAGE + 1)),
    message("an announced message of 2^62 bytes", announced(1 << 62)),
    message("fragments that add up to one byte more", frame(TEXT, b"x" * MESSAGE, first=0) + frame(CONTINUATION, b"x")),
    message("a fragment that would make it too long, of which the head alone comes",
            frame(BINARY, bytes(2), first=0) + LONGEST_SHORT_FRAME),
    Row("a request head of exactly the limit", "the limit itself is allowed", largest_head, requests("GET", 200, 2)),
    http("a request head of one byte more", head_of(HEAD + 1), 431, "head_too_large",
         requests("other", 431) + failed_handshakes("head_too_large")),
    http("a head that does not end", b"GET / HTTP/1.1\r\nX: " + b"x" * 2 * HEAD, 431, "head_too_large",
         requests("other", 431) + failed_handshakes("head_too_large")),
    http("a head that does not end", b"GET / HTTP/1.1\r\nX: " + b"x" * 64 * 1024, 431, None, Counter(), "ops"),
    http("one field more than the limit", MANY_FIELDS, 431, "head_too_large",
         requests("other", 431) + failed_handshakes("head_too_large")),
    http("a body announced as one byte too long", post(f"Content-Length: {MESSAGE + 1}"), 413, "too_big",
         requests("POST", 413)),
    http("a body announced as 2^63 bytes", post(f"Content-Length: {1 << 63}"), 413, "too_big", requests("POST", 413)),
    http("a body announced as more than 64 bits hold", post(f"Content-Length: {1 << 70}"), 400, "bad_request",
         requests("other", 400) + failed_handshakes("bad_request")),
    http("chunks that add up to one byte too many", post(CHUNKED) + chunk(MESSAGE) + chunk(1), 413, "too_big",
         requests("POST", 413)),
    http("a chunk announced as 2^60 bytes", post(CHUNKED) + b"1000000000000000\r\n", 413, "too_big",
         requests("POST", 413)),
    http("a chunk length that never ends", post(CHUNKED) + b"0" * 2 * HEAD, 431, "head_too_large", requests("POST", 431)),
    http("chunk extensions that never end", post(CHUNKED) + b"1;" + b"x" * 2 * HEAD, 431, "head_too_large",
         requests("POST", 431)),
    http("a batch announced as one byte too long", post(f"Content-Length: {BATCH + 1}").replace(
        b"/hostile/big", b"/-/publish").replace(b"application/octet-stream", b"application/json"), 413, "too_big",
        requests("POST", 413)),
    Row("a batch of one message too many", "none of it is published", too_many_in_a_batch, requests("POST", 413)),
]
