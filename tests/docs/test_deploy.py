#!/usr/bin/env python3
"""docs/deploy.md, run: its proxies, with the real relayd behind them, its Prometheus files and its other blocks.

Promise: who copies a block from the page gets a relay that works. What a test replaces (ports, names of files) is listed
beside it; everything else runs as it is printed.
"""
import asyncio
import http.server
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import websockets

import documents

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, os.path.join(TESTS, "support"))
from lines import Lines  # noqa: E402
from relayd_process import Relayd  # noqa: E402

PAGE = os.path.join(TESTS, "..", "docs", "deploy.md")
SITE = "relay.example.com"
ORIGIN = f"https://{SITE}"


def program(name):
    """Where it is installed, or None. Debian keeps servers in a folder that is not in the PATH of a normal user."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def port_of(url):
    return url.rstrip("/").rsplit(":", 1)[1]


class Recorder(http.server.ThreadingHTTPServer):
    """A small HTTP server of the operator's: remembers what it is asked, and answers as `judge` says."""

    def __init__(self, judge):
        self.requests = []
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                recorder.requests.append((f"{self.command} {self.path}", dict(self.headers)))
                self.send_response(judge(self.headers))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    @property
    def port(self):
        return self.server_address[1]


class Site:
    """relayd with the page's relay.yaml, a proxy in front of it, and a certificate for the site. A context manager."""

    def __init__(self, proxy, health_port=None, extra=None):
        self._proxy, self._health_port, self._extra = proxy, health_port, extra

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory()
        self.folder = self._folder.name
        self.certificate, self.key = self.path("site.crt"), self.path("site.key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", self.key, "-out", self.certificate, "-days", "2", "-subj", f"/CN={SITE}",
                        "-addext", f"subjectAltName=DNS:{SITE}"], check=True, capture_output=True)
        self.relay = Relayd(documents.block(PAGE, "relay.yaml"))
        self.port = free_port()
        health = self._health_port or port_of(self.relay.ops)
        command = self._proxy(self, port_of(self.relay.url), health, self._extra)
        self._log = open(self.path("proxy.log"), "w+", encoding="utf-8")
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log,
                                         env={**os.environ, "HOME": self.folder, "XDG_DATA_HOME": self.folder,
                                              "XDG_CONFIG_HOME": self.folder})
        try:
            self._wait_until_it_listens()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait_until_it_listens(self):
        end = time.monotonic() + 30
        while time.monotonic() < end and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        self._log.seek(0)
        raise RuntimeError("the proxy does not listen:\n" + self._log.read())

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait(10)
        self._log.close()
        self.relay.kill()
        self.relay.__exit__()
        self._folder.cleanup()

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def curl_command(self, path, *arguments):
        return ["curl", "--silent", "--show-error", "--max-time", "20", "--cacert", self.certificate,
                "--connect-to", f"{SITE}:443:127.0.0.1:{self.port}", *arguments, ORIGIN + path]

    def curl(self, path, *arguments):
        """(HTTP version and status, body)."""
        done = subprocess.run([*self.curl_command(path, *arguments), "--write-out", "\n%{http_version} %{http_code}"],
                              check=True, capture_output=True, text=True)
        body, status = done.stdout.rsplit("\n", 1)
        return status, body

    def connect(self, path, origin=ORIGIN, **more):
        context = ssl.create_default_context(cafile=self.certificate)
        return websockets.connect(f"wss://{SITE}{path}", host="127.0.0.1", port=self.port, ssl=context, origin=origin,
                                  server_hostname=SITE, open_timeout=20, ping_interval=None, **more)


# ---- The proxies: each writes the page's block into the folder, and gives the command that runs it ----

