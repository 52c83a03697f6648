"""Work that arrives in very many small pieces: it is done in slices, between which the innocent pair has its turn."""
from peer import CLOSE, CONTINUATION, PING, PONG, TEXT, frame, request
from row import Row, clients, limits, messages, requests

FLOOD = 20_000
FLOODERS = 5


def waits(deed):
    """A worker that has read for long enough goes on with others, and counts who had to wait for its next turn."""
    def counted(stage):
        before = stage.metrics.all()["relay_turn_waits_total"]
        deed(stage)
        assert stage.metrics.all()["relay_turn_waits_total"] > before, "nobody had to wait"
    return counted


def leaves(peer):
    peer.send(frame(CLOSE, b"\x03\xe8"))
    assert peer.close_frame()[0] == 1000


def empty_messages(stage):
    peers = [stage.peer().join(f"hostile/flood/{number}") for number in range(FLOODERS)]
    for peer in peers:
        peer.send(frame(TEXT) * FLOOD)
    stage.innocents.exchange(20)
    for peer in peers:
        for _ in range(FLOOD):
            assert peer.frame() == (TEXT, b"")
        leaves(peer)


def fragments(payload):
    def deed(stage):
        peer = stage.peer().join("hostile/fragments")
        peer.send(frame(TEXT, first=0), frame(CONTINUATION, payload, first=0) * FLOOD, frame(CONTINUATION))
        stage.innocents.exchange(20)
        assert peer.frame() == (TEXT, payload * FLOOD)
        leaves(peer)
    return Row(f"a message in {FLOOD} fragments of {len(payload)} bytes", "it is one message, and others are served meanwhile", deed,
               clients(1000) + messages(1, receivers=1))


def at_the_limit(stage):
    peer = stage.peer().join("hostile/pings")
    peer.send((frame(PING, b"p") + frame(PONG)) * 50, frame(TEXT, b"m") * 200)
    for _ in range(50):
        assert peer.frame() == (PONG, b"p")
    for _ in range(200):
        assert peer.frame() == (TEXT, b"m")
    leaves(peer)


def past_the_limit(name, opcode):
    def deed(stage):
        peers = [stage.peer().join("hostile/pings") for _ in range(FLOODERS)]
        for peer in peers:
            peer.send(frame(opcode) * FLOOD)
        stage.innocents.exchange(20)
        for peer in peers:
            pongs = 0
            while (seen := peer.frame()) == (PONG, b""):
                pongs += 1
            assert seen == (CLOSE, b"\x03\xf0too many control frames"), seen
            assert pongs <= 100, pongs
    return Row(f"five clients send more {name} than limits.control_frames in a second", "they are closed with 1008, and told why",
               deed, clients(1008, FLOODERS) + limits("control_frames", FLOODERS))


def tiny_chunks(stage):
    peer = stage.peer()
    peer.send(b"POST /hostile/chunks HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n",
              b"1\r\nx\r\n" * FLOOD, b"0\r\n\r\n")
    stage.innocents.exchange(20)
    assert peer.answer().status == 200


def pipelined(stage):
    peers = [stage.peer() for _ in range(FLOODERS)]
    for peer in peers:
        peer.send(request("POST", "/hostile/pipelined", body="x") * 1000)
    stage.innocents.exchange(20)
    for peer in peers:
        for _ in range(1000):
            assert peer.answer().status == 200


ROWS = [
    Row("floods of empty messages", "each is relayed, and others are served meanwhile", waits(empty_messages),
        clients(1000, FLOODERS) + messages(FLOODERS * FLOOD, receivers=1)),
    fragments(b""),
    fragments(b"x"),
    Row("as many control frames as limits.control_frames", "each ping is answered, and messages do not count", at_the_limit,
        clients(1000) + messages(200, receivers=1)),
    past_the_limit("pings", PING),
    past_the_limit("pongs", PONG),
    Row("a body in chunks of one byte", "it is one message, and others are served meanwhile", tiny_chunks,
        requests("POST", 200) + messages(1)),
    Row("requests by the thousand, without waiting for answers", "each is answered, and others are served meanwhile", pipelined,
        requests("POST", 200, FLOODERS * 1000) + messages(FLOODERS * 1000)),
]
