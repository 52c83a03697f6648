"""Requests that the standards decide, alike on both ports: RFC 9110, RFC 9112, RFC 6455, Fetch."""
import json
import socket
from itertools import chain

from peer import BINARY, CLOSE, TEXT, frame, request, upgrade
from row import Counter, Row, clients, does_not_start, event_streams, failed_handshakes, messages, on_both_ports, requests
from stage import CONFIG as USUAL

# Some messages are kept, to be read again.
RELAY = {"config": USUAL + '  - {match: "kept/**", history: {messages: 10}}\n'}

PUBLISHES = {"clients": "/hostile/a", "ops": "/-/api/channels/hostile/a/publish"}
READS = {"clients": "/hostile/a", "ops": "/-/api/overview"}


def counted(port, *changes):
    """What changes on the clients' port; the ops port is not counted, except for what it publishes."""
    return sum(changes, Counter()) if port == "clients" else Counter()


# E1: an Upgrade that is no WebSocket's is ignored (RFC 9110, 7.8).

H2C = ("Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA")


def ignores_upgrade(port, method):
    def deed(stage):
        target = PUBLISHES[port] if method == "POST" else READS[port]
        peer = stage.peer(port)
        for _ in range(2):  # the connection is good for more
            answer = peer.ask(request(method, target, *H2C, body="x" if method == "POST" else ""), to=method)
            assert answer.status == 200, answer
    published = messages(2) if method == "POST" else Counter()
    return Row(f"{method} that offers HTTP/2 ({port})", "an Upgrade field that the relay does not speak is ignored",
               deed, counted(port, requests(method, 200, 2)) + published)


def prefers_websocket(stage):
    sent = upgrade("/hostile/a").replace(b"Upgrade: websocket", b"Upgrade: h2c, WebSocket", 1)
    peer = stage.peer()
    assert peer.ask(sent).status == 101
    peer.send(frame(CLOSE, b"\x03\xe8"))
    assert peer.close_frame()[0] == 1000


# E2: every answer says when it was made (RFC 9110, 6.6.1).

def dated(port, name, sent, status, *changes, to="GET"):
    def deed(stage):
        answer = stage.peer(port).ask(sent, to=to)
        assert answer.status == status, answer
        assert answer.fields.get("date", "").endswith(" GMT"), answer
    return Row(f"an answer with a date: {name} ({port})", "every answer says when it was made", deed,
               counted(port, *changes))


def dated_stream(stage):
    peer = stage.peer()
    peer.send(request("GET", "/hostile/a", "Accept: text/event-stream"))
    assert peer.head().fields.get("date", "").endswith(" GMT")


# E3, E4: addresses.

def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def serves_both_families(stage):
    for address in ("127.0.0.1", "::1") if has_ipv6() else ("127.0.0.1",):
        peer = stage.peer(address=address).join("hostile/both")
        peer.send(frame(CLOSE, b"\x03\xe8"))
        assert peer.close_frame()[0] == 1000
    assert not [line for line in stage.relay.log if "::ffff:" in line], "an IPv4 address is written as one"


BAD_ADDRESSES = ("0177.0.0.1", "127.1", "2130706433", "224.0.0.1", "255.255.255.255", "ff02::1", "localhost")


# E6: a Host that is none (RFC 9112, 3.2).

BAD_HOSTS = ["user@127.0.0.1", "127.0.0.1:80:80", "127.0.0.1:http", "127.0.0.1:-1", "[::1", "[::g]", "::1", "a b", "a/b",
             "a?b", "%zz"]


def refuses_host(port, host):
    def deed(stage):
        answer = stage.peer(port).ask(request("GET", READS[port], host=host))
        assert answer.status == 400, answer
    return Row(f"Host: {host} ({port})", "a Host that is not host[:port] is answered 400", deed,
               counted(port, requests("other", 400), failed_handshakes("bad_request")))


# E5

def head_as_get(stage):
    for wanted in ("text/event-stream", "application/json", "text/html"):
        peer = stage.peer()
        answer = peer.ask(request("HEAD", "/hostile/a", f"Accept: {wanted}"), to="HEAD")
        assert (answer.status, answer.fields["content-type"].split(";")[0]) == (200, wanted), answer


# E7: what is text.

def published_as(port, name, fields, body, opcode):
    """A member of the channel is sent a frame of this kind."""
    def deed(stage):
        member = stage.peer().join("hostile/a")
        answer = stage.peer(port).ask(request("POST", PUBLISHES[port], *fields, body=body))
        assert answer.status == 200, answer
        assert member.frame() == (opcode, body)
        member.send(frame(CLOSE, b"\x03\xe8"))
        assert member.close_frame()[0] == 1000
    kind = "text" if opcode == TEXT else "binary"
    return Row(f"a message with {name} is {kind} ({port})", "both ports tell text from binary in one way", deed,
               clients(1000) + messages(1, receivers=1) + counted(port, requests("POST", 200)))


KINDS = [
    ("no Content-Type and UTF-8", (), "grüß dich".encode(), TEXT),
    ("no Content-Type and other bytes", (), b"\xff\xfe", BINARY),
    ("Content-Type application/ld+json", ("Content-Type: application/ld+json",), b"{}", TEXT),
    ("charset=utf8", ("Content-Type: text/plain; charset=utf8",), b"x", TEXT),
    ("charset=\"UTF-8\"", ("Content-Type: text/plain; charset=\"UTF-8\"",), b"x", TEXT),
    ("Content-Type application/octet-stream", ("Content-Type: application/octet-stream",), b"x", BINARY),
]


