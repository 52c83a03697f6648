#!/usr/bin/env python3
"""Using the page of a channel: by keyboard, on a phone, under a proxy's path prefix; and the code that it gives away.

Promise: the page can be used from any device, and what is copied from it works.
"""
import json
import os
import signal
import subprocess
import sys
import time
import unittest
import urllib.request

from page_test import PageTest, http_url, post, send_over_websocket

from browser import eventually
from prefix_proxy import PrefixProxy
from selenium.webdriver.common.keys import Keys

SCREENSHOTS = os.environ.get("RELAY_SCREENSHOTS") or os.path.join(
    os.path.dirname(os.path.abspath(os.environ["RELAYD"])), "..", "screenshots")


class Using(PageTest):
    def test_by_keyboard_alone(self):
        self.open(self.one)
        reached = []
        for _ in range(12):
            self.one.press(Keys.TAB)
            reached.append(self.one.focused())
            self.assertNotEqual(self.one.run(
                "const e = document.activeElement;"
                "return getComputedStyle(e.type === 'radio' ? e.nextElementSibling : e).outlineStyle"), "none", reached)
            if reached[-1] == "text":
                self.one.press("typed", Keys.ENTER)
                self.one.wait_for_text("typed")
            if reached[-1] == "pause":
                self.one.press(Keys.SPACE)
                eventually(lambda: self.one.text("#pause") == "Resume")
                self.one.press(Keys.SPACE)
            if reached[-1] == "curl":
                self.one.press(Keys.ARROW_RIGHT)
                self.assertRegex(self.one.text("#snippets pre"), r"new WebSocket\(\s*'ws://127.0.0.1:")
            if reached[-1] == "Copy":
                self.one.press(Keys.ENTER)
                eventually(lambda: self.one.focused() in ("Copied", "Selected"))
                break
        self.assertEqual(reached, ["home", "pause", "viewport", "text", "Send", "Connect a program", "curl", "Copy"])

    def test_a_snippet_is_selected_where_it_cannot_be_copied(self):
        self.open(self.one)
        self.one.run("Object.defineProperty(navigator, 'clipboard', {value: undefined});"
                     "document.execCommand = () => false")
        self.one.find("#snippets button").click()
        eventually(lambda: self.one.text("#snippets button") == "Selected")
        self.assertEqual(self.one.run("return String(getSelection())"), self.one.text("#snippets pre"))

    def test_nothing_is_cut_off_on_a_small_screen(self):
        self.one.look(320, 568)
        self.addCleanup(self.one.look, 1280, 800)
        self.open(self.one)
        send_over_websocket(self.url, "x" * 300, bytes(64))
        eventually(lambda: len(self.one.messages()) == 2)
        self.one.find("summary").click()
        self.assertEqual(self.one.run("return document.documentElement.scrollWidth"), 320)
        for selector in ("#state", "#pause", "#text", "#composer button"):
            box = self.one.find(selector).rect
            self.assertGreaterEqual(box["x"], 0, selector)
            self.assertLessEqual(box["x"] + box["width"], 320, selector)
            self.assertLessEqual(box["y"] + box["height"], 568, selector)

    def test_small_and_from_nowhere_else(self):
        total = 0
        for path, kind in (("/chat/42", "text/html"), ("/-/page.js", "text/javascript"), ("/-/client.js", "text/javascript"),
                           ("/-/snippets.js", "text/javascript"), ("/-/page.css", "text/css"),
                           ("/-/icon.svg", "image/svg+xml")):
            request = urllib.request.Request(http_url(self.relay, path), headers={"Accept": "text/html"})
            with urllib.request.urlopen(request, timeout=10) as answer:
                body = answer.read()
                self.assertTrue(answer.headers["Content-Type"].startswith(kind), path)
                if kind == "text/html":
                    self.assertIn("default-src 'none'", answer.headers["Content-Security-Policy"])
                    self.assertNotIn("unsafe", answer.headers["Content-Security-Policy"])
            total += len(body)
            self.assertNotRegex(body.decode().replace("http://www.w3.org/2000/svg", ""), r"https?://\w")
        self.assertLess(total, 40_000)


    def test_text_is_proportional_and_code_is_not(self):
        self.open(self.one)
        send_over_websocket(self.url, "Good morning!", '{"a": 1}', "log:\n    06:38  valve open", b"bytes")
        eventually(lambda: len(self.one.messages()) == 4)
        faces = self.one.run("""return [...document.querySelectorAll('.message pre')].map(
            (body) => getComputedStyle(body).fontFamily.includes('mono'))""")
        self.assertEqual(faces, [False, True, True, True])

    def test_every_snippet_shows_its_whole_url(self):
        path = "/a-rather-long-name/of-a-channel/that-somebody-chose"
        for width, height in ((1280, 800), (390, 844)):
            self.one.look(width, height)
            self.addCleanup(self.one.look, 1280, 800)
            self.open(self.one, path=path)
            self.one.run("document.getElementById('connect').open = true")
            for language in self.one.driver.find_elements("css selector", "#languages label"):
                language.click()
                for snippet in self.one.driver.find_elements("css selector", "#snippets pre"):
                    self.assertIn(path, snippet.text)
                    self.assertEqual(self.one.run("return arguments[0].scrollWidth - arguments[0].clientWidth",
                                                  snippet), 0, snippet.text)

    def test_a_phone_has_no_word_of_keys_and_keeps_the_newest_message_in_view(self):
        self.one.look(390, 844)
        self.addCleanup(self.one.look, 1280, 800)
        self.open(self.one)
        self.assertFalse(self.one.find(".keys").is_displayed())
        send_over_websocket(self.url, *[f"message {number}" for number in range(40)])
        self.one.wait_for_text("message 39")
        newest = """const row = document.querySelector('#messages li:last-child').getBoundingClientRect();
            const view = document.getElementById('viewport').getBoundingClientRect();
            return row.top >= view.top && row.bottom <= view.bottom + 1"""
        eventually(lambda: self.one.run(newest))
        self.one.find("summary").click()
        eventually(lambda: self.one.find("#snippets").is_displayed())
        eventually(lambda: self.one.run(newest))
        # A reader who has scrolled up is not taken away from there.
        self.one.run("document.getElementById('viewport').scrollTop = 0")
        eventually(lambda: not self.one.run(newest))
        self.one.find("summary").click()
        eventually(lambda: not self.one.find("#snippets").is_displayed())
        self.assertEqual(self.one.run("return document.getElementById('viewport').scrollTop"), 0)


