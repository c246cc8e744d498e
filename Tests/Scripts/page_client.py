"""Drives the page in headless Chromium over its debugging socket; run by the tests with the address.

Usage: page_client.py http://HOST:PORT CHROMIUM [FOLDER FOR PICTURES]
"""

import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

address, chromium = sys.argv[1], sys.argv[2]
pictures = sys.argv[3] if len(sys.argv) > 3 else None
deadline = time.monotonic() + 90


class Socket:
    """A WebSocket client of the few frames that are needed."""

    def __init__(self, url):
        host, path = url.removeprefix("ws://").split("/", 1)
        name, port = host.split(":")
        self.socket = socket.create_connection((name, int(port)), timeout=60)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        while not self.read_line() == b"\r\n":
            pass
        self.number = 0

    def read_line(self):
        line = b""
        while not line.endswith(b"\r\n"):
            line += self.socket.recv(1)
        return line

    def read(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            assert piece, "the browser has gone"
            data += piece
        return data

    def frame(self):
        text = b""
        while True:
            first, second = self.read(2)
            size = second & 127
            if size == 126:
                size = struct.unpack(">H", self.read(2))[0]
            elif size == 127:
                size = struct.unpack(">Q", self.read(8))[0]
            text += self.read(size)
            if first & 128:
                return text.decode()

    def call(self, method, **parameters):
        self.number += 1
        data = json.dumps({"id": self.number, "method": method, "params": parameters}).encode()
        mask = os.urandom(4)
        header = bytes([129, 128 | 127]) + struct.pack(">Q", len(data)) + mask
        self.socket.sendall(header + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))
        while True:
            message = json.loads(self.frame())
            if message.get("id") == self.number:
                assert "error" not in message, message
                return message["result"]


def wait_for(what, body):
    while time.monotonic() < deadline:
        value = body()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}")


