#!/usr/bin/env python3
"""Every URL is a channel, from outside: curl, python3-websockets and node's eventsource against the real relayd.

Promise: what the README shows of channels works for strangers' clients, also when the relay is killed and comes back.
"""
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import websockets

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from lines import Lines  # noqa: E402
from relayd_process import Relayd, free_port  # noqa: E402

EVENT_SOURCE = os.path.join(os.path.dirname(__file__), "..", "web", "event_source.js")
NODE_MODULES = "/usr/share/nodejs"


def http(relay, path):
    return relay.url.rstrip("/").replace("ws://", "http://") + path


def curl(*arguments):
    """What curl prints."""
    done = subprocess.run(["curl", "--silent", "--show-error", "--max-time", "20", *arguments],
                          check=True, capture_output=True)
    return done.stdout


class Curl(unittest.TestCase):
    def test_what_one_curl_posts_another_one_hears(self):
        with Relayd() as relay:
            with Lines("curl", "--silent", "--no-buffer", "-H", "Accept: text/event-stream",
                       http(relay, "/chat/42")) as listener:
                listener.wait_for(lambda line: line.startswith("id: "))
                answer = json.loads(curl("-d", "grüß dich=1&x", http(relay, "/chat/42")))
                self.assertEqual((answer["channel"], answer["offset"], answer["clients"]), ("chat/42", 1, 1))
                self.assertEqual(listener.wait_for(lambda line: line.startswith("id: ")),
                                 f"id: {answer['epoch']}-1")
                self.assertEqual(listener.wait_for(lambda line: line.startswith("data: ")), "data: grüß dich=1&x")
            history = json.loads(curl(http(relay, "/chat/42")))
            self.assertEqual([message["text"] for message in history["messages"]], ["grüß dich=1&x"])
            self.assertEqual(relay.terminate(), 0)

    def test_a_big_file_in_chunks(self):
        with Relayd() as relay, tempfile.NamedTemporaryFile() as file:
            file.write(os.urandom(1024 * 1024))
            file.flush()
            post = ["-H", "Content-Type: application/octet-stream", "--data-binary", "@" + file.name]
            answer = curl("--include", "-H", "Expect: 100-continue", *post, http(relay, "/files")).decode()
            self.assertTrue(answer.startswith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 "), answer)
            self.assertEqual(json.loads(answer.rsplit("\r\n\r\n", 1)[1])["offset"], 1)
            chunked = json.loads(curl(*post, "-H", "Transfer-Encoding: chunked", http(relay, "/files")))
            self.assertEqual(chunked["offset"], 2)
            file.write(b"x")
            file.flush()
            self.assertEqual(json.loads(curl(*post, http(relay, "/files")))["error"], "too_big")

    def test_the_page_and_its_parts(self):
        with Relayd() as relay:
            page = curl("-H", "Accept: text/html", http(relay, "/")).decode()
            self.assertIn("<!doctype html>", page.lower())
            for part in ("/-/page.js", "/-/page.css"):
                self.assertIn(part, page)
                self.assertTrue(curl("--fail", http(relay, part)))


class Resuming(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # unittest's default; it reports every slow step

    async def connect(self, relay, path):
        socket_ = await websockets.connect(relay.url.rstrip("/") + path, subprotocols=["relay.meta"],
                                           open_timeout=30, ping_interval=None)
        self.assertEqual(socket_.subprotocol, "relay.meta")
        head, payload = (await socket_.recv()).split("\n", 1)
        self.assertEqual(payload, "")
        return socket_, json.loads(head)

    async def test_what_was_missed_comes_and_a_new_life_is_told(self):
        port = {"RELAY_SERVER_PORT": str(free_port())}
        with Relayd(environment=port) as relay:
            client, welcome = await self.connect(relay, "/chat/42")
            self.assertNotIn("gap", welcome)
            curl("-d", "one", http(relay, "/chat/42"))
            head, payload = (await client.recv()).split("\n", 1)
            self.assertEqual(payload, "one")
            position = f"{json.loads(head)['epoch']}-{json.loads(head)['offset']}"
            client.transport.abort()
            curl("-d", "two", http(relay, "/chat/42"))
            client, welcome = await self.connect(relay, f"/chat/42?since={position}")
            self.assertNotIn("gap", welcome)
            self.assertEqual((await client.recv()).split("\n", 1)[1], "two")
            relay.kill()
            with self.assertRaises(websockets.ConnectionClosed):
                await client.recv()
        with Relayd(environment=port) as relay:
            curl("-d", "three", http(relay, "/chat/42"))
            client, welcome = await self.connect(relay, f"/chat/42?since={position}")
            self.assertEqual(welcome["gap"]["from"], position)
            self.assertEqual(welcome["gap"]["to"], welcome["position"])
            self.assertNotEqual(welcome["position"].split("-")[0], position.split("-")[0])
            self.assertEqual((await client.recv()).split("\n", 1)[1], "three")
            self.assertEqual(relay.metric('relay_resumes_total{result="unknown"}'), 1)
            await client.close()


@unittest.skipUnless(shutil.which("node") and os.path.isdir(NODE_MODULES + "/eventsource"),
                     "node-eventsource is not installed")
class EventSource(unittest.TestCase):
    def test_it_comes_back_by_itself_when_the_relay_does(self):
        port = {"RELAY_SERVER_PORT": str(free_port())}
        quick = "event_source: {retry: 100ms}\n"
        modules = {"NODE_PATH": NODE_MODULES}

        def of_type(name):
            return lambda line: json.loads(line)["type"] == name

        with Relayd(quick, port) as relay:
            with Lines("node", EVENT_SOURCE, http(relay, "/chat/42"), environment=modules) as listener:
                listener.wait_for(of_type("open"))
                curl("-d", "one\ntwo", http(relay, "/chat/42"))
                first = json.loads(listener.wait_for(of_type("message")))
                self.assertEqual(first["data"], "one\ntwo")
                curl("-H", "Content-Type: application/octet-stream", "-d", "bytes", http(relay, "/chat/42"))
                self.assertEqual(json.loads(listener.wait_for(of_type("binary")))["data"], "Ynl0ZXM=")
                relay.kill()
                with Relayd(quick, port) as again:
                    curl("-d", "three", http(again, "/chat/42"))
                    gap = json.loads(listener.wait_for(of_type("gap")))
                    self.assertTrue(json.loads(gap["data"])["from"].endswith("-2"))
                    message = json.loads(listener.wait_for(of_type("message")))
                    self.assertEqual(message["data"], "three")
                    self.assertTrue(message["id"].endswith("-1"))
                    self.assertEqual(again.metric("relay_event_streams"), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