class Programs(PageTest):
    """The code that the page gives away, run as it is copied."""

    expected_complaints = "WebSocket connection|net::ERR_"  # what a browser says of a relay that is gone

    def snippet(self, language, number):
        self.open(self.one)
        self.one.run(f"document.querySelector('[value={language}]').click()")
        return self.one.run("return document.querySelectorAll('#snippets pre')[arguments[0]].textContent", number)

    def start(self, *command):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)

        def end():
            os.killpg(process.pid, signal.SIGKILL)
            process.stdout.close()
            process.wait(10)
        self.addCleanup(end)
        return process

    def test_python_listens_and_resumes(self):
        program = self.snippet("python", 0).replace("sleep(2)", "sleep(0.05)")  # as quickly as a test may
        listener = self.start(sys.executable, "-c", program)
        eventually(lambda: self.one.text("#count") == "2 connected")
        post(self.url, "one")
        self.assertEqual(listener.stdout.readline(), "one\n")
        self.relay.kill()
        self.restart_relay()
        post(self.url, "two")
        eventually(lambda: listener.stdout.readline() == "two\n")  # after lines that say what was wrong

    def test_python_sends(self):
        subprocess.run([sys.executable, "-c", self.snippet("python", 1)], check=True, timeout=20)
        self.one.wait_for_text("hello")

    def test_the_shell_runs_a_command_for_each_message(self):
        listener = self.start("sh", "-c", self.snippet("sh", 0))
        eventually(lambda: self.one.text("#count") == "2 connected")
        post(self.url, "three words  here")
        self.assertEqual(listener.stdout.readline(), "got three words  here\n")

    def test_the_shell_sends(self):
        subprocess.run(["sh", "-c", self.snippet("sh", 1).replace("uptime", "echo up")], check=True, timeout=20,
                       stdout=subprocess.DEVNULL)
        eventually(lambda: self.one.texts() == ["up\n"])

    def test_curl_sends_and_reads(self):
        subprocess.run(["sh", "-c", self.snippet("curl", 1)], check=True, timeout=20, stdout=subprocess.DEVNULL)
        self.one.wait_for_text("hello")
        history = subprocess.run(["sh", "-c", self.snippet("curl", 2)], check=True, timeout=20, capture_output=True)
        self.assertEqual(json.loads(history.stdout)["messages"][0]["text"], "hello")


class UnderAPrefix(PageTest):
    """A proxy serves the relay at /some/prefix/, and tells it nothing of that."""

    def test_the_page_works(self):
        with PrefixProxy("/some/prefix", http_url(self.relay, "")) as proxy:
            self.one.open(f"{proxy.url}/some/prefix/chat/42")
            self.one.wait_live()
            self.assertEqual(self.one.text("#name"), "chat/42")
            self.one.find("#text").send_keys("through the proxy", Keys.ENTER)
            self.one.wait_for_text("through the proxy")
            self.assertIn(f"{proxy.url}/some/prefix/chat/42", self.one.text("#snippets"))
            self.one.driver.refresh()
            self.one.wait_for_text("through the proxy")
            self.one.find("#home").click()
            eventually(lambda: self.one.text("#name") == "/")
            self.one.find("#channel").send_keys("other", Keys.ENTER)
            eventually(lambda: self.one.text("#name") == "other")
            self.assertEqual(self.one.driver.current_url, f"{proxy.url}/some/prefix/other")
            self.one.wait_live()
            self.one.open("about:blank")
        history = urllib.request.urlopen(urllib.request.Request(
            self.url, headers={"Accept": "application/json"}), timeout=10)
        self.assertEqual([each["text"] for each in json.load(history)["messages"]], ["through the proxy"])