folder = tempfile.mkdtemp(prefix="hone-page-")
browser = subprocess.Popen(
    [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
     f"--user-data-dir={folder}", "about:blank"],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    port_file = os.path.join(folder, "DevToolsActivePort")
    wait_for("the browser", lambda: os.path.exists(port_file) and open(port_file).read().count("\n"))
    port = open(port_file).read().split("\n")[0]

    def page_url():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as reply:
            return next((p["webSocketDebuggerUrl"] for p in json.load(reply)
                         if p["type"] == "page"), None)

    page = Socket(wait_for("a tab", page_url))

    def run(script):
        result = page.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def picture(name):
        if pictures:
            data = page.call("Page.captureScreenshot", format="png")["data"]
            with open(os.path.join(pictures, name), "wb") as file:
                file.write(base64.b64decode(data))

    def ask(text):
        run(f"document.getElementById('prompt').value = {json.dumps(text)};"
            "document.getElementById('composer').requestSubmit()")

    page.call("Emulation.setDeviceMetricsOverride", width=900, height=900, deviceScaleFactor=1,
              mobile=False)
    page.call("Page.navigate", url=address)
    wait_for("the model's name", lambda: run(
        "document.getElementById('model') && document.getElementById('model').textContent") == "scripted")

    # Answer, feedback, verdicts and revision appear; what users wrote is text, never markup.
    ask("Why <i>is</i> it so?")
    wait_for("the end of the answer", lambda: run("!!document.querySelector('.card.shown')"))
    assert run("document.querySelectorAll('.card').length") == 2
    assert run("document.querySelectorAll('details.feedback').length") == 2
    assert "needed 75" in run("document.querySelector('.verdict.needed').textContent")
    assert "no revision needed 88" in run("document.querySelector('.verdict.done').textContent")
    shown = run("document.querySelector('.card.shown .text').textContent")
    assert shown == "draft 1 of Why <i>is</i> it so?", shown
    assert run("document.querySelectorAll('main i, main b').length") == 0
    assert run("document.querySelector('.meter').textContent").startswith("9 tokens")
    picture("answer.png")

    # The final answer has the ink of the page, kept words too; one line tells what happened.
    ink = run("getComputedStyle(document.body).color")
    assert run("[...document.querySelectorAll('.card.shown .text, .card.shown .text span')]"
               ".every(x => getComputedStyle(x).color === %s)" % json.dumps(ink))
    assert run("[...document.querySelectorAll('.card')].every(x => getComputedStyle(x).opacity === '1')")
    assert run("document.querySelectorAll('[aria-live]').length") == 0
    assert run("document.getElementById('status').textContent") == "finished, revisions: 1"

    # The stop button stops this stream, and the next question is answered.
    ask("wait")
    wait_for("the first word", lambda: run(
        "[...document.querySelectorAll('.card .text')].some(x => x.textContent.startsWith('waiting'))"))
    assert run("document.getElementById('send').hidden") is True
    picture("underway.png")

    # What is not underway stays: the focus in an earlier turn, the selection in the text that grows.
    assert run("document.querySelector('.turn:last-child').getAttribute('aria-busy')") == "true"
    run("document.querySelector('details.feedback summary').focus();"
        "window.kept = [...document.querySelectorAll('.card .text')].map(x => x);"
        "getSelection().selectAllChildren(document.querySelector('.turn:last-child .live .text'))")
    selected = run("getSelection().toString()")
    assert selected.startswith("waiting"), selected
    run("saved.turns[1].answer.drafts[0] += 'and waiting'; redraw(saved.turns[1])")
    assert run("getSelection().toString()").startswith("waiting")
    assert run("document.activeElement.tagName") == "SUMMARY"
    assert run("window.kept.every(x => x.isConnected)"), "what stood there was made anew"
    run("document.getElementById('stop').click()")
    wait_for("the stop", lambda: run(
        "[...document.querySelectorAll('.meter')].some(x => x.textContent === 'stopped')"))
    assert run("document.getElementById('stop').hidden") is True

    # The settings go along: three enforced revisions.
    run("document.getElementById('settings').click();"
        "document.getElementById('mode').value = 'enforced';"
        "document.getElementById('minimum').value = 3")
    ask("Again")
    wait_for("three revisions", lambda: run(
        "document.querySelectorAll('.turn:last-child .card').length === 4"
        " && !!document.querySelector('.turn:last-child .card.shown')"))
    picture("settings.png")

    # An answer that breaks off is told so, and nothing goes on blinking.
    ask("break")
    wait_for("the break", lambda: run("!!document.querySelector('.turn:last-child .error')"))
    assert run("document.querySelectorAll('.live').length") == 0
    run("saved.turns.pop(); document.querySelector('.turn:last-child').remove()")

    # A reload in the middle of an answer keeps the question.
    ask("wait for it")
    wait_for("the first word", lambda: run(
        "!!document.querySelector('.turn:last-child .live')"))
    page.call("Page.reload")
    wait_for("the interrupted turn", lambda: run(
        "document.querySelectorAll('.turn').length === 4 && !!document.querySelector("
        "'.turn:last-child .meter')?.textContent.startsWith('interrupted')"))
    assert run("document.querySelectorAll('.live').length") == 0
    run("saved.turns.pop(); save()")

    # A reload keeps the conversation; dark and narrow, nothing sticks out.
    page.call("Emulation.setEmulatedMedia",
              features=[{"name": "prefers-color-scheme", "value": "dark"}])
    page.call("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2,
              mobile=True)
    page.call("Page.reload")
    wait_for("the conversation", lambda: run("document.querySelectorAll('.turn').length") == 3)
    assert run("document.documentElement.scrollWidth <= 360"), "the page is wider than a phone"
    assert run("getComputedStyle(document.body).backgroundColor") == "rgb(23, 22, 20)"
    picture("phone.png")

    # A damaged store is no reason to show nothing.
    run("save = () => {}; localStorage.setItem('hone.chat',"
        " JSON.stringify({turns: [7, {question: 'Q', answer: {drafts: 'x'}}], settings: 3}))")
    page.call("Page.reload")
    wait_for("the page", lambda: run(
        "document.readyState === 'complete' && document.querySelectorAll('.turn').length === 1"
        " && document.getElementById('model').textContent === 'scripted'"))
    print("all passed")
finally:
    browser.terminate()
    browser.wait()
    shutil.rmtree(folder, ignore_errors=True)
