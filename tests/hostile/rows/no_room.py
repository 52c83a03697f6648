"""A full channel and a full relay: each kind of client is told in the way that it understands, and comes back."""
from peer import request
from row import Row, clients, failed_handshakes, limits, requests
from stage import CONFIG

FULL_CHANNEL = dict(config=CONFIG + '  - {match: "full/**", max_clients: 1, history: {messages: 0}}\n')
# The innocent pair, and two more.
FULL_RELAY = dict(config=CONFIG + "limits: {connections: 4}\n")

LISTEN = ("Accept: text/event-stream",)


def fill(stage, channel):
    """Takes the places that the innocent pair leaves."""
    count = 1 if channel == "full/a" else 2
    return [stage.peer().join(channel) for _ in range(count)]


def counted(channel):
    if channel == "full/a":
        return clients(1006) + failed_handshakes("channel") + limits("channel_clients")
    return clients(1006, 2) + failed_handshakes("connection_limit")


def web_socket(name, channel, reason, relay):
    def deed(stage):
        members = fill(stage, channel)
        peer = stage.peer().join(channel)
        assert peer.close_frame() == (1013, reason)
        assert peer.rest() == b""
        for member in members:
            member.reset()
    return Row(f"one WebSocket more than a full {name} takes", "it is closed with 1013, and told why", deed,
               counted(channel) + requests("GET", 101), relay=relay)


def listener(name, channel, error, relay):
    def deed(stage):
        members = fill(stage, channel)
        peer = stage.peer()
        answer = peer.ask(request("GET", "/" + channel, *LISTEN))
        assert answer.status == 200 and answer.fields["content-type"] == "text/event-stream", answer
        retry, empty, event, data, *_ = answer.body.decode().split("\n")
        assert retry.startswith("retry: ") and 10_000 <= int(retry[7:]) <= 30_000, retry
        assert (empty, event) == ("", "event: full") and error in data, answer.body
        assert peer.rest() == b""
        for member in members:
            member.reset()
    return Row(f"one EventSource more than a full {name} takes", "it gets a stream that tells it when to come back, and ends", deed,
               counted(channel) + requests("GET", 200), relay=relay)


def publisher(stage):
    members = fill(stage, "hostile/a")
    peer = stage.peer()
    answer = peer.ask(request("POST", "/hostile/a", body="x"))
    assert answer.status == 503 and answer.json()["error"] == "relay_full" and int(answer.fields["retry-after"]) > 0, answer
    assert peer.rest() == b""
    for member in members:
        member.reset()


ROWS = [
    web_socket("channel", "full/a", "the channel is full", FULL_CHANNEL),
    web_socket("relay", "hostile/a", "the relay is full", FULL_RELAY),
    listener("channel", "full/a", "channel_full", FULL_CHANNEL),
    listener("relay", "hostile/a", "relay_full", FULL_RELAY),
    Row("a POST to a full relay", "it is answered 503, with a time to come back", publisher,
        clients(1006, 2) + failed_handshakes("connection_limit") + requests("POST", 503), relay=FULL_RELAY),
]
