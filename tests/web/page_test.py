"""What the tests of a channel's page share: a relayd, browsers, and other clients. Exit status 77 when there is no
browser."""
import asyncio
import json
import os
import re
import sys
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

try:
    import websockets

    from browser import CHROMEDRIVER, CHROMIUM, Browser
    missing = [program for program in (CHROMIUM, CHROMEDRIVER) if not os.path.exists(program)]
except ImportError as error:
    missing = [str(error)]
if missing:
    print("skipped: missing", *missing, "(see the group test of scripts/packages.txt)", file=sys.stderr)
    sys.exit(77)

from relayd_process import Relayd


def http_url(relay, path):
    return re.sub("^ws", "http", relay.url.rstrip("/")) + path


def post(url, body, content_type="text/plain"):
    body = body.encode() if isinstance(body, str) else body
    request = urllib.request.Request(url, body, {"Content-Type": content_type})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def send_over_websocket(url, *messages):
    """Messages of another client, which is not a browser."""
    async def send():
        async with websockets.connect(re.sub("^http", "ws", url) + "?echo=0") as client:
            for message in messages:
                await client.send(message)
    asyncio.run(send())


class PageTest(unittest.TestCase):
    """A browser for all cases of a class, a second one where it is used, and a relay for each case. At the end of each
    the browsers have nothing to complain about."""

    expected_complaints = None
    _browsers = {}

    @classmethod
    def setUpClass(cls):
        cls._browsers = {}

    @classmethod
    def browser(cls, name):
        if name not in cls._browsers:
            cls._browsers[name] = Browser()
            cls.addClassCleanup(cls._browsers[name].close)
        return cls._browsers[name]

    @property
    def one(self):
        return self.browser("one")

    @property
    def two(self):
        return self.browser("two")

    def setUp(self):
        self.relay = Relayd()
        self.addCleanup(self.relay.__exit__)
        self.url = http_url(self.relay, "/chat/42")

    def tearDown(self):
        for browser in self._browsers.values():
            complaints = browser.complaints()
            if self.expected_complaints:
                complaints = [each for each in complaints if not re.search(self.expected_complaints, each)]
            self.assertEqual(complaints, [])
            browser.open("about:blank")

    def open(self, *browsers, path="/chat/42"):
        for browser in browsers:
            browser.open(http_url(self.relay, path))
            browser.wait_live()

    def restart_relay(self):
        """Another relay at the address of the one that was killed."""
        port = self.relay.url.rstrip("/").rsplit(":", 1)[1]
        again = Relayd(environment={"RELAY_SERVER_PORT": port})
        self.addCleanup(again.__exit__)
        return again
