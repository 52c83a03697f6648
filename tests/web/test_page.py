#!/usr/bin/env python3
"""The page of a channel, from outside: relayd as it is, Chromium as it is.

Promise: a channel's URL in a browser shows its messages and lets one answer, and it is always clear whether messages
are missing.
"""
import re
import unittest

from page_test import PageTest, Relayd, http_url, post, send_over_websocket

from browser import eventually
from selenium.webdriver.common.keys import Keys


class Talking(PageTest):
    def test_two_pages_talk(self):
        self.open(self.one, self.two)
        self.one.find("#text").send_keys("good morning", Keys.ENTER)
        self.two.wait_for_text("good morning")
        self.two.find("#text").click()
        self.two.insert("grüß dich 👋")
        self.two.press_with(Keys.SHIFT, Keys.ENTER)
        self.two.press("second line", Keys.ENTER)
        self.one.wait_for_text("grüß dich 👋\nsecond line")
        for browser in (self.one, self.two):
            eventually(lambda: len(browser.messages()) == 2)
            self.assertEqual([message["offset"] for message in browser.messages()], [1, 2])
        # Each knows its own, and claims no other.
        eventually(lambda: [message["mine"] for message in self.one.messages()] == [True, False])
        eventually(lambda: [message["mine"] for message in self.two.messages()] == [False, True])
        self.assertEqual(self.one.find("#text").get_attribute("value"), "")
        self.assertEqual(self.one.text("#sent"), "Sent as #1 to 2 clients.")
        self.assertEqual(self.two.messages()[1]["size"], f"{len('grüß dich 👋_second line'.encode())} bytes")
        self.assertEqual(self.one.driver.title, "chat/42 · Relay")

    def test_what_others_send_is_shown_as_it_is(self):
        self.open(self.one)
        said = ["one\ntwo\n\tthree", "👩‍🚀 שלום", "", "<img src=x onerror=alert(1)><script>alert(2)</script>&amp;"]
        send_over_websocket(self.url, *said, bytes(range(256)), b"")
        eventually(lambda: len(self.one.messages()) == 6)
        shown = self.one.messages()
        self.assertEqual([message["text"] for message in shown[:4]], said)
        self.assertEqual([message["size"] for message in shown],
                         [f"{len(text.encode())} bytes" for text in said] + ["256 bytes", "0 bytes"])
        self.assertEqual([message["note"] for message in shown], [""] * 4 + ["binary, 256 B", "binary, 0 B"])
        self.assertIn("0030  30 31 32 33 34 35 36 37 38 39 3a 3b 3c 3d 3e 3f  0123456789:;<=>?", shown[4]["text"])
        self.assertEqual(self.one.run("return document.querySelectorAll('#messages img, #messages script').length"), 0)

    def test_long_messages_are_folded_and_json_is_laid_out_on_demand(self):
        self.open(self.one)
        long = "\n".join(f"line {number}" for number in range(500))
        post(self.url, long)
        post(self.url, '{"id":9007199254740993,"tags":["a, b",{}],"x":1.50}', "application/json")
        eventually(lambda: len(self.one.messages()) == 2)
        self.assertLess(len(self.one.texts()[0]), 200)
        self.one.find(".message:nth-child(1) button").click()
        self.assertEqual(self.one.texts()[0], long)
        self.one.find(".message:nth-child(1) button").click()
        self.assertLess(len(self.one.texts()[0]), 200)
        self.one.find(".message:nth-child(2) [aria-pressed]").click()
        self.assertEqual(self.one.texts()[1], '{\n  "id": 9007199254740993,\n  "tags": [\n    "a, b",\n    {}\n  ],\n'
                                              '  "x": 1.50\n}')  # no digit is lost to a parser

    def test_the_count_of_those_who_are_here(self):
        self.open(self.one)
        self.assertEqual(self.one.text("#count"), "1 connected")
        self.open(self.two)
        self.assertEqual(self.two.text("#count"), "2 connected")
        eventually(lambda: self.one.text("#count") == "2 connected")  # polled
        self.two.open("about:blank")
        eventually(lambda: self.one.text("#count") == "1 connected")

    def test_what_is_refused_stays_in_the_box_and_is_explained(self):
        self.open(self.one)
        self.one.run("document.getElementById('text').value = 'x'.repeat(1100000)")
        self.one.find("#composer button").click()
        eventually(lambda: self.one.text("#sent").startswith("Not sent."))
        self.assertEqual(self.one.run("return document.getElementById('text').value.length"), 1100000)
        self.assertEqual(self.one.texts(), [])
        self.assertTrue(any("413" in complaint for complaint in self.one.complaints()))


    def test_a_message_whose_answer_got_lost_is_sent_once(self):
        self.open(self.one)
        self.one.run("""const real = window.fetch;
            window.fetch = async (...request) => {
                const answer = await real(...request);
                if (request[1].method !== 'POST') return answer;
                window.fetch = real;
                throw new TypeError('lost on its way');
            }""")
        self.one.find("#text").send_keys("only once", Keys.ENTER)
        eventually(lambda: self.one.text("#sent").startswith("Not sent."))
        self.one.find("#text").send_keys(Keys.ENTER)
        eventually(lambda: self.one.text("#sent") == "Sent as #1 to 1 client.")
        post(self.url, "after it")
        self.one.wait_for_text("after it")
        self.assertEqual(self.one.texts(), ["only once", "after it"])


    def test_a_channel_that_cannot_be_listened_to_says_so(self):
        with Relayd("channels: [{match: closed, subscribe: false}]\n") as relay:
            self.one.open(http_url(relay, "/closed"))
            eventually(lambda: self.one.text("#empty") == "Clients cannot listen to this channel, only publish to it.")
            self.assertTrue(any("403" in complaint for complaint in self.one.complaints()))

    def test_who_is_refused_reads_why_and_does_not_ask_again(self):
        self.addCleanup(self.one.before_each_page("""window.attempts = 0;
            window.WebSocket = class { constructor() { attempts++; setTimeout(() => this.onclose({reason: ''})); } };
            window.fetch = async () => new Response('{"message": "Not for you."}', {status: 403});"""))
        self.one.open(self.url)
        eventually(lambda: self.one.state() == "refused")
        self.assertEqual(self.one.text("#notice"), "Not for you.")
        self.assertEqual(self.one.run("return attempts"), 1)
        self.one.find("#retry").click()
        self.assertEqual(self.one.run("return attempts"), 2)


