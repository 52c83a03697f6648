"""Whether the numbers add up with what clients saw, whatever becomes of the clients."""
import random

from metrics import difference
from peer import CLOSE, TEXT, Gone, frame, request
from row import Counter, Row, clients, limits, requests
from stage import CONFIG as USUAL, eventually

QUEUE = 256 * 1024
CONFIG = USUAL.rstrip() + f"""
limits: {{message_size: 16 KiB, queue_size: {QUEUE}, inbox_size: {QUEUE // 2}}}
"""
RELAY = {"config": CONFIG}

PAYLOAD = b"x" * 8 * 1024
READERS, STALLED, VANISHING = 4, 4, 4
MESSAGES = 1500


def counted(stage):
    """The numbers of the sum, by what they mean; the innocent pair's are left out."""
    samples = stage.metrics.all()
    dropped = {queued: sum(value for name, value in samples.items()
                           if name.startswith("relay_dropped_total{") and f'queued="{queued}"' in name)
               for queued in ("true", "false")}
    return {"deliveries": samples["relay_deliveries_total"] - 2 * stage.innocents.messages,
            "never queued": dropped["false"], "dropped": dropped["true"], "waiting": samples["relay_queued_messages"]}


def seen_by(peer):
    """How many whole messages reach a client until its connection ends, and how it was told."""
    count = 0
    while True:
        try:
            opcode, payload = peer.frame()
        except Gone:
            return count, None
        if opcode == CLOSE:
            return count, payload[:2]
        assert (opcode, payload) == (TEXT, PAYLOAD)
        count += 1


INNOCENTS = 2


def connected_or_slow(before, now):
    """Clients that are connected, and those that have been closed as slow since."""
    slow = 'relay_disconnections_total{code="1008"}'
    return now["websocket_connected_clients"] + now[slow] - before[slow]


def everything_adds_up(stage):
    """Some read, some never do until they are closed as slow, some vanish at random moments. Then, for all together:

        handed over + never queued = what each was owed while it was a member
        handed over - dropped from queues = what was written to sockets = what those who read to the end have seen,
                                            and what was on its way to those who vanished
    """
    numbers = random.Random(20261128)
    before_all = stage.metrics.all()
    before = counted(stage)
    channel = "hostile/sums"
    readers = [stage.peer().join(channel) for _ in range(READERS)]
    stalled = [stage.peer(receive_bytes=4096).join(channel) for _ in range(STALLED)]
    vanishing = {stage.peer().join(channel): numbers.randrange(MESSAGES) for _ in range(VANISHING)}
    publisher = stage.peer()
    post = request("POST", "/" + channel, "Content-Type: text/plain", body=PAYLOAD)
    seen = dict.fromkeys([*readers, *vanishing], 0)
    owed = 0
    for number in range(MESSAGES):
        for peer in [peer for peer, end in vanishing.items() if end == number]:
            del vanishing[peer]
            peer.reset()
            # Each who left has been noticed: who vanished, and the stalled ones that were closed as slow.
            left = INNOCENTS + READERS + STALLED + len(vanishing)
            eventually(stage.metrics.all, lambda now, left=left: connected_or_slow(before_all, now) == left, "it is noticed")
        answer = publisher.ask(post)
        assert answer.status == 200, answer
        owed += answer.json()["clients"]
        for peer in [*readers, *vanishing]:
            assert peer.frame() == (TEXT, PAYLOAD)
            seen[peer] += 1
    # The stalled ones are found to have been closed as slow; they read what the kernel still has for them.
    for peer in stalled:
        seen[peer], _ = seen_by(peer)
    for peer in readers:
        peer.send(frame(CLOSE, b"\x03\xe8"))
        more, code = seen_by(peer)
        assert (more, code) == (0, b"\x03\xe8")
    after = eventually(lambda: counted(stage), lambda now: now["waiting"] == before["waiting"], "nothing waits")
    sums = {name: after[name] - before[name] for name in after}
    assert sums["deliveries"] + sums["never queued"] == owed, (sums, owed)
    assert sums["deliveries"] - sums["dropped"] == sum(seen.values()), (sums, seen)
    assert sums["dropped"] > 0, "somebody was slow"
    changes = difference(before_all, stage.metrics.all())
    dropped = Counter({name: change for name, change in changes.items() if name.startswith("relay_dropped_total{")})
    return (clients(1000, READERS) + clients(1006, VANISHING) + clients(1008, STALLED) + limits("queue_size", STALLED)
            + requests("POST", 200, MESSAGES) + dropped
            + Counter({"websocket_messages_total": MESSAGES, "relay_deliveries_total": int(sums["deliveries"])}))


ROWS = [
    Row("clients that read, stall and vanish", "deliveries, drops and what waits add up to what clients saw",
        everything_adds_up),
]
