#!/usr/bin/env python3
"""The commands, examples and names of README.md and docs/, held against the real relayd.

Promise: who pastes a command gets what the page says. Only ports, names of files and the ids of clients are replaced.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import documents

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))
from lines import Lines  # noqa: E402
from relayd_process import Relayd  # noqa: E402

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
STREAM_SECONDS = "3"

# Codes of errors, which look like names of metrics.
NO_METRICS = {"relay_full"}
# Commands that need what is not here: another machine, a file of the reader's, a running systemd.
NOT_RUN = ("/etc/relay/ops-token", "192.0.2.7")


def local(text, relay):
    return (text.replace("127.0.0.1:8443", relay.url.split("//")[1].rstrip("/"))
                .replace("127.0.0.1:9464", relay.ops.split("//")[1]))


def curl_commands(page):
    """(line of its block, command) of each curl command in a shell block; continued lines joined, comments gone."""
    for block in documents.blocks(page):
        if block.language == "sh" and not block.text.startswith("#!"):
            for line in block.text.replace("\\\n", " ").splitlines():
                line = re.sub(r"\s+#\s.*$", "", line).strip().removesuffix("&").strip()
                if line.startswith("curl ") and not any(word in line for word in NOT_RUN):
                    yield block.line, line


def shape(value):
    """What an example promises of an answer: names, and the kinds of their values."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def example(page, name):
    return json.loads(documents.block(ROOT / page, name))


