"""A real Chromium with the page of a channel in it, seen and used as its user does."""
import os
import tempfile
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

CHROMIUM = "/usr/bin/chromium"
CHROMEDRIVER = "/usr/bin/chromedriver"


def eventually(condition, seconds=20):
    """Waits until the condition holds and returns it: asked again and again, and no longer than this."""
    end = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > end:
            raise AssertionError("it never came true")
        time.sleep(0.03)
    return result


class Browser:
    """A browser of its own, with a profile of its own, gone with close()."""

    def __init__(self):
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                         "--no-first-run", "--disable-background-networking", "--lang=en-GB",
                         f"--user-data-dir={self._profile.name}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        log = os.path.join(self._profile.name, "chromedriver.log")
        self.driver = webdriver.Chrome(options=options, service=Service(CHROMEDRIVER, log_path=log))
        self.look(1280, 800)

    def close(self):
        self.driver.quit()
        self._profile.cleanup()

    def open(self, url):
        self.driver.get(url)

    def look(self, width, height, scheme="light"):
        """The size of the screen, and whether its user likes it dark."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 2 if width < 600 else 1, "mobile": width < 600})
        self.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": width < 600})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def before_each_page(self, script):
        """Runs it in every page to come, before the page's own. Returns what ends that."""
        added = self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
        return lambda: self.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.find(selector).text

    def press(self, *keys):
        """Keys, to whatever has the focus."""
        actions = ActionChains(self.driver)
        for key in keys:
            actions.send_keys(key)
        actions.perform()

    def press_with(self, modifier, key):
        ActionChains(self.driver).key_down(modifier).send_keys(key).key_up(modifier).perform()

    def insert(self, text):
        """Any text, as an input method gives it, to whatever has the focus; keys are for the basic plane only."""
        self.driver.execute_cdp_cmd("Input.insertText", {"text": text})

    def complaints(self):
        """What the browser logged since the last call: errors, warnings, refusals by the security policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    # What the page shows.

    def state(self):
        return self.find("#state").get_attribute("data-state")

    def wait_live(self):
        eventually(lambda: self.state() == "live")

    def messages(self):
        """Each as it is on the screen: offset, channel, text, size, note, whether it is marked as one's own."""
        return self.run("""return [...document.querySelectorAll('#messages .message')].map((row) => ({
            offset: Number(row.querySelector('.offset').textContent.slice(1)),
            channel: row.querySelector('bdi').textContent,
            text: row.querySelector('pre').textContent,
            size: row.title,
            note: row.querySelector('.size').textContent,
            mine: row.classList.contains('mine')}))""")

    def texts(self):
        return [message["text"] for message in self.messages()]

    def rows(self):
        """Messages and notes in their order, as text."""
        return self.run("""return [...document.querySelectorAll('#messages > li')].map(
            (row) => (row.querySelector('pre') ?? row).textContent)""")

    def wait_for_text(self, text):
        eventually(lambda: text in self.texts())

    def focused(self):
        """The id or the text of what has the focus."""
        return self.run("const e = document.activeElement; return e.id || e.value || e.textContent")

    def screenshot(self, path):
        self.driver.save_screenshot(path)
