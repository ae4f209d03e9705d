"""A browser driven through chromedriver by the W3C WebDriver protocol: just what the tests of a page need."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
# --no-sandbox: the sandbox cannot be set up by root. --remote-debugging-pipe: else the driver talks to the browser over
# the network, and to a name (localhost) that not every machine resolves. The others keep a test from doing anything but
# its own page.
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
           "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
           "--disable-extensions", "--remote-debugging-pipe", "--window-size=1200,1600"]


class Failed(Exception):
    pass


def missing():
    """What is not installed here, or None."""
    if not any(map(shutil.which, BROWSERS)):
        return "Chromium is not installed"
    if not shutil.which("chromedriver"):
        return "chromedriver is not installed"
    return None


class Browser:
    """with Browser() as browser: browser.open(url); browser.script("return 1")"""

    def __init__(self, seconds=60):
        self.seconds = seconds
        self.session = None
        self.driver = None
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        # Settings, caches and sockets of the browser all go to the folder of this run.
        environment = dict(os.environ, HOME=self.folder.name, TMPDIR=self.folder.name)
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       text=True, env=environment)
        for line in self.driver.stdout:
            port = re.search(r"started successfully on port (\d+)", line)
            if port:
                break
        else:
            raise Failed("chromedriver does not start")
        self.base = "http://127.0.0.1:%s" % port.group(1)
        binary = next(filter(None, map(shutil.which, BROWSERS)))
        chrome = {"binary": binary, "args": OPTIONS + ["--user-data-dir=" + os.path.join(self.folder.name, "profile")]}
        capabilities = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": chrome,
                                        "goog:loggingPrefs": {"browser": "ALL"}}}
        answer = self.ask("POST", "/session", {"capabilities": capabilities})
        self.session = "/session/" + answer["sessionId"]
        self.ask("POST", self.session + "/timeouts", {"script": self.seconds * 1000, "pageLoad": self.seconds * 1000})

    def __exit__(self, *_):
        try:
            if self.session:
                self.ask("DELETE", self.session)
        except (Failed, OSError):
            pass
        if self.driver:
            self.driver.terminate()
            try:
                self.driver.wait(10)
            except subprocess.TimeoutExpired:
                self.driver.kill()
                self.driver.wait()
            self.driver.stdout.close()
        self.folder.cleanup()

    def ask(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=self.seconds + 30) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            with error:
                value = json.load(error)["value"]
            raise Failed("%s: %s" % (value["error"], value["message"].splitlines()[0])) from None

    def open(self, url):
        self.ask("POST", self.session + "/url", {"url": url})

    def script(self, text, *args):
        """Runs `text` as a function's body in the page; what it returns."""
        return self.ask("POST", self.session + "/execute/sync", {"script": text, "args": list(args)})

    def until(self, text):
        """Runs `text` until it returns something true; that. None when it never does."""
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            value = self.script(text)
            if value:
                return value
            time.sleep(0.05)
        return None

    def messages(self):
        """What the page wrote to its console, errors of scripts among it."""
        lines = self.ask("POST", self.session + "/se/log", {"type": "browser"})
        return ["%s: %s" % (line["level"], line["message"]) for line in lines]

    def screenshot(self):
        """A PNG file in base64."""
        return self.ask("GET", self.session + "/screenshot")
