"""The relay's own numbers, as its operators read them."""
import http.client

# Everything that happens to a client or a message is counted in one of these. A row says which of them change and by
# how much, and all others must stay as they were.
AUDITED = (
    "websocket_messages_total",
    "websocket_connections_total",
    "websocket_disconnections_total",
    "relay_event_streams_total",
    "relay_resumes_total",
    "relay_http_requests_total",
    "relay_deliveries_total",
    "relay_dropped_total",
    "relay_handshake_failures_total",
    "relay_disconnections_total",
    "relay_limit_disconnections_total",
    "relay_protocol_violations_total",
)

# What is there at the moment, and must be again after each row.
STATE = ("websocket_connected_clients", "relay_event_streams", "relay_channels")


class Metrics:
    """Scrapes one relay. The connection is kept, so that scraping does not change how many there are."""

    def __init__(self, ops_port, token=""):
        self._port = ops_port
        self._fields = {"Authorization": f"Bearer {token}"} if token else {}
        self._connection = None

    def close(self):
        if self._connection:
            self._connection.close()
            self._connection = None

    def page(self):
        for is_last_try in (False, True):
            try:
                if self._connection is None:
                    self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
                self._connection.request("GET", "/metrics", headers=self._fields)
                return self._connection.getresponse().read().decode()
            except (http.client.HTTPException, OSError):  # it was idle, and made room for others
                self.close()
                if is_last_try:
                    raise
        raise AssertionError("not reached")

    def all(self):
        """Every sample by its name with labels, as Prometheus prints it."""
        samples = {}
        for line in self.page().splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                samples[name] = float(value)
        return samples


def audited(samples):
    """The samples of AUDITED that are not zero."""
    return {name: int(value) for name, value in samples.items() if name.split("{")[0] in AUDITED and value != 0}


def difference(before, after):
    """What has changed, and by how much."""
    names = set(before) | set(after)
    changes = {name: after.get(name, 0) - before.get(name, 0) for name in names}
    return {name: change for name, change in changes.items() if change != 0}
