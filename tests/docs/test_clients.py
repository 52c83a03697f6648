#!/usr/bin/env python3
"""docs/clients.md, run: each program listens to the real relayd, is disconnected, resumes, and publishes.

Promise: a client that is copied from the page misses no message and shows none twice. Only the relay's port is replaced.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

import documents

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, os.path.join(TESTS, "support"))
from lines import Lines  # noqa: E402
from relayd_process import Relayd  # noqa: E402

PAGE = os.path.join(TESTS, "..", "docs", "clients.md")
NODE_MODULES = "/usr/share/nodejs"


def has_node(*arguments):
    return bool(shutil.which("node")) and subprocess.run(["node", *arguments], check=False,
                                                         capture_output=True).returncode == 0


def wait_until(condition):
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it never happened")
        time.sleep(0.05)


class Clients(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def program(self, name, prefix="", changes=None):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(prefix + documents.replaced(documents.block(PAGE, name), changes or {}))
        return path

    def listening(self, relay):
        return relay.metric("websocket_connected_clients") + relay.metric("relay_event_streams")

    def disconnect_everybody(self, relay):
        for client in json.loads(relay.get("/-/api/clients")[1])["rows"]:
            request = urllib.request.Request(f"{relay.ops}/-/api/clients/{client['id']}/disconnect", method="POST")
            urllib.request.urlopen(request, timeout=10).close()

    def check_listener(self, relay, command, publish, environment=None, first=()):
        """One listener through a lost connection; `first` is what it shows by itself."""
        with Lines(*command, environment=environment) as listener:
            shown = list(first)
            wait_until(lambda: self.listening(relay) == 1)
            publish("one")
            for wanted in shown + ["one"]:
                self.assertEqual(listener.wait_for(lambda line: True), wanted)
            self.disconnect_everybody(relay)
            wait_until(lambda: self.listening(relay) == 0)
            publish("two")  # while nobody is there
            wait_until(lambda: self.listening(relay) == 1)
            publish("three")
            self.assertEqual(listener.wait_for(lambda line: True), "two")
            self.assertEqual(listener.wait_for(lambda line: True), "three")
        self.assertEqual(relay.metric('relay_resumes_total{result="exact"}'), 1)

    def url(self, relay, scheme="http"):
        return f"{scheme}://{relay.url.split('//')[1]}chat/42"

    def post(self, relay):
        def publish(text):
            urllib.request.urlopen(urllib.request.Request(self.url(relay), text.encode(), {"Content-Type": "text/plain"}),
                                   timeout=10).close()
        return publish

    def by_program(self, *command):
        return lambda text: subprocess.run([*command, text], check=True, capture_output=True, timeout=60)

    def test_shell(self):
        with Relayd() as relay:
            url = self.url(relay)
            self.check_listener(relay, ["sh", self.program("listen.sh"), url],
                                self.by_program("sh", self.program("publish.sh"), url))

    def test_python(self):
        python = sys.executable
        with Relayd() as relay:
            self.check_listener(relay, [python, self.program("listen.py"), self.url(relay, "ws")],
                                self.by_program(python, self.program("publish.py"), self.url(relay)))

    @unittest.skipUnless(os.path.isdir(NODE_MODULES + "/eventsource") and has_node("-v"),
                         "node or node-eventsource is not installed")
    def test_javascript_event_source(self):
        with Relayd() as relay:
            program = self.program("event_source.js", "const EventSource = require('eventsource');\n",
                                   {"http://127.0.0.1:8443/chat/42": self.url(relay)})
            self.check_listener(relay, ["node", program], self.post(relay), {"NODE_PATH": NODE_MODULES})

    @unittest.skipUnless(has_node("--experimental-websocket", "-e", "WebSocket"), "this node has no WebSocket")
    def test_javascript_web_socket(self):
        with Relayd() as relay:
            program = self.program("web_socket.js", changes={
                "ws://127.0.0.1:8443/chat/42": self.url(relay, "ws"),
                "http://127.0.0.1:8443/chat/42": self.url(relay),
                # The page publishes beside connecting; here the order must be known.
                "publish('http": "setTimeout(publish, 1e9, 'http"})
            command = ["node", "--experimental-websocket", "--no-warnings", program]
            self.check_listener(relay, command, self.post(relay))

    @unittest.skipUnless(has_node("-e", "fetch"), "this node has no fetch")
    def test_javascript_publish(self):
        with Relayd() as relay:
            text = documents.block(PAGE, "web_socket.js")
            function = re.search(r"async function publish.*?\n}\n", text, re.DOTALL).group(0)
            call = f"publish('{self.url(relay)}', 'hello').then((answer) => console.log(JSON.stringify(answer)));"
            done = subprocess.run(["node", "-e", function + call], check=True, capture_output=True, text=True, timeout=60)
            self.assertEqual(json.loads(done.stdout)["offset"], 1)

    @unittest.skipUnless(shutil.which("go"), "go is not installed (scripts/install-packages bench)")
    def test_go(self):
        def built(name):
            source, binary = self.program(name), os.path.join(self.folder, name + ".bin")
            subprocess.run(["go", "build", "-o", binary, source], check=True, capture_output=True, timeout=240,
                           env={**os.environ, "GO111MODULE": "off", "GOFLAGS": "", "HOME": self.folder,
                                "GOCACHE": os.path.join(self.folder, "cache")})
            return binary

        with Relayd() as relay:
            self.check_listener(relay, [built("listen.go"), self.url(relay)],
                                self.by_program(built("publish.go"), self.url(relay)))

    @unittest.skipUnless(os.environ.get("QT_CLIENT"), "QT_CLIENT does not name the program that was built of listen.cpp")
    def test_qt(self):
        with Relayd() as relay:
            self.check_listener(relay, [os.environ["QT_CLIENT"], self.url(relay, "ws")], self.post(relay))

    @unittest.skipUnless(os.environ.get("EMBEDDING"), "EMBEDDING does not name the program of docs/embedding.md")
    def test_the_program_with_a_relay_inside(self):
        """docs/embedding.md: it publishes, keeps a history, lets nobody else publish, and ends in order."""
        with Lines(os.environ["EMBEDDING"], environment={"PORT": "0"}) as program:
            url = program.wait_for(lambda line: line.startswith("http://"))
            with Lines("curl", "-sN", "-H", "Accept: text/event-stream", url) as stream:
                program.wait_for(lambda line: line.endswith("listens to readings/clock"))
                stream.wait_for(lambda line: re.fullmatch(r"data: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line))
                request = urllib.request.Request(url, b"mine", {"Content-Type": "text/plain"})
                with self.assertRaises(urllib.error.HTTPError) as refused:
                    urllib.request.urlopen(request, timeout=10)
                self.assertEqual(refused.exception.code, 403)
                refused.exception.close()
            self.assertEqual(program.wait(), 0)

    def test_the_five_requests(self):
        """The first table: resuming by header and by parameter, and publishing once."""
        with Relayd() as relay:
            url = self.url(relay)
            answers = []
            for _ in range(2):
                request = urllib.request.Request(url, b"hello", {"Content-Type": "text/plain", "Idempotency-Key": "k"})
                with urllib.request.urlopen(request, timeout=10) as answer:
                    answers.append(json.load(answer))
            self.assertEqual(answers[0], answers[1])
            self.assertEqual(answers[0]["offset"], 1)
            request = urllib.request.Request(url + "?last=10", headers={"Accept": "application/json"})
            with urllib.request.urlopen(request, timeout=10) as answer:
                self.assertEqual([message["text"] for message in json.load(answer)["messages"]], ["hello"])
            before = f"{answers[0]['epoch']}-0"
            for arguments in (["-H", f"Last-Event-ID: {before}", url], [f"{url}?since={before}"]):
                with Lines("curl", "-sN", "-H", "Accept: text/event-stream", *arguments) as stream:
                    stream.wait_for(lambda line: line == "data: hello")


if __name__ == "__main__":
    unittest.main(verbosity=2)