class Reading(PageTest):
    def test_the_view_stays_where_its_reader_is(self):
        self.open(self.one)
        send_over_websocket(self.url, *[f"message {number}" for number in range(60)])
        eventually(lambda: len(self.one.messages()) == 60)
        at_end = """const view = document.getElementById('viewport');
            return view.scrollHeight - view.scrollTop - view.clientHeight < 3"""
        self.assertTrue(self.one.run(at_end))
        self.one.run("document.getElementById('viewport').scrollTop = 0")
        eventually(lambda: not self.one.run(at_end))
        post(self.url, "news")
        eventually(lambda: self.one.text("#newer") == "↓ 1 new message")
        self.assertEqual(self.one.run("return document.getElementById('viewport').scrollTop"), 0)
        self.one.find("#newer").click()
        eventually(lambda: self.one.run(at_end))
        eventually(lambda: not self.one.find("#newer").is_displayed())

    def test_pause_holds_and_loses_nothing(self):
        self.open(self.one)
        self.one.find("#pause").click()
        send_over_websocket(self.url, "a", "b", "c")
        eventually(lambda: self.one.text("#pause") == "Resume (3)")
        self.assertEqual(self.one.texts(), [])
        self.one.find("#pause").click()
        eventually(lambda: self.one.texts() == ["a", "b", "c"])
        self.assertEqual(self.one.text("#pause"), "Pause")

    def test_messages_that_were_left_out_are_missed(self):
        """As a relay does with slow_clients.policy drop_oldest: the offsets tell."""
        self.addCleanup(self.one.before_each_page("""const Real = WebSocket;
            window.WebSocket = class extends Real {
                set onmessage(listener) {
                    let frames = 0;
                    super.onmessage = (event) => { if (![3, 4].includes(++frames)) listener?.(event); };
                }
            }"""))
        self.open(self.one)
        send_over_websocket(self.url, "1", "2", "3", "4", "5")
        self.one.wait_for_text("5")
        self.assertEqual(self.one.rows(), [
            "1", "2 messages after #1 skipped: this page could not keep up.", "4", "5"])

    def test_the_list_is_bounded_and_says_so(self):
        self.open(self.one)
        send_over_websocket(self.url, *[str(number) for number in range(1, 1301)])
        self.one.wait_for_text("1300")
        self.assertEqual(self.one.texts(), [str(number) for number in range(301, 1301)])
        self.assertEqual(self.one.rows()[0], "300 older rows removed. This page keeps the newest 1,000.")


