"""Callers of the ops port who keep its places. Health checks find one nevertheless, and so does the operator."""
from peer import request
from row import Row

def refused_posts(stage):
    """Each is answered before its body has come, and its sender neither sends the rest nor goes away."""
    for number in range(200):
        peer = stage.peer("ops")
        peer.send(request("POST", "/nothing", body="xx")[:-1])
        if number % 10 == 9:
            healthy(stage)


def idle_heads(stage):
    for number in range(200):
        stage.peer("ops").send(b"GET /metrics HTTP/1.1\r\nX: ")
        if number % 10 == 9:
            healthy(stage)


def unread_answers(stage):
    """Answers that nobody reads: each is some KiB."""
    for number in range(100):
        stage.peer("ops", receive_bytes=2048).send(request("GET", "/metrics") * 20)
        if number % 10 == 9:
            healthy(stage)


def healthy(stage):
    for path in ("/-/healthz", "/-/readyz"):
        with stage.another_peer("ops") as check:
            answer = check.ask(request("GET", path))
            assert answer.status == 200, answer
    stage.innocents.exchange(1)


ROWS = [
    Row("200 refused POSTs that linger (ops)", "health checks always have a place", refused_posts),
    Row("200 requests that do not end (ops)", "health checks always have a place", idle_heads),
    Row("100 clients that do not read their answers (ops)", "health checks always have a place", unread_answers),
]