class Looks(PageTest):
    """Pictures for people to look at, in the folder that is printed."""

    expected_complaints = "WebSocket connection|net::ERR_"  # what a browser says of a relay that is gone

    def test_screenshots(self):
        os.makedirs(SCREENSHOTS, exist_ok=True)
        self.shoot_a_conversation()
        self.shoot_all_kinds_of_messages()
        self.shoot_a_relay_that_goes_away()
        print(f"screenshots: {os.path.abspath(SCREENSHOTS)}", file=sys.stderr)

    def shoot_a_conversation(self):
        """People and programs in one channel. The README shows it."""
        self.open(self.one, path="/cafe/orders")
        url = http_url(self.relay, "/cafe/orders")
        order = '{"order":118,"table":7,"items":["2 flat whites","3 croissants"]}'
        for number, (who, text) in enumerate((
                (post, "Good morning! The terrace is open, and table 7 is ready to order."),
                (post, order),
                (self.type, "Two flat whites, coming up. Are the croissants out of the oven?"),
                (post, "Five minutes ago. I will bring them to the counter."),
                (post, '{"order":118,"state":"ready"}'),
                (self.type, "On my way to table 7."),
                (post, "They say it is the best coffee in town. Well done, everybody!"))):
            who(url, text)
            eventually(lambda: len(self.one.messages()) == number + 1)
        self.one.find(".message:nth-child(2) [aria-pressed]").click()
        self.shoot("conversation")

    def type(self, _, text):
        self.one.find("#text").send_keys(text, Keys.ENTER)

    def shoot_all_kinds_of_messages(self):
        self.open(self.one)
        send_over_websocket(
            self.url, "Good morning. Pump 3 is running again since 06:40.", "Thanks! The figures agree.",
            '{"pump":3,"state":"running","flow":{"value":12.50,"unit":"l/s"},"alarms":[]}',
            "Could somebody look at the log?\n\n    06:38:12  valve 7 open\n    06:40:01  pump 3 start\n\n"
            "It seems quick to me.",
            bytes.fromhex("89504e470d0a1a0a0000000d49484452") + bytes(range(48)),
            "\n".join(f"06:{minute:02}:00  flow {minute / 4:.2f} l/s" for minute in range(40, 60)), "שלום עולם")
        eventually(lambda: len(self.one.messages()) == 7)
        self.shoot("kinds")
        self.shoot("kinds-top", before="document.getElementById('viewport').scrollTop = 0")
        for number, language in enumerate(("curl", "js", "python", "go", "sh", "qt"), 1):
            self.one.find(f"#languages label:nth-of-type({number})").click()
            self.shoot(f"connect-{language}", before="document.getElementById('connect').open = true")
        self.one.find("#languages label").click()
        self.open(self.one, path="/")
        self.shoot("root")
        self.open(self.one, path="/chat/*")
        post(http_url(self.relay, "/chat/7"), "A message in one of the channels that match.")
        post(http_url(self.relay, "/chat/8"), '{"temperature": 21.5}')
        self.one.wait_for_text("A message in one of the channels that match.")
        self.shoot("pattern")

    def shoot_a_relay_that_goes_away(self):
        self.open(self.one)
        self.relay.kill()
        eventually(lambda: self.one.state() == "waiting")
        self.shoot("lost")
        self.restart_relay()
        self.one.wait_live()
        post(self.url, "And here we are again.")
        self.one.wait_for_text("And here we are again.")
        self.shoot("back")

    def shoot(self, name, before=""):
        for width, height in ((1280, 800), (390, 844)):
            for scheme in ("light", "dark"):
                self.one.look(width, height, scheme)
                self.one.run("document.getElementById('connect').open = innerWidth >= 960;"
                             "const v = document.getElementById('viewport'); v.scrollTop = v.scrollHeight;" + before)
                time.sleep(0.1)  # a picture needs a frame after the last change; nothing is asserted of it
                self.one.screenshot(os.path.join(SCREENSHOTS, f"{name}-{width}x{height}-{scheme}.png"))
        self.one.look(1280, 800)
        self.one.run("document.getElementById('connect').open = true")


if __name__ == "__main__":
    unittest.main(verbosity=2)
