"""Peers that are slow, go away in the middle, end only their side, or speak something else."""
import random

from peer import BINARY, CLOSE, PING, PONG, TEXT, Gone, frame, request, upgrade
from row import Counter, Row, clients, event_streams, failed_handshakes, messages, requests
from stage import CONFIG as USUAL

# Short, as a row has to wait for them.
CONFIG = USUAL.replace("{workers: 2}", "{workers: 2, close_timeout: 300ms}") + """
limits: {handshake_timeout: 300ms}
http: {body_timeout: 300ms, idle_timeout: 600ms}
metrics: {request_timeout: 300ms}
"""
RELAY = {"config": CONFIG}


def is_ended(peer):
    assert peer.rest() == b"", "a connection that made no request is told nothing"


def times_out(name, port, sent, status, changes):
    """The relay ends it: with an answer if there was a request to answer."""
    def deed(stage):
        peer = stage.peer(port)
        peer.send(sent)
        stage.innocents.exchange()
        if status:
            answer = peer.answer()
            assert answer.status == status, answer
        is_ended(peer)
    return Row(f"{name} ({port})", "a deadline ends a slow connection, also if a byte comes now and then", deed, changes)


def keeps_answering_after_half_close(port):
    def deed(stage):
        peer = stage.peer(port)
        peer.send(request("GET", "/hostile/a" if port == "clients" else "/-/healthz"))
        peer.end_sending()
        assert peer.answer().status == 200
        is_ended(peer)
    return Row(f"a request, and the end of its sender's side ({port})",
               "a peer that has ended its side still gets its answer", deed, requests("GET", 200) if port == "clients" else Counter())


def half_closed_client(stage):
    peer = stage.peer().join("hostile/half")
    peer.send(frame(TEXT, b"last"))
    peer.end_sending()
    assert peer.frame() == (TEXT, b"last")
    is_ended(peer)


def half_closed_stream(stage):
    peer = stage.peer()
    peer.send(request("GET", "/hostile/half", "Accept: text/event-stream"))
    assert peer.head().status == 200
    peer.end_sending()
    peer.rest()


def vanishes(name, sent, changes, join=True):
    """Reset in the middle of something: nothing of it stays."""
    def deed(stage):
        peers = [stage.peer() for _ in range(10)]
        for peer in peers:
            if join:
                peer.join("hostile/vanish")
            peer.send(sent)
        stage.innocents.exchange()
        for peer in peers:
            peer.reset()
    return Row(name, "what a vanished client had begun is forgotten", deed, changes)


STORM = 500


def connects_and_leaves(stage):
    for _ in range(STORM):
        stage.another_peer().socket.close()
    stage.innocents.exchange()


def closes_without_waiting(stage):
    """A close frame, messages after it, and pings: all that follows a close frame is ignored (RFC 6455, 5.5.1)."""
    peer = stage.peer().join("hostile/close")
    peer.send(frame(TEXT, b"before"), frame(CLOSE, b"\x03\xe8"), frame(TEXT, b"after") * 3, frame(PING, b"x"))
    assert peer.frame() == (TEXT, b"before")
    assert peer.frame() == (CLOSE, b"\x03\xe8")
    is_ended(peer)


def never_closes(stage):
    """Told 1002, it neither reads nor ends; server.close_timeout does."""
    peer = stage.peer().join("hostile/close")
    peer.send(frame(0x3), frame(BINARY, bytes(1000)) * 10)
    stage.innocents.exchange()
    assert peer.close_frame()[0] == 1002
    is_ended(peer)


def unasked_pongs(stage):
    peer = stage.peer().join("hostile/pongs")
    peer.send(frame(PONG, b"unasked") * 50, frame(PING, b"asked"))
    assert peer.frame() == (PONG, b"asked")
    peer.send(frame(CLOSE))
    assert peer.close_frame()[0] == 1000


FOREIGN = {
    "a TLS greeting": bytes.fromhex("160301020001000301fc0303") + bytes(500),
    "an HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),
    "a WebSocket frame without a handshake": frame(TEXT, b"hello"),
    "a PROXY protocol header": b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + request("GET", "/"),
    "a binary PROXY protocol header": bytes.fromhex("0d0a0d0a000d0a515549540a2111000c") + bytes(12),
}


