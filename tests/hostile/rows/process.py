"""What befalls the process: its log, its signals, its environment, orders from strangers."""
import os
import signal
import subprocess

from peer import PATIENCE_SECONDS, request
from row import Row, does_not_start, messages
from stage import CONFIG, eventually

TOKEN = "0123456789abcdef0123456789abcdef"


# C1

CONNECTIONS = 200


def nobody_reads_the_log(stage):
    """Each connection writes two lines or more into a pipe that holds some thirty. Relaying goes on, and so does the end."""
    for _ in range(CONNECTIONS):
        with stage.another_peer() as peer:
            peer.join("hostile/log")
    stage.innocents.exchange(20)
    for path in ("/-/healthz", "/-/readyz"):
        assert stage.relay.get(path)[0] == 200
    stage.relay.process.send_signal(signal.SIGTERM)
    assert stage.innocents.close_frames() == [(1001, "the relay is shutting down")] * 2
    assert stage.relay.wait() == 0


def the_log_is_closed(stage):
    """As when the program that read it has ended."""
    stage.relay.process.stderr.close()
    for _ in range(CONNECTIONS):
        with stage.another_peer() as peer:
            peer.join("hostile/log")
    stage.innocents.exchange(20)
    assert stage.relay.get("/-/readyz")[0] == 200
    stage.relay.process.send_signal(signal.SIGTERM)
    assert [code for code, _ in stage.innocents.close_frames()] == [1001, 1001]
    assert stage.relay.wait() == 0


# C3

def ends_in_order(name):
    def deed(stage):
        stage.relay.process.send_signal(getattr(signal, name))
        assert [code for code, _ in stage.innocents.close_frames()] == [1001, 1001]
        assert stage.relay.wait() == 0
        assert any(name in line for line in stage.relay.log), "the log says which signal it was"
    return Row(f"{name}", "clients are told 1001, and the relay ends in order", deed, relay={}, ends=True)


def means_nothing(stage):
    for name in ("SIGUSR1", "SIGUSR2", "SIGALRM", "SIGPIPE", "SIGWINCH", "SIGCHLD"):
        stage.relay.process.send_signal(getattr(signal, name))
    stage.innocents.exchange()
    assert stage.relay.get("/-/readyz")[0] == 200


def hangs_up_twice(stage):
    """A terminal that closes sends it to all of its processes, and the shell once more."""
    for _ in range(2):
        stage.relay.process.send_signal(signal.SIGHUP)
    assert [code for code, _ in stage.innocents.close_frames()] == [1001, 1001]
    assert stage.relay.wait() == 0


# D1

SECRETS = ("RELAY_OPS_TOKEN", "RELAY_OPS_TOKEN_FILE", "RELAY_SERVER_TLS_CERT_FILE", "RELAY_SERVER_TLS_KEY_FILE")
EMPTY = "an empty variable does not take away what protects the relay"


def empty_in_the_file(stage):
    """In the file an empty value means none."""
    assert stage.peer("ops").ask(request("POST", "/-/api/channels/hostile/a/publish", body="x")).status == 200


# D5

def print_config_hides_the_token(_):
    for arguments in ((), ("--check",)):
        done = subprocess.run([os.environ["RELAYD"], "--print-config", *arguments], text=True, capture_output=True,
                              timeout=PATIENCE_SECONDS, check=False, env={**os.environ, "RELAY_OPS_TOKEN": TOKEN})
        assert TOKEN not in done.stdout + done.stderr


def with_token(method, path, body=""):
    return request(method, path, f"Authorization: Bearer {TOKEN}", body=body)


ORDERS = [
    ("POST", "/-/api/channels/hostile/orders/publish", "x", "hostile/orders"),
    ("DELETE", "/-/api/channels/innocent/pair/history", "", "innocent/pair"),
]


def orders_are_logged(stage):
    """Who did what: the caller's address and the order, for each change. What only looks leaves no line."""
    for method, path, body, word in ORDERS:
        caller = stage.peer("ops")
        address = "%s:%s" % caller.socket.getsockname()
        answer = caller.ask(with_token(method, path, body))
        assert answer.status == 200, answer
        eventually(lambda: [line for line in stage.relay.log if address in line and word in line], bool,
                   f"a line that names {address} and {word}")
    looker = stage.peer("ops")
    assert looker.ask(with_token("GET", "/-/api/overview")).status == 200
    assert TOKEN not in "\n".join(stage.relay.log)
    assert "%s:%s" % looker.socket.getsockname() not in "\n".join(stage.relay.log)


def a_token_is_needed(stage):
    """For a change always; for a look unless ops.read_without_token says otherwise; for health never."""
    order = request("POST", "/-/api/drain?within=0")
    guesses = (order, request("POST", "/-/api/drain?within=0", "Authorization: Bearer " + TOKEN[:-1]),
               request("POST", "/-/api/drain?within=0", "Authorization: Bearer"),
               request("POST", "/-/api/drain?within=0", "Authorization: Basic " + TOKEN),
               request("POST", f"/-/api/drain?within=0&token={TOKEN}"))
    for guess in guesses:
        assert stage.peer("ops").ask(guess).status == 401
    for path in ("/metrics", "/-/api/overview", "/-/api/clients", "/-/api/channels", "/-/api/stream"):
        assert stage.peer("ops").ask(request("GET", path)).status == 401, path
    for path in ("/-/healthz", "/-/readyz"):
        assert stage.peer("ops").ask(request("GET", path)).status == 200, path


TOKEN_NEEDED = {"environment": {"RELAY_OPS_TOKEN": TOKEN}, "token": TOKEN}

ROWS = [
    Row("a log that nobody reads", "relaying never waits for the log, nor does the end", nobody_reads_the_log,
        relay={"stalls_log": True}, ends=True),
    Row("a log whose reader has ended", "the relay goes on", the_log_is_closed, relay={"stalls_log": True}, ends=True),
    *[ends_in_order(name) for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT")],
    Row("SIGHUP twice", "a terminal that closes does not kill the relay", hangs_up_twice, relay={}, ends=True),
    Row("signals that have no meaning here", "no signal kills without a close frame", means_nothing),
    *[does_not_start(f"{name} set, but empty", EMPTY, {name: ""}) for name in SECRETS],
    *[does_not_start(f"{name} of blanks", EMPTY, {name: "  "}) for name in SECRETS],
    Row("an empty token in the file", "it means none", empty_in_the_file, messages(1),
        relay={"config": CONFIG + "ops: {token: \"\", token_file: \"\"}\n"}),
    Row("--print-config with a token", "what is printed for people has no secret in it", print_config_hides_the_token,
        starts=False),
    Row("orders to the ops port", "the log says who did what", orders_are_logged, messages(1),
        relay=TOKEN_NEEDED, keeps_messages=True),
    Row("requests without the token", "a token protects what can be read, too", a_token_is_needed, relay=TOKEN_NEEDED),
]