def refuses_type(port, name, fields, body, status):
    def deed(stage):
        answer = stage.peer(port).ask(request("POST", PUBLISHES[port], *fields, body=body))
        assert answer.status == status, answer
    return Row(f"{name} ({port})", "text is UTF-8", deed, counted(port, requests("POST", status)))


# E8

def batch_keys_are_its_own(stage):
    """Nobody can make a batch's item look as if it had been published already."""
    item = [{"channel": "hostile/keys", "text": "from the batch"}]
    batch = request("POST", "/-/publish", "Content-Type: application/json", "Idempotency-Key: k", body=json.dumps(item))
    peer = stage.peer()
    for guessed in ("k#0", "k/0", "k 0", "k:0", "k0"):
        answer = peer.ask(request("POST", "/hostile/keys", f"Idempotency-Key: {guessed}", body="guessed"))
        assert answer.status == 200, answer
    for _ in range(2):  # and the second time it is not published again
        answer = peer.ask(batch)
        assert "offset" in answer.json()[0], answer


# F1

def resumes_from(parameter):
    def deed(stage):
        publisher = stage.peer()
        epoch = publisher.ask(request("POST", f"/kept/{parameter}", "Content-Type: text/plain", body="one")).json()["epoch"]
        assert publisher.ask(request("POST", f"/kept/{parameter}", "Content-Type: text/plain", body="two")).status == 200
        listener = stage.peer()
        listener.send(request("GET", f"/kept/{parameter}?{parameter}={epoch}-1", "Accept: text/event-stream"))
        assert listener.head().status == 200
        while not (line := listener.line()).startswith("data:"):
            assert not line.startswith("event: gap")
        assert line == "data: two", line
    return Row(f"an EventSource polyfill that resumes by {parameter}", "it misses nothing", deed,
               requests("POST", 200, 2) + messages(2) + Counter({"relay_deliveries_total": 1}) + event_streams()
               + Counter({'relay_resumes_total{result="exact"}': 1}), keeps_messages=True)


# F2

def credentials(origins, origin, is_allowed):
    def deed(stage):
        answer = stage.peer().ask(request("GET", "/hostile/a", f"Origin: {origin}"))
        assert answer.status == 200, answer
        assert answer.fields.get("access-control-allow-origin") == origin, answer
        assert (answer.fields.get("access-control-allow-credentials") == "true") == is_allowed, answer
        preflight = stage.peer().ask(request("OPTIONS", "/hostile/a", f"Origin: {origin}",
                                             "Access-Control-Request-Method: POST"))
        assert (preflight.fields.get("access-control-allow-credentials") == "true") == is_allowed, preflight
    what = "may" if is_allowed else "may not"
    return Row(f"a page of {origin} {what} send cookies under server.origins {origins}",
               "only pages that the operator has named may send credentials", deed,
               requests("GET", 200) + requests("OPTIONS", 204),
               relay={"environment": {"RELAY_SERVER_ORIGINS": origins}})


def every(row_of, cases):
    return list(chain.from_iterable(on_both_ports(row_of, *case) for case in cases))


ROWS = [
    *every(ignores_upgrade, [("GET",), ("POST",)]),
    Row("a handshake that offers HTTP/2 and WebSocket", "the relay takes what it speaks", prefers_websocket, clients(1000)),
    dated("clients", "200", request("GET", "/hostile/a"), 200, requests("GET", 200)),
    dated("clients", "400", b"x y z\r\n\r\n", 400, requests("other", 400), failed_handshakes("bad_request")),
    dated("clients", "404", request("GET", "/a//b"), 404, requests("GET", 404)),
    dated("clients", "HEAD", request("HEAD", "/hostile/a"), 200, requests("HEAD", 200), to="HEAD"),
    dated("ops", "200", request("GET", "/metrics"), 200),
    dated("ops", "400", b"x y z\r\n\r\n", 400),
    dated("ops", "404", request("GET", "/nothing"), 404),
    dated("ops", "405", request("DELETE", "/metrics"), 405),
    Row("an event stream with a date", "every answer says when it was made", dated_stream, event_streams()),
    Row("IPv4 and IPv6 on one port", "server.address :: is all of the machine's addresses", serves_both_families,
        clients(1000, 2 if has_ipv6() else 1), relay={"environment": {"RELAY_SERVER_ADDRESS": "::"}}),
    *[does_not_start(f"{variable}={address}", "an address is not taken for another one", {variable: address})
      for variable in ("RELAY_SERVER_ADDRESS", "RELAY_METRICS_ADDRESS") for address in BAD_ADDRESSES],
    *every(refuses_host, [(host,) for host in BAD_HOSTS]),
    Row("HEAD for each type", "HEAD says what GET would say", head_as_get, requests("HEAD", 200, 3)),
    *every(published_as, KINDS),
    *every(refuses_type, [
        ("text in latin-1", ("Content-Type: text/plain; charset=iso-8859-1",), b"x", 415),
        ("text that is not UTF-8", ("Content-Type: text/plain",), b"\xff", 400),
    ]),
    Row("keys that look like those of a batch's messages", "a key that somebody chose is not one of the relay's",
        batch_keys_are_its_own, requests("POST", 200, 7) + messages(6)),
    *[resumes_from(parameter) for parameter in ("lastEventId", "last_event_id")],
    credentials("https://app.example", "https://app.example", True),
    credentials("https://*.example", "https://app.example", True),
    credentials("*", "https://app.example", False),
]