def foreign(port, name):
    def deed(stage):
        peer = stage.peer(port)
        peer.send(FOREIGN[name])
        assert peer.answer().status == 400
        is_ended(peer)
    return Row(f"{name} ({port})", "another protocol is answered 400, not waited for",
               deed, requests("other", 400) + failed_handshakes("bad_request") if port == "clients" else Counter())


GARBAGE_PEERS = 40


def garbage(port):
    """The bytes begin with one that no method begins with: all of them are refused alike, and can be counted."""
    def deed(stage):
        numbers = random.Random(20261128)
        peers = [stage.peer(port) for _ in range(GARBAGE_PEERS)]
        for peer in peers:
            peer.send(bytes([numbers.randrange(128, 256)]), numbers.randbytes(numbers.randrange(20_000)))
        stage.innocents.exchange()
        for peer in peers:
            try:
                assert peer.answer().status == 400
            except Gone:
                raise AssertionError("garbage gets an answer, too") from None
            peer.rest()
    counted = requests("other", 400, GARBAGE_PEERS) + failed_handshakes("bad_request", GARBAGE_PEERS)
    return Row(f"random bytes ({port})", "garbage is answered 400", deed, counted if port == "clients" else Counter())


def garbage_frames(stage):
    """Whatever rule they break: each of these clients ends with a protocol error of its own."""
    numbers = random.Random(20261128)
    for _ in range(GARBAGE_PEERS):
        peer = stage.peer().join("hostile/garbage")
        peer.send(bytes([0x70 | numbers.randrange(16)]), numbers.randbytes(numbers.randrange(20_000)))
        stage.innocents.exchange(1)
        assert peer.close_frame()[0] == 1002


ROWS = [
    times_out("nothing at all", "clients", b"", None, failed_handshakes("timeout")),
    times_out("nothing at all", "ops", b"", None, Counter()),
    times_out("half a request head", "clients", upgrade("/hostile/slow")[:-2], 408,
              requests("other", 408) + failed_handshakes("timeout")),
    times_out("half a request head", "ops", request("GET", "/metrics")[:-2], 408, Counter()),
    times_out("the greeting of an SSH client", "clients", b"SSH-2.0-OpenSSH_9.2\r\n", 408,
              requests("other", 408) + failed_handshakes("timeout")),
    times_out("the greeting of an SSH client", "ops", b"SSH-2.0-OpenSSH_9.2\r\n", 408, Counter()),
    times_out("half a body", "clients", request("POST", "/hostile/slow", body="xx")[:-1], 408, requests("POST", 408)),
    times_out("half a body", "ops", request("POST", "/-/api/channels/hostile/publish", body="xx")[:-1], 408, Counter()),
    keeps_answering_after_half_close("clients"),
    keeps_answering_after_half_close("ops"),
    Row("a message, and the end of its sender's side", "what was sent before is relayed, and its sender still gets it",
        half_closed_client, clients(1006) + messages(1, receivers=1)),
    Row("an event stream whose listener ends its side", "it counts as gone", half_closed_stream, event_streams()),
    vanishes("gone within a message", frame(BINARY, bytes(50_000))[:-1], clients(1006, 10)),
    vanishes("gone within a fragmented text", frame(TEXT, b"x" * 1000, first=0), clients(1006, 10)),
    vanishes("gone within a request head", upgrade("/")[:-3], failed_handshakes("disconnected", 10), join=False),
    vanishes("gone within a body", request("POST", "/hostile/vanish", body=bytes(50_000))[:-1],
             failed_handshakes("disconnected", 10), join=False),
    Row("500 connections that ask for nothing", "they cost nothing once they have left", connects_and_leaves,
        failed_handshakes("disconnected", STORM)),
    Row("frames after a close frame", "nothing after a close frame counts", closes_without_waiting,
        clients(1000) + messages(1, receivers=1)),
    Row("a client that does not end its side when told to go", "server.close_timeout ends it", never_closes,
        clients(1002) + Counter({'relay_protocol_violations_total{rule="unknown_opcode"}': 1})),
    Row("pongs that nobody asked for", "they are ignored", unasked_pongs, clients(1005)),
    *[foreign(port, name) for name in FOREIGN for port in ("clients", "ops")],
    garbage("clients"),
    garbage("ops"),
    Row("random frames", "each client ends with the rule that it broke", garbage_frames,
        clients(1002, GARBAGE_PEERS)
        + Counter({'relay_protocol_violations_total{rule="reserved_bits"}': GARBAGE_PEERS})),
]