class ComingBack(PageTest):
    def test_a_reload_shows_what_was_missed(self):
        self.open(self.one)
        send_over_websocket(self.url, "a", b"b", "c")
        eventually(lambda: len(self.one.messages()) == 3)
        self.one.open("about:blank")
        send_over_websocket(self.url, "d", "e")
        self.open(self.one)
        self.one.wait_for_text("e")
        self.assertEqual(self.one.rows(), [
            "a", "0000  " + "62".ljust(48) + " b", "c", "2 messages since your last visit:", "d", "e"])
        self.assertEqual([message["offset"] for message in self.one.messages()], [1, 2, 3, 4, 5])

    def test_a_reload_says_what_cannot_be_given(self):
        self.open(self.one)
        send_over_websocket(self.url, *"abcde")
        eventually(lambda: len(self.one.messages()) == 5)
        self.one.open("about:blank")
        send_over_websocket(self.url, *[str(number) for number in range(6, 136)])  # the history holds 100
        self.open(self.one)
        self.one.wait_for_text("135")
        self.assertIn("Messages #6 to #35 are no longer available.", self.one.rows())
        self.assertEqual([message["offset"] for message in self.one.messages()][-100:], list(range(36, 136)))

    def test_the_back_button_leads_to_a_page_that_goes_on(self):
        self.open(self.one)
        send_over_websocket(self.url, "a")
        self.one.wait_for_text("a")
        self.one.open(http_url(self.relay, "/chat/43"))
        self.one.wait_live()
        post(self.url, "b")
        self.one.driver.back()
        self.one.wait_for_text("b")
        self.one.wait_live()
        self.assertEqual(self.one.texts(), ["a", "b"])

    def test_the_first_visit_begins_with_the_last_fifty(self):
        send_over_websocket(self.url, *[str(number) for number in range(1, 61)])
        self.open(self.one)
        eventually(lambda: self.one.texts() == [str(number) for number in range(11, 61)])
        self.assertEqual(len(self.one.rows()), 50)  # and no word of a gap


    def test_a_new_channel_can_be_reloaded_without_an_alarm(self):
        """Nothing was ever sent, so nothing can be missing, also when the relay was another in the meantime."""
        self.open(self.one)
        self.one.driver.refresh()
        self.one.wait_live()
        post(self.url, "first")
        self.one.wait_for_text("first")
        self.assertEqual(self.one.rows(), ["first"])

    def test_a_page_that_has_shown_nothing_begins_like_a_first_visit(self):
        """The channel had messages, which its history no longer has."""
        with Relayd("history: {total_size: 0}\n") as relay:
            for text in "abc":
                post(http_url(relay, "/chat/42"), text)
            self.one.open(http_url(relay, "/chat/42"))
            self.one.wait_live()
            self.one.driver.refresh()
            self.one.wait_live()
            post(http_url(relay, "/chat/42"), "d")
            self.one.wait_for_text("d")
            self.assertEqual(self.one.rows(), ["d"])