def ask(url, body=None, headers=None):
    request = urllib.request.Request(url, body, headers or {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


class Commands(unittest.TestCase):
    def run_page(self, page):
        commands = sorted(curl_commands(page), key=lambda each: "/drain" in each[1])  # after it nobody is served
        with tempfile.TemporaryDirectory() as folder, Relayd() as relay:
            Path(folder, "picture.png").write_bytes(b"\x89PNG")
            listener = Lines("curl", "-sN", "-H", "Accept: text/event-stream", local("http://127.0.0.1:8443/x", relay))
            with listener:
                listener.wait_for(lambda line: line.startswith("retry: "))
                clients = json.loads(relay.get("/-/api/clients")[1])["rows"]
                for line, command in commands:
                    command = local(command, relay).replace("/clients/17/", f"/clients/{clients[0]['id']}/")
                    is_stream = re.search(r"\s-s?N\b", command)
                    options = f"curl --fail-with-body --silent --show-error --max-time {STREAM_SECONDS if is_stream else 20} "
                    done = subprocess.run(["sh", "-c", command.replace("curl ", options, 1)], cwd=folder, check=False,
                                          capture_output=True, text=True, timeout=60)
                    place = f"{page.name}:{line}: {command}\n{done.stdout}{done.stderr}"
                    self.assertEqual(done.returncode, 28 if is_stream else 0, place)
                    self.assertTrue(done.stdout, place)
        return len(commands)

    def test_readme(self):
        self.assertGreaterEqual(self.run_page(ROOT / "README.md"), 7)

    def test_channels(self):
        self.assertGreaterEqual(self.run_page(ROOT / "docs" / "channels.md"), 5)

    def test_admin_api(self):
        self.assertGreaterEqual(self.run_page(ROOT / "docs" / "admin-api.md"), 8)

    def test_the_other_pages(self):
        tried = {"README.md", "channels.md", "admin-api.md"}
        self.assertGreaterEqual(sum(self.run_page(page) for page in PAGES if page.name not in tried), 3)

    @unittest.skipUnless(shutil.which("node") and subprocess.run(
        ["node", "--experimental-websocket", "-e", "WebSocket"], check=False, capture_output=True).returncode == 0,
        "this node has no WebSocket")
    def test_the_line_of_javascript(self):
        with Relayd() as relay:
            line = next(block.text for block in documents.blocks(ROOT / "README.md") if block.language == "js")
            url = local("http://127.0.0.1:8443/chat/42", relay)
            ask(url, b"hello")
            with Lines("node", "--experimental-websocket", "--no-warnings", "-e",
                       local(line, relay).replace("/chat/42", "/chat/42?last=1")) as script:
                script.wait_for(lambda text: text == "hello")


class Examples(unittest.TestCase):
    def test_the_first_commands_answer_as_printed(self):
        with Relayd() as relay:
            url = local("http://127.0.0.1:8443/chat/42", relay)
            with Lines("curl", "-sN", "-H", "Accept: text/event-stream", url) as listener:
                listener.wait_for(lambda line: line.startswith("id: "))
                published = ask(url, b"hello", {"Content-Type": "application/x-www-form-urlencoded"})[1]
                history = ask(url)[1]
        wanted = example("README.md", "published")
        self.assertEqual(published, {**wanted, "epoch": published["epoch"]})
        wanted = example("README.md", "history")
        wanted["messages"][0]["time"] = history["messages"][0]["time"]
        self.assertEqual(history, {**wanted, "epoch": history["epoch"]})

    def test_answers_have_the_shape_of_the_examples(self):
        with Relayd() as relay:
            url = local("http://127.0.0.1:8443", relay)
            batch = b'[{"channel":"chat/1","text":"hello"},{"channel":"sensors/7","base64":"AAH/"}]'
            answers = {"post": ask(url + "/chat/42", b"hello")[1],
                       "batch": ask(url + "/-/publish", batch, {"Content-Type": "application/json"})[1],
                       "history": ask(url + "/chat/42?last=1")[1],
                       "error": ask(url + "/chat//42")[1]}
        for name, answer in answers.items():
            self.assertEqual(shape(answer), shape(example("docs/channels.md", name)), name)

    def test_fields_come_in_the_order_of_the_answers(self):
        """The relay writes names in alphabetical order; examples in another one would be hard to compare."""
        def check(pairs):
            self.assertEqual([name for name, _ in pairs], sorted(name for name, _ in pairs))
            return dict(pairs)

        count = 0
        for page in PAGES:
            for block in documents.blocks(page):
                texts = [block.text] if block.language == "json" else re.findall(r"(?m)^data: (\{.*\})$", block.text)
                for text in texts:
                    json.loads(text, object_pairs_hook=check)
                    count += 1
        self.assertGreater(count, 15)

    def test_the_log_begins_as_printed(self):
        text = next(block.text for block in documents.blocks(ROOT / "README.md") if "listening on" in block.text)
        with Relayd() as relay:
            shown = [line for line in relay.log if "listening on" in line or "metrics at" in line]
        self.assertEqual(len(shown), 2)
        def plain(line):  # without time and ports
            return re.sub(r":\d+/", ":N/", re.sub(r"^\d{4}-\S+Z", "", line))

        self.assertEqual([plain(line) for line in shown], [plain(line) for line in text.splitlines()])

    def test_a_mistake_is_reported_as_printed(self):
        printed = next(block.text for block in documents.blocks(ROOT / "README.md") if "99999" in block.text)
        text = documents.replaced((ROOT / "relay.yaml").read_text(encoding="utf-8"), {"port: 8443": "port: 99999"})
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "relay.yaml").write_text(text, encoding="utf-8")
            done = subprocess.run([os.environ["RELAYD"], "--check", "--config-file", "relay.yaml"], cwd=folder, check=False,
                                  capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(re.sub(r":\d+:", ":12:", done.stderr + done.stdout, count=1).splitlines()[0], printed.strip())

    def test_configurations_are_valid(self):
        count = 0
        for page in PAGES:
            for block in documents.blocks(page):
                if block.language == "yaml" and block.name in ("news.yaml", "origins.yaml", "history.yaml"):
                    with tempfile.TemporaryDirectory() as folder:
                        Path(folder, block.name).write_text(block.text, encoding="utf-8")
                        done = subprocess.run([os.environ["RELAYD"], "--check", "--config-file",
                                               str(Path(folder, block.name))], check=False, capture_output=True, text=True)
                        self.assertEqual(done.returncode, 0, done.stderr)
                    count += 1
        self.assertGreaterEqual(count, 3)

    def test_the_variable_lets_a_page_in(self):
        """README: pages of other sites are refused until their origin is named."""
        pair = re.search(r"^(RELAY_SERVER_ORIGINS)=(\S+) scripts/run$", (ROOT / "README.md").read_text(encoding="utf-8"),
                         re.MULTILINE)
        for environment, wanted in (({}, 403), ({pair.group(1): pair.group(2)}, 200)):
            with Relayd(environment=environment) as relay:
                self.assertEqual(ask(local("http://127.0.0.1:8443/chat/42", relay), None, {"Origin": pair.group(2)})[0], wanted)


class Names(unittest.TestCase):
    """A page that names a key or a metric names one that exists."""

    def texts(self):
        return {page: page.read_text(encoding="utf-8") for page in PAGES}

    def test_keys(self):
        reference = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
        keys = set(re.findall(r"(?m)^\| `([a-z_.]+)` \|", reference))
        sections = {key.split(".")[0] for key in keys if "." in key}
        for page, text in self.texts().items():
            for key in re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)[`:]", text):
                if key.split(".")[0] in sections and not key.endswith((".yaml", ".md")):
                    self.assertIn(key, keys, page.name)

    def test_metrics(self):
        metrics = set(re.findall(r"(?m)^\| `(\w+)` \|", (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")))
        for page, text in self.texts().items():
            for name in set(re.findall(r"`((?:relay|websocket|process)_\w+)[`{]", text)) - NO_METRICS:
                self.assertIn(name, metrics, page.name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