def nginx(site, relay_port, _health_port, extra):
    text = documents.block(PAGE, "/etc/nginx/conf.d/relay.conf")
    if extra:
        text = extra(text)
    text = documents.replaced(text, {
        "listen 443 ssl": f"listen 127.0.0.1:{site.port} ssl",
        "127.0.0.1:8443": f"127.0.0.1:{relay_port}",
        f"/etc/letsencrypt/live/{SITE}/fullchain.pem": site.certificate,
        f"/etc/letsencrypt/live/{SITE}/privkey.pem": site.key})
    site.write("relay.conf", text)
    # What Debian's nginx.conf has around it, with every path in the folder.
    temporary = "".join(f"{kind}_temp_path {site.path(kind)};" for kind in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config = site.write("nginx.conf", f"""daemon off; master_process off; pid {site.path('nginx.pid')};
        events {{ worker_connections 256; }}
        http {{ access_log off; {temporary} include {site.path('relay.conf')}; }}""")
    return [program("nginx"), "-p", site.folder, "-c", config, "-e", "stderr"]


def caddy(site, relay_port, health_port, _extra):
    text = documents.replaced(documents.block(PAGE, "/etc/caddy/Caddyfile"), {
        # No certificate is to be had here from a public authority.
        f"{SITE} {{\n": f"https://{SITE}:{site.port} {{\n\tbind 127.0.0.1\n\ttls {site.certificate} {site.key}\n",
        "127.0.0.1:8443": f"127.0.0.1:{relay_port}",
        "health_port 9464": f"health_port {health_port}"})
    config = site.write("Caddyfile", "{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + text)
    return [program("caddy"), "run", "--adapter", "caddyfile", "--config", config]


def haproxy(site, relay_port, health_port, _extra):
    with open(site.certificate, encoding="ascii") as certificate, open(site.key, encoding="ascii") as key:
        site.write("site.pem", certificate.read() + key.read())
    config = site.write("haproxy.cfg", documents.replaced(documents.block(PAGE, "/etc/haproxy/haproxy.cfg"), {
        "bind :443": f"bind 127.0.0.1:{site.port}",
        f"/etc/haproxy/{SITE}.pem": site.path("site.pem"),
        "127.0.0.1:8443": f"127.0.0.1:{relay_port}",
        "port 9464": f"port {health_port}"}))
    return [program("haproxy"), "-db", "-f", config]


class ProxyPromises:
    """What must work through every proxy of the page."""

    proxy = None

    def test_posts_event_streams_and_history(self):
        with Site(self.proxy) as site:
            # HTTP/2, as a browser has it: EventSource is then not limited to six streams. The event must come while the
            # stream is open: a proxy that buffers would keep it.
            stream = site.curl_command("/chat/42", "--no-buffer", "--http2", "-H", "Accept: text/event-stream", "-i",
                                       "-H", f"Origin: {ORIGIN}", "--max-time", "60")
            with Lines(*stream) as listener:
                self.assertEqual(listener.wait_for(lambda line: line.startswith("HTTP/")).split()[:2],
                                 ["HTTP/2", "200"])
                listener.wait_for(lambda line: line.startswith("id: "))
                status, body = site.curl("/chat/42", "-d", "hello")
                self.assertEqual(status, "2 200", body)
                self.assertEqual((json.loads(body)["offset"], json.loads(body)["clients"]), (1, 1))
                listener.wait_for(lambda line: line == "data: hello")
            status, body = site.curl("/chat/42")
            self.assertEqual([message["text"] for message in json.loads(body)["messages"]], ["hello"])

    def test_a_batch_of_more_than_a_mebibyte(self):
        with Site(self.proxy) as site:
            batch = json.dumps([{"channel": f"big/{i}", "text": "x" * 500_000} for i in range(4)])
            status, body = site.curl("/-/publish", "-H", "Content-Type: application/json",
                                     "--data-binary", "@" + site.write("batch.json", batch))
            self.assertEqual(status, "2 200", body)
            self.assertEqual([answer["offset"] for answer in json.loads(body)], [1, 1, 1, 1])

    def test_web_sockets(self):
        async def converse(site):
            async with site.connect("/chat/42") as one, site.connect("/chat/42") as other:
                await one.send("hello")
                self.assertEqual(await other.recv(), "hello")
                self.assertEqual(await one.recv(), "hello")
                await other.send(b"\x00\xff")
                self.assertEqual([await one.recv(), await other.recv()], [b"\x00\xff", b"\x00\xff"])
            with self.assertRaises(websockets.InvalidStatusCode) as refused:
                async with site.connect("/chat/42", origin="https://elsewhere.example"):
                    pass
            self.assertEqual(refused.exception.status_code, 403)

        with Site(self.proxy) as site:
            asyncio.run(converse(site))


class HealthPromises:
    """For a proxy whose block has a health check: it asks what the page says, and obeys the answer."""

    def test_a_relay_that_is_not_ready_gets_no_traffic(self):
        with Recorder(lambda headers: 503) as health, Site(self.proxy, health_port=health.port) as site:
            end = time.monotonic() + 60
            while site.curl("/chat/42")[0] != "2 503":
                self.assertLess(time.monotonic(), end, "the proxy still sends traffic to a relay that is not ready")
                time.sleep(0.2)
            self.assertEqual(health.requests[0][0], "GET /-/readyz")

    def test_the_relay_answers_the_check(self):
        """relayd judges the Host of requests on loopback: the check must be one that it lets through."""
        with Recorder(lambda headers: 200) as health, Site(self.proxy, health_port=health.port) as site:
            end = time.monotonic() + 60
            while not health.requests:
                self.assertLess(time.monotonic(), end, "the proxy never checks")
                time.sleep(0.05)
            fields = [f"{name}: {value}" for name, value in health.requests[0][1].items()]
            arguments = [argument for field in fields for argument in ("-H", field)]
            status = subprocess.run(["curl", "--silent", "--output", os.devnull, "--write-out", "%{http_code}", *arguments,
                                     site.relay.ops + "/-/readyz"], check=True, capture_output=True, text=True).stdout
            self.assertEqual(status, "200")


@unittest.skipUnless(program("nginx"), "nginx is not installed (scripts/install-packages proxy)")
class Nginx(ProxyPromises, unittest.TestCase):
    proxy = staticmethod(nginx)

    def test_authentication_by_your_own_application(self):
        def judge(headers):
            return 204 if headers.get("Cookie") == "session=good" else 401

        async def converse(site):
            with self.assertRaises(websockets.InvalidStatusCode) as refused:
                async with site.connect("/chat/42"):
                    pass
            self.assertEqual(refused.exception.status_code, 401)
            async with site.connect("/chat/42?last=1", extra_headers={"Cookie": "session=good"}) as socket_:
                await socket_.send("hello")
                self.assertEqual(await socket_.recv(), "hello")

        with Recorder(judge) as application:
            def with_authentication(text):
                block = documents.replaced(documents.block(PAGE, "auth_request"),
                                           {"127.0.0.1:8000": f"127.0.0.1:{application.port}"})
                whole = re.sub(r"    location / \{.*?\n    \}\n", lambda _: block, text, flags=re.DOTALL)
                self.assertIn("auth_request", whole)
                return whole

            with Site(nginx, extra=with_authentication) as site:
                asyncio.run(converse(site))
                asked = {key.lower(): value for key, value in application.requests[-1][1].items()}
                self.assertEqual((asked["x-original-method"], asked["x-original-uri"]), ("GET", "/chat/42?last=1"))
                self.assertEqual(site.curl("/chat/42", "-d", "x")[0], "2 401")
                self.assertEqual(site.curl("/chat/42", "-d", "x", "-H", "Cookie: session=good")[0], "2 200")
                self.assertEqual(site.curl("/-/publish", "-d", "[]", "-H", "Content-Type: application/json",
                                           "-H", "Cookie: session=good")[0], "2 403")
                self.assertEqual(site.curl("/chat/42", "-H", "Accept: text/event-stream")[0], "2 401")


@unittest.skipUnless(program("caddy"), "caddy is not installed (scripts/install-packages proxy)")
class Caddy(ProxyPromises, HealthPromises, unittest.TestCase):
    proxy = staticmethod(caddy)


@unittest.skipUnless(program("haproxy"), "haproxy is not installed (scripts/install-packages proxy)")
class HAProxy(ProxyPromises, HealthPromises, unittest.TestCase):
    proxy = staticmethod(haproxy)


class OtherBlocks(unittest.TestCase):
    def test_without_the_origin_everything_is_refused(self):
        """The page says so; the day it is no longer true, the page must change."""
        for config, wanted in (("", "403"), (documents.block(PAGE, "relay.yaml"), "200")):
            with Relayd(config) as relay:
                answer = subprocess.run(["curl", "--silent", "-H", f"Host: {SITE}", "--write-out", "%{http_code}",
                                         "--output", os.devnull, relay.url.replace("ws://", "http://")],
                                        check=True, capture_output=True, text=True).stdout
            self.assertEqual(answer, wanted)

    def test_the_configurations_are_valid(self):
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = os.path.join(folder, "c.pem"), os.path.join(folder, "k.pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                            "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=x"],
                           check=True, capture_output=True)
            changes = {"/etc/relay/fullchain.pem": certificate, "/etc/relay/privkey.pem": key}
            for name in ("relay.yaml", "tls.yaml"):
                text = documents.block(PAGE, name)
                path = os.path.join(folder, name)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(documents.replaced(text, changes if name == "tls.yaml" else {}))
                done = subprocess.run([os.environ["RELAYD"], "--check", "--config-file", path], check=False,
                                      capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_shell_scripts_are_shell(self):
        script = documents.block(PAGE, "/etc/letsencrypt/renewal-hooks/deploy/relayd")
        subprocess.run(["sh", "-n", "-c", script], check=True)

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed (package prometheus)")
    def test_prometheus_takes_the_files(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, check in (("prometheus.yml", "config"), ("relay-alerts.yml", "rules")):
                path = os.path.join(folder, name)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(documents.block(PAGE, name))
                done = subprocess.run(["promtool", "check", check, path], check=False, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_alerts_name_metrics_that_exist(self):
        with Relayd() as relay:
            page = relay.get("/metrics")[1]
        expressions = re.findall(r"expr: (.*)", documents.block(PAGE, "relay-alerts.yml"))
        self.assertGreater(len(expressions), 3)
        for name, labels in re.findall(r"\b((?:relay|process|websocket)_\w+)(?:\{(.*?)\})?", " ".join(expressions)):
            self.assertRegex(page, rf"(?m)^{name}[ {{]")
            for value in re.findall(r'reason=~"([^"]*)"', labels):
                for reason in value.split("|"):
                    self.assertIn(f'{name}{{reason="{reason}"}}', page)


if __name__ == "__main__":
    unittest.main(verbosity=2)
