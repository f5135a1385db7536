"""
Chromium without a window, by its DevTools protocol over a pipe, which needs no library: messages in
JSON, each with a zero byte behind it, on the file descriptors 3 (to the browser) and 4 (from it).
"""

import fcntl
import json
import os
import select
import shutil
import subprocess
from contextlib import contextmanager

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe")
PATIENCE = 60  # seconds without a message


@contextmanager
def browser(folder):
    """Gives the block a `Page` of a browser, whose profile is in `folder`."""
    to_browser, from_browser = os.pipe(), os.pipe()

    def connect():
        # First to high numbers, lest one of the pipes is in the way.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_browser[0], from_browser[1])]
        os.dup2(ends[0], 3)
        os.dup2(ends[1], 4)

    process = subprocess.Popen(
        [CHROMIUM, *OPTIONS, f"--user-data-dir={folder}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        close_fds=False,
        preexec_fn=connect,
    )
    os.close(to_browser[0])
    os.close(from_browser[1])
    with open(to_browser[1], "wb", 0) as commands, open(from_browser[0], "rb", 0) as messages:
        try:
            yield Page(commands, messages)
        finally:
            process.kill()
            process.wait()


class Page:
    """A page in a browser that does what its methods say, and waits until it is done."""

    def __init__(self, commands, messages):
        self._commands, self._messages = commands, messages
        self._count = self._loaded = 0  # calls, and pages that were loaded
        self._data = b""  # of messages that are still to come
        self._session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self.call("Page.enable")

    def call(self, method, **parameters):
        """Returns the result of a method of the protocol."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        while (answer := self._next_message()).get("id") != self._count:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, address):
        with self._new_page():
            self.call("Page.navigate", url=address)

    def resize(self, width, height):
        """Sets the size, in pixels of the page."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def evaluate(self, expression):
        """Returns the value of a JavaScript expression, as JSON has it."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def click(self, selector):
        """Scrolls to an element, and presses and releases the mouse in the middle of it."""
        element = f"document.querySelector({selector!r})"
        self.evaluate(f"{element}.scrollIntoView({{block: 'center'}})")
        box = f"{element}.getBoundingClientRect()"
        x, y = self.evaluate(f"[{box}.x + {box}.width / 2, {box}.y + {box}.height / 2]")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def click_to_go(self, selector):
        """Clicks, and waits for the page to which that leads."""
        with self._new_page():
            self.click(selector)

    def type(self, text):
        self.call("Input.insertText", text=text)

    @contextmanager
    def _new_page(self):
        """Waits, behind the block, until what it does has led to a page that is loaded."""
        loaded = self._loaded
        yield
        while self._loaded == loaded:
            self._next_message()

    def _next_message(self):
        while b"\0" not in self._data:
            is_there = select.select([self._messages], [], [], PATIENCE)[0]
            assert is_there, f"the browser says nothing for {PATIENCE} seconds"
            data = self._messages.read(2**16)
            assert data, "the browser has ended"
            self._data += data
        text, _, self._data = self._data.partition(b"\0")
        message = json.loads(text)
        self._loaded += message.get("method") == "Page.loadEventFired"
        return message
