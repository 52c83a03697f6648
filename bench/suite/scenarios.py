"""What is measured, and the bars.

A bar is (metric, at most | at least, factor, of what): of another server's same metric in this scenario, of the same server's
in another scenario, or None for a plain value. A bar without a sense is only shown.
"""

CPU = "server_cpu_us_per_delivery"
RATE = "deliveries_per_second"
DELIVERY_CPU = "delivery_cpu_us"
P99 = "latency_p99_ms"
MEMORY = "server_bytes_per_client"
CORES = "server_cores"
CONNECTS = "connects_per_second"

UNITS = {
    CPU: ("CPU per delivery", "us", 1, 2),
    DELIVERY_CPU: ("CPU per delivery alone", "us", 1, 2),
    RATE: ("deliveries/s", "", 1, 0),
    P99: ("latency p99", "ms", 1, 2),
    MEMORY: ("memory per client", "KB", 1e-3, 2),
    CORES: ("CPU while idle", "% of a core", 100, 2),
    CONNECTS: ("connects/s", "", 1, 0),
}

OWN = ["relayd", "floor"]
ALL = ["relayd", "floor", "go", "node", "nchan"]
NO_HISTORY = "relayd-nohistory"


class Control:
    """A run before the measured one, whose CPU is what the measured one spends on something else than deliveries."""

    def __init__(self, target, load):
        self.target, self.load = target, load


class Scenario:
    def __init__(self, name, title, load, servers, bars, warmup=1, seconds=6, idle=False, subject="relayd", control=None):
        self.name, self.title, self.load, self.servers = name, title, load, servers
        self.bars, self.warmup, self.seconds, self.idle = bars, warmup, seconds, idle
        self.subject, self.control = subject, control

    def metrics(self):
        return list(dict.fromkeys(bar[0] for bar in self.bars))

    def references(self):
        """Names of scenarios that this one is judged by."""
        return [bar[3] for bar in self.bars if any(bar[3] == other.name for other in SCENARIOS)]

    def arguments(self, load, quick, sizes):
        if self.idle:
            # Longer than keepalive.interval's 30 s, so that the pings of the whole crowd are in it.
            seconds = 3 if quick else 32
            return ["--clients", sizes["idle_clients"], "--idle", f"{seconds}s"]
        warmup, seconds = (min(self.warmup, 2), 2) if quick else (self.warmup, self.seconds)
        return load.format(**sizes).split() + ["--warmup", f"{warmup}s", "--duration", f"{seconds}s"]


def chosen(names):
    """The scenarios of those names, and those that they are judged by, in the order in which they run."""
    wanted = set(names)
    for scenario in SCENARIOS:
        if scenario.name in names:
            wanted.update(scenario.references())
    return [scenario for scenario in SCENARIOS if scenario.name in wanted]


# A stalled client is stalled when the kernel's buffers for it, 2.5 MB on loopback, are full: hence 320 KB/s and 9 s.
STALL = "--clients 1000 --publishers 10 --rate 20 --size 16KiB"

# Deliveries in many channels against deliveries in one. With 1,000 clients the two cannot have the same number of messages
# published and delivered both: alone in its channel, a client costs a reception for each delivery; in one channel, 1,000
# deliveries share one. So the deliveries are made equal (10,000 a second), and so is their rhythm: 1,000 at the same moment,
# ten times a second, so that neither server nor load is woken more often (--at-once). What receiving costs is measured by a
# control: the same clients publish the same messages with ?echo=0, which reach nobody. Its CPU is taken off.
ALONE = "--clients 1000 --channels 1000 --publishers 1000 --rate 10000 --at-once --size 64"

LISTENERS = "--clients {listeners} --publishers 1 --rate 2 --size 64"

SCENARIOS = [
    Scenario(
        "fanout", "1,000 clients, 10 publishers, 50 msg/s of 64 B",
        "--clients 1000 --publishers 10 --rate 50 --size 64", ALL,
        [(CPU, "at most", 1.15, "floor"), (P99, None, None, None)],
    ),
    Scenario(
        "burst", "1,000 clients, 10 publishers, 4 messages in flight each",
        "--clients 1000 --publishers 10 --window 4 --size 64", ALL + [NO_HISTORY],
        [(RATE, "at least", 0.85, "floor"), (RATE, "at least", 10, "go"), (RATE, "at least", 0.9, NO_HISTORY)],
    ),
    Scenario(
        "chatty", "100 clients, 10 publishers, 2,000 msg/s of 64 B",
        "--clients 100 --publishers 10 --rate 2000 --size 64", OWN + [NO_HISTORY],
        [(CPU, "at most", 1.15, "floor"), (CPU, "at most", 1.1, NO_HISTORY)],
    ),
    Scenario(
        "pair64", "2 clients, 128 messages of 64 B in flight each",
        "--clients 2 --publishers 2 --window 128 --size 64", OWN,
        [(RATE, "at least", 0.85, "floor")],
    ),
    Scenario(
        "pair1k", "2 clients, 128 messages of 1 KiB in flight each",
        "--clients 2 --publishers 2 --window 128 --size 1KiB", OWN,
        [(RATE, "at least", 0.85, "floor")],
    ),
    Scenario(
        "large", "200 clients, 10 publishers, 50 msg/s of 16 KiB",
        "--clients 200 --publishers 10 --rate 50 --size 16KiB", OWN,
        [(CPU, "at most", 1.2, "floor")],
    ),
    Scenario(
        "idle", "{idle_clients:,} clients, idle", "", OWN,
        [(MEMORY, "at most", 9000, None), (CORES, "at most", 0.01, None), (CONNECTS, "at least", 0.7, "floor")],
        idle=True,
    ),
    Scenario(
        "calm", "1,000 clients, 10 publishers, 20 msg/s of 16 KiB", STALL, OWN,
        [(P99, None, None, None)], warmup=9,
    ),
    Scenario(
        "stalled", "the same, one client stalled", STALL + " --stall 1", OWN,
        [(P99, "at most", 1.2, "calm")], warmup=9,
    ),
    Scenario(
        "workers", "two workers on two cores against one on one: 1,000 clients, 4 in flight each",
        "--clients 1000 --publishers 10 --window 4 --size 64", ["relayd", "relayd-2w"],
        [(RATE, "at least", 1, "relayd")], subject="relayd-2w",
    ),
    Scenario(
        "one_channel", "1,000 clients in one channel, one publisher, 10 msg/s",
        "--clients 1000 --publishers 1 --rate 10 --size 64", ["relayd"],
        [(DELIVERY_CPU, None, None, None)],
    ),
    Scenario(
        "channels", "1,000 clients in 1,000 channels, each sends itself 10 msg/s",
        ALONE, ["relayd"],
        [(DELIVERY_CPU, "at most", 1.3, "one_channel"), (CPU, None, None, None)],
        control=Control("/?echo=0", ALONE + " --no-echo"),
    ),
    Scenario(
        "listeners", "{listeners:,} WebSocket clients, one of them publishes 2 msg/s",
        LISTENERS, ["relayd"], [(CPU, None, None, None), (MEMORY, None, None, None)],
    ),
    Scenario(
        "event_source", "the same, all but the publisher by EventSource",
        LISTENERS + " --event-source", ["relayd"],
        [(CPU, "at most", 1.25, "listeners"), (MEMORY, "at most", 1.25, "listeners")],
    ),
]
