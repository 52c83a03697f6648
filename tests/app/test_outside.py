#!/usr/bin/env python3
"""relayd from outside: the real process, a client that is not Qt, signals, exit statuses, metrics.

Promise: what the README says of the daemon is true for a stranger's client.
"""
import asyncio
import hashlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

import websockets

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from relayd_process import Relayd, free_port  # noqa: E402


class AsyncTestCase(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # unittest's default; it costs more than the relay


async def connect(url, **options):
    return await websockets.connect(url, max_size=None, max_queue=None, open_timeout=30,
                                    ping_interval=None, **options)


async def eventually(condition, seconds=15):
    """Waits until the condition holds: it is asked again and again, and no longer than this."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it never came true")
        await asyncio.sleep(0.02)


class Talking(AsyncTestCase):
    async def test_every_client_receives_what_anyone_sends(self):
        with Relayd() as relay:
            clients = [await connect(relay.url) for _ in range(3)]
            await clients[0].send("grüß dich 👋")
            await clients[0].send(bytes(range(256)))
            for client in clients:
                self.assertEqual(await client.recv(), "grüß dich 👋")
                self.assertEqual(await client.recv(), bytes(range(256)))
            for client in clients:
                await client.close()
            self.assertEqual(relay.terminate(), 0)

    async def test_echo_off_leaves_out_the_sender(self):
        with Relayd("hub: {echo: false}\n") as relay:
            sender, other = await connect(relay.url), await connect(relay.url)
            await sender.send("for others")
            self.assertEqual(await other.recv(), "for others")
            await other.send("back")
            self.assertEqual(await sender.recv(), "back")  # and not "for others" before it

    async def test_wss_relays_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                            "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", cert],
                           check=True, capture_output=True)
            with Relayd(f"server: {{tls: {{enabled: true, cert_file: {cert}, key_file: {key}}}}}\n") as relay:
                self.assertTrue(relay.url.startswith("wss://"))
                trust = ssl.create_default_context(cafile=cert)
                trust.check_hostname = False
                one, two = [await connect(relay.url, ssl=trust) for _ in range(2)]
                big = os.urandom(1024 * 1024)
                await one.send(big)
                self.assertEqual(await two.recv(), big)
                await two.send("x")
                self.assertEqual([await one.recv(), await one.recv()], [big, "x"])

    async def test_200_clients_see_20_senders_in_one_order(self):
        with Relayd() as relay:
            clients = await asyncio.gather(*[connect(relay.url) for _ in range(200)])

            async def send(number):
                for i in range(50):
                    await clients[number].send(f"{number}:{i}")

            async def receive(client):
                return [await client.recv() for _ in range(1000)]

            received = (await asyncio.gather(*[receive(c) for c in clients], *[send(n) for n in range(20)]))[:200]
            orders = {hashlib.sha256("\n".join(messages).encode()).hexdigest() for messages in received}
            self.assertEqual(len(orders), 1)
            self.assertEqual(sorted(received[0]), sorted(f"{n}:{i}" for n in range(20) for i in range(50)))
            for number in range(20):  # each sender's own order is kept
                own = [m for m in received[0] if m.startswith(f"{number}:")]
                self.assertEqual(own, [f"{number}:{i}" for i in range(50)])


class Counting(AsyncTestCase):
    async def test_connections_equal_disconnections_when_a_third_vanishes(self):
        with Relayd() as relay:
            for _ in range(10):
                clients = await asyncio.gather(*[connect(relay.url) for _ in range(100)])
                for number, client in enumerate(clients):
                    if number % 3 == 0:  # reset: no close frame, no FIN
                        raw = client.transport.get_extra_info("socket")
                        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                        client.transport.abort()
                    else:
                        await client.close()
            await eventually(lambda: relay.metric("websocket_connected_clients") == 0)
            self.assertEqual(relay.metric("websocket_connections_total"), 1000)
            self.assertEqual(relay.metric("websocket_disconnections_total"), 1000)
            self.assertEqual(relay.metric('relay_disconnections_total{code="1000"}'), 660)
            self.assertEqual(relay.metric('relay_disconnections_total{code="1006"}'), 340)

    async def test_a_scrape_has_no_complaint_from_promtool(self):
        with Relayd() as relay:
            client = await connect(relay.url)
            await client.send("x")
            await client.recv()
            page = relay.get("/metrics")[1]
            checked = subprocess.run(["promtool", "check", "metrics"], input=page, text=True, capture_output=True,
                                     check=False)
            self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))
            self.assertEqual(relay.metric("websocket_messages_total"), 1)
            self.assertEqual(relay.metric("relay_deliveries_total"), 1)


class SlowConsumer(AsyncTestCase):
    async def test_a_client_that_never_reads_is_closed_and_disturbs_nobody(self):
        config = "limits: {message_size: 64 KiB, queue_size: 256 KiB}\n"
        with Relayd(config) as relay:
            port = int(relay.url.rstrip("/").rsplit(":", 1)[1])
            stalled = socket.create_connection(("127.0.0.1", port))
            stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stalled.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            await eventually(lambda: relay.metric("websocket_connected_clients") == 1)
            readers = [await connect(relay.url) for _ in range(5)]
            message = os.urandom(16 * 1024)
            total = 1000

            async def receive(client):
                for _ in range(total):
                    self.assertEqual(await client.recv(), message)

            async def send(client):
                for _ in range(total):  # in step with its own echo, so that only one client is slow
                    await client.send(message)
                    self.assertEqual(await client.recv(), message)

            await asyncio.gather(send(readers[0]), *[receive(c) for c in readers[1:]])
            self.assertEqual(relay.metric('relay_limit_disconnections_total{limit="queue_size"}'), 1)
            self.assertGreater(relay.metric('relay_dropped_total{reason="slow_consumer",queued="true"}'), 0)
            self.assertEqual(relay.metric("websocket_connections_total"), 6)
            stalled.close()


class Ending(AsyncTestCase):
    async def test_sigterm_tells_500_clients_1001_and_ends_with_0(self):
        with Relayd() as relay:
            clients = await asyncio.gather(*[connect(relay.url) for _ in range(500)])
            started = time.monotonic()
            relay.process.send_signal(signal.SIGTERM)
            await asyncio.gather(*[c.wait_closed() for c in clients])
            self.assertEqual({c.close_code for c in clients}, {1001})
            loop = asyncio.get_running_loop()
            self.assertEqual(await loop.run_in_executor(None, relay.process.wait, 10), 0)
            print(f"SIGTERM with 500 clients: {time.monotonic() - started:.2f} s", file=sys.stderr)

    async def test_readyz_says_503_while_stopping(self):
        with Relayd() as relay:
            self.assertEqual(relay.get("/-/readyz")[0], 200)
            port = int(relay.url.rstrip("/").rsplit(":", 1)[1])
            mute = socket.create_connection(("127.0.0.1", port))  # never answers the close frame
            mute.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            await eventually(lambda: relay.metric("websocket_connected_clients") == 1)
            relay.process.send_signal(signal.SIGTERM)
            await eventually(lambda: relay.get("/-/readyz")[0] == 503)
            self.assertEqual(relay.get("/-/healthz")[0], 200)
            relay.process.send_signal(signal.SIGTERM)  # the second one ends it at once
            loop = asyncio.get_running_loop()
            status = await loop.run_in_executor(None, relay.process.wait, 5)
            self.assertIn(status, (-signal.SIGTERM, 128 + signal.SIGTERM))
            mute.close()

    async def test_a_client_that_does_not_answer_cannot_hold_the_end(self):
        with Relayd("server: {shutdown_timeout: 300ms}\n") as relay:
            port = int(relay.url.rstrip("/").rsplit(":", 1)[1])
            with socket.create_connection(("127.0.0.1", port)) as mute:
                mute.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
                await eventually(lambda: relay.metric("websocket_connected_clients") == 1)
                self.assertEqual(relay.terminate(10), 0)

    def test_json_logs_are_one_object_a_line(self):
        with Relayd("logging: {format: json}\n") as relay:
            self.assertEqual(relay.terminate(), 0)
        lines = [json.loads(line) for line in relay.log]
        self.assertGreater(len(lines), 2)
        self.assertEqual({"time", "level", "category", "message"}, set(lines[0]))


def ops_answers(port, path="/-/readyz"):
    """The status and text of an answer of the ops port, or (0, "") while nobody listens there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except urllib.error.URLError:
        return 0, ""


class NobodyReadsTheLog(AsyncTestCase):
    """Its log cannot be read here, so its ports are chosen beforehand."""

    def setUp(self):
        self.port, self.ops = free_port(), free_port()
        self.process = None

    def tearDown(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)

    def start(self, **options):
        variables = {"RELAY_SERVER_PORT": str(self.port), "RELAY_METRICS_PORT": str(self.ops)}
        self.process = subprocess.Popen([os.environ["RELAYD"]], env={**os.environ, **variables}, **options)

    async def serve_500_clients_and_end(self):
        await eventually(lambda: ops_answers(self.ops)[0] == 200)
        clients = await asyncio.gather(*[connect(f"ws://127.0.0.1:{self.port}/") for _ in range(500)])
        await clients[0].send("hello")
        self.assertEqual({await client.recv() for client in clients}, {"hello"})
        self.process.send_signal(signal.SIGTERM)
        await asyncio.gather(*[client.wait_closed() for client in clients])
        self.assertEqual({client.close_code for client in clients}, {1001})
        loop = asyncio.get_running_loop()
        self.assertEqual(await loop.run_in_executor(None, self.process.wait, 20), 0)

    async def test_a_full_pipe_stops_nothing(self):
        """A pager that is not scrolled, a log driver that hangs: the relay serves and ends all the same."""
        reading, writing = os.pipe()
        try:
            # Filled by a description of its own: O_NONBLOCK on the one that relayd inherits would change the case.
            filling = os.open(f"/proc/self/fd/{writing}", os.O_WRONLY | os.O_NONBLOCK)
            with self.assertRaises(BlockingIOError):
                while True:
                    os.write(filling, b"x" * 4096)
            os.close(filling)
            self.start(stderr=writing)
            await self.serve_500_clients_and_end()
        finally:
            os.close(reading)
            os.close(writing)

    async def test_a_log_that_is_closed_reaches_no_client(self):
        """`relayd 2>&-`: the first socket must not become standard error."""
        self.start(preexec_fn=lambda: [os.close(descriptor) for descriptor in (0, 1, 2)])
        await eventually(lambda: ops_answers(self.ops)[0] == 200)
        for descriptor in (0, 1, 2):
            self.assertEqual(os.readlink(f"/proc/{self.process.pid}/fd/{descriptor}"), "/dev/null")
        await self.serve_500_clients_and_end()

    async def test_a_reader_that_is_gone_is_counted(self):
        """`relayd 2>&1 | head -1`: neither SIGPIPE nor the failed writes end the relay."""
        reading, writing = os.pipe()
        os.close(reading)
        self.start(stderr=writing)
        os.close(writing)
        await eventually(lambda: ops_answers(self.ops)[0] == 200)
        counted = re.compile(r'^relay_log_lines_dropped_total{reason="write_failed"} [1-9]', re.MULTILINE)
        await eventually(lambda: counted.search(ops_answers(self.ops, "/metrics")[1]))
        await self.serve_500_clients_and_end()


class Refusing(unittest.TestCase):
    """A relay that cannot start says in a line what to do, and its exit status tells why."""

    def run_relayd(self, config, *arguments, **environment):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(config)
            file.flush()
            return subprocess.run([os.environ["RELAYD"], "--config-file", file.name, *arguments], text=True,
                                  capture_output=True, timeout=20, check=False, env={**os.environ, **environment})

    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            ended = self.run_relayd(f"server: {{port: {port}}}\nmetrics: {{enabled: false}}\n")
            self.assertEqual(ended.returncode, 1)
            self.assertIn("in use", ended.stderr)
            self.assertIn("server.port", ended.stderr)
            ended = self.run_relayd(f"server: {{port: 0}}\nmetrics: {{port: {port}}}\n")
            self.assertEqual(ended.returncode, 1)
            self.assertIn("metrics.port", ended.stderr)

    def test_missing_certificate(self):
        ended = self.run_relayd("server: {port: 0, tls: {enabled: true, cert_file: /none.pem, key_file: /none.key}}\n")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("/none.pem", ended.stderr)

    def test_every_problem_of_a_bad_configuration_is_listed(self):
        ended = self.run_relayd("server: {port: 99999, adress: x}\nhub: {echo: perhaps}\n")
        self.assertEqual(ended.returncode, 2)
        for part in ("server.port", "server.adress", "did you mean", "hub.echo", ".yaml:1:", ".yaml:2:"):
            self.assertIn(part, ended.stderr)

    def test_unknown_option(self):
        ended = self.run_relayd("", "--prot", "1")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("prot", ended.stderr)

    def test_check_and_print_config_agree_with_the_sample(self):
        self.assertEqual(self.run_relayd("", "--check").returncode, 0)
        printed = self.run_relayd("server: {port: 9000}\n", "--print-config")
        self.assertEqual(printed.returncode, 0)
        again = self.run_relayd(printed.stdout, "--print-config")
        self.assertEqual(again.stdout, printed.stdout)
        self.assertIn("port: 9000", printed.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
