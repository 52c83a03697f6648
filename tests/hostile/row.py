"""A row: what a hostile client does, and what must then be true. The runner checks the rest, which is alike for all."""
import os
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from typing import Callable

from peer import PATIENCE_SECONDS


@dataclass
class Row:
    """name     what the hostile client does
    promise  what an operator can rely on
    deed     does it to a stage, and asserts the answer; it returns the changes if they depend on what happened
    changes  the audited counters that must have changed, and by how much
    relay    options of Stage besides its group's: this row has a relay of its own
    keeps_messages  the deed leaves messages in histories
    ends     the relay has ended afterwards: the deed has looked at all that there is to see
    starts   False: there is no relay, the deed tries to start one
    """
    name: str
    promise: str
    deed: Callable
    changes: Counter = field(default_factory=Counter)
    relay: dict | None = None
    keeps_messages: bool = False
    ends: bool = False
    starts: bool = True


# What changes, to be added up.

def requests(method, code, count=1):
    return Counter({f'relay_http_requests_total{{method="{method}",code="{code}"}}': count})


def failed_handshakes(reason, count=1):
    return Counter({f'relay_handshake_failures_total{{reason="{reason}"}}': count})


def clients(close_code, count=1):
    """WebSocket clients that came, and went with this code."""
    return requests("GET", 101, count) + Counter({
        "websocket_connections_total": count, "websocket_disconnections_total": count,
        f'relay_disconnections_total{{code="{close_code}"}}': count})


def event_streams(count=1):
    return requests("GET", 200, count) + Counter({"relay_event_streams_total": count})


def messages(count, receivers=0):
    return Counter({"websocket_messages_total": count, "relay_deliveries_total": count * receivers})


def violations(rule, count=1):
    return Counter({f'relay_protocol_violations_total{{rule="{rule}"}}': count})


def limits(limit, count=1):
    return Counter({f'relay_limit_disconnections_total{{limit="{limit}"}}': count})


def on_both_ports(row_of, *arguments, **options):
    """The clients' port and the ops port read requests alike. What is counted is what clients ask."""
    return [row_of("clients", *arguments, **options), row_of("ops", *arguments, **options)]


ANY_PORTS = {"RELAY_SERVER_PORT": "0", "RELAY_METRICS_PORT": "0"}


def does_not_start(name, promise, environment):
    """Exit status 2, and a line that names the variable."""
    def deed(_):
        done = subprocess.run([os.environ["RELAYD"]], text=True, capture_output=True, timeout=PATIENCE_SECONDS,
                              check=False, env={**os.environ, **ANY_PORTS, **environment})
        assert done.returncode == 2, (done.returncode, done.stderr)
        for variable in environment:
            assert variable in done.stderr, done.stderr
    return Row(name, promise, deed, starts=False)
