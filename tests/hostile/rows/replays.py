"""Replays that could cost more than they give: many listeners of many channels, all at the same time."""
from peer import request
from row import Counter, Row, event_streams, messages, requests

CHANNELS = 5000
CHANNELS_A_BATCH = 1000
LISTENERS = 200


def fill_channels(stage):
    publisher = stage.peer()
    for first in range(0, CHANNELS, CHANNELS_A_BATCH):
        items = ",".join(f'{{"channel":"many/{number}","text":"{number}"}}'
                         for number in range(first, first + CHANNELS_A_BATCH))
        answer = publisher.ask(request("POST", "/-/publish", "Content-Type: application/json", body=f"[{items}]"))
        assert answer.status == 200, answer


FILLED = requests("POST", 200, CHANNELS // CHANNELS_A_BATCH) + messages(CHANNELS)
LOOKS = "relay_replay_looks_total"


def looks_at(least, most, deed):
    """All the replays of the deed together look at so many channels and messages."""
    def counted(stage):
        fill_channels(stage)
        before = stage.metrics.all()[LOOKS]
        deed(stage)
        looks = stage.metrics.all()[LOOKS] - before
        assert least <= looks <= most, f"{looks:.0f} channels and messages were looked at"
    return counted


def newest_of_all(stage):
    peers = [stage.peer() for _ in range(LISTENERS)]
    for peer in peers:
        peer.send(request("GET", "/many/**?last=1", "Accept: application/json"))
    stage.innocents.exchange(10)
    for peer in peers:
        answer = peer.answer()
        assert answer.status == 200, answer
        assert [message["text"] for message in answer.json()["messages"]] == [str(CHANNELS - 1)]


def resume_from_nowhere(stage):
    """As after a restart: all of a pattern's listeners come back at the same time, with positions of another life."""
    peers = [stage.peer() for _ in range(LISTENERS)]
    for peer in peers:
        peer.send(request("GET", "/many/**", "Accept: text/event-stream", "Last-Event-ID: 000000000001-5"))
    stage.innocents.exchange(10)
    for peer in peers:
        assert peer.head().status == 200
        while not (line := peer.line()).startswith("event:"):
            pass
        assert line == "event: gap", line


ROWS = [
    Row("200 requests for the newest message of all channels", "a replay costs what it gives",
        looks_at(LISTENERS, 10 * LISTENERS, newest_of_all), FILLED + requests("GET", 200, LISTENERS),
        keeps_messages=True, relay={}),
    Row("200 listeners that resume from an unknown position",
        "an unknown position is told as a gap, without looking at anything", looks_at(0, 0, resume_from_nowhere),
        FILLED + event_streams(LISTENERS) + Counter({'relay_resumes_total{result="unknown"}': LISTENERS}),
        keeps_messages=True, relay={}),
]