class Restarting(PageTest):
    expected_complaints = "WebSocket connection|net::ERR_"  # what a browser says of a relay that is gone

    def test_a_killed_relay_comes_back_and_both_pages_go_on(self):
        self.open(self.one, self.two)
        send_over_websocket(self.url, "a", "b", "c")
        for browser in (self.one, self.two):
            self.assertTrue(eventually(lambda: browser.texts() == ["a", "b", "c"]))
        self.relay.kill()
        for browser in (self.one, self.two):
            eventually(lambda: re.match(r"(Reconnecting|Offline, next attempt) in \d+ s", browser.text("#state-text")))
            self.assertIn("continues where it stopped", browser.text("#notice"))
            self.assertTrue(browser.find("#notice").is_displayed())
        self.one.find("#text").send_keys("too early", Keys.ENTER)
        eventually(lambda: self.one.text("#sent") == "Not sent. The relay cannot be reached. Try again.")

        self.restart_relay()
        if self.one.state() == "waiting":
            self.one.run("document.getElementById('retry').click()")  # it may come back by itself at this very moment
        for browser in (self.one, self.two):
            browser.wait_live()
            eventually(lambda: browser.rows()[3:] and browser.rows()[3]
                       == "Messages after #3, if there were any, are no longer available.")
        self.one.find("#text").send_keys(Keys.ENTER)
        self.two.wait_for_text("too early")
        self.assertEqual([message["offset"] for message in self.two.messages()], [1, 2, 3, 1])

    def test_a_connection_that_was_cut_resumes_and_says_that_nothing_is_missing(self):
        self.open(self.one)
        send_over_websocket(self.url, "a")
        self.one.wait_for_text("a")
        self.one.driver.execute_cdp_cmd("Network.enable", {})
        offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.one.driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
        eventually(lambda: self.one.text("#state-text").startswith("Offline"))
        post(self.url, "b")
        self.one.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**offline, "offline": False})
        self.one.wait_live()
        self.one.wait_for_text("b")
        rows = self.one.rows()
        self.assertEqual([rows[0], rows[2]], ["a", "b"])
        self.assertRegex(rows[1], "^Disconnected .*. No messages were missed.$")


    def test_an_empty_page_outlives_its_relay_without_an_alarm(self):
        self.open(self.one)
        self.relay.kill()
        eventually(lambda: self.one.state() == "waiting")
        self.restart_relay()
        self.one.wait_live()
        post(self.url, "first")
        self.one.wait_for_text("first")
        self.assertEqual(self.one.rows(), ["first"])


class Patterns(PageTest):
    def test_a_pattern_shows_each_channel_and_cannot_send(self):
        self.open(self.one, path="/chat/*")
        for path, text in (("/chat/1", "one"), ("/chat/%3Cimg%20src=x%3E", "two"), ("/other", "not this")):
            post(http_url(self.relay, path), text)
        eventually(lambda: len(self.one.messages()) == 2)
        self.assertEqual([(message["channel"], message["text"]) for message in self.one.messages()],
                         [("chat/1", "one"), ("chat/<img src=x>", "two")])
        self.assertFalse(self.one.find("#composer").is_displayed())
        self.assertIn("pattern", self.one.text("#pattern"))
        self.assertNotIn("curl -d", self.one.text("#snippets"))

    def test_a_pattern_resumes_after_a_reload(self):
        self.open(self.one, path="/chat/*")
        post(http_url(self.relay, "/chat/1"), "one")
        self.one.wait_for_text("one")
        self.one.open("about:blank")
        post(http_url(self.relay, "/chat/2"), "two")
        self.open(self.one, path="/chat/*")
        self.one.wait_for_text("two")
        self.assertEqual(self.one.rows(), ["two"])

    def test_the_root_is_a_channel(self):
        self.open(self.one, path="/")
        send_over_websocket(http_url(self.relay, "/"), "hello, all")
        self.one.wait_for_text("hello, all")
        self.assertEqual(self.one.text("#name"), "/")

    def test_the_root_explains_itself_and_leads_to_any_channel(self):
        self.open(self.one, path="/")
        self.assertIn("Every URL here is a channel.", self.one.text("#welcome"))
        self.one.find("#channel").send_keys(" /café/it's [1]/ ", Keys.ENTER)
        eventually(lambda: self.one.text("#name") == "café/it's [1]")
        self.one.wait_live()
        self.assertFalse(self.one.find("#welcome").is_displayed())
        self.one.find("#home").click()
        eventually(lambda: self.one.text("#name") == "/")
        # A name that no channel can have stays in the box, with a word why.
        self.one.find("#channel").send_keys("-/secret", Keys.ENTER)
        self.assertIn("reserved", self.one.run("return document.getElementById('channel').validationMessage"))
        self.assertEqual(self.one.text("#name"), "/")

    def test_a_name_with_any_character(self):
        path = "/caf%C3%A9/it's%20%5B1%5D"
        self.open(self.one, path=path)
        post(http_url(self.relay, path.replace("'", "%27")), "found")
        self.one.wait_for_text("found")
        self.assertEqual(self.one.text("#name"), "café/it's [1]")
        self.assertIn("/caf%C3%A9/it%27s%20%5B1%5D'", self.one.text("#snippets"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
