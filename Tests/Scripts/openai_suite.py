"""Drives a gateway over a real, very small model with the openai package.

Usage: openai_suite.py http://HOST:PORT
"""

import concurrent.futures
import re
import sys
import time
import urllib.request

import openai

address = sys.argv[1]
client = openai.OpenAI(base_url=address + "/v1", api_key="none", max_retries=0)
plain = {"revision": {"mode": "off"}}


def ask(text="Once upon a time", **more):
    more = {"temperature": 0, "extra_body": plain} | more
    return client.chat.completions.create(
        model="hone", messages=[{"role": "user", "content": text}], **more)


def streamed(**more):
    text, finish = "", None
    for chunk in ask(stream=True, **more):
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
            finish = chunk.choices[0].finish_reason or finish
    return text, finish


# A limit ends an answer, and is told.
short = ask(max_tokens=5)
assert short.choices[0].finish_reason == "length", short
assert short.usage.completion_tokens == 5, short.usage

# Streamed or whole, the text is the same.
whole = ask(max_tokens=60)
text = whole.choices[0].message.content
assert streamed(max_tokens=60) == (text, whole.choices[0].finish_reason)

# A stop text ends an answer before it.
stop = text[len(text) // 2:][:3]
stopped = ask(max_tokens=60, stop=[stop])
assert stopped.choices[0].message.content == text[:text.index(stop)], (stop, text, stopped)
assert stopped.choices[0].finish_reason == "stop", stopped

# What does not fit is refused, streamed or not, by OpenAI's code.
for stream in [False, True]:
    try:
        ask("too long " * 20000, stream=stream)
    except openai.BadRequestError as error:
        assert error.code == "context_length_exceeded", error
    else:
        raise AssertionError("a prompt beyond the context was not refused")

# No revision allowed: the first draft is the answer, streamed or whole.
none = {"revision": {"mode": "autonomous", "maximum": 0}}
one = ask(max_tokens=20, extra_body=none)
assert one.revision["count"] == 0 and not one.revision["revisions"], one.revision
assert streamed(max_tokens=20, extra_body=none)[0] == one.choices[0].message.content

# Enforced revisions are made and told.
forced = ask(extra_body={"revision": {"mode": "enforced", "minimum": 2, "maximum": 2}})
assert forced.revision["count"] == 2, forced.revision


def active():
    with urllib.request.urlopen(address + "/metrics") as reply:
        values = re.findall(r"^hone_inference_active\{.*\} (\S+)$", reply.read().decode(), re.M)
    assert values
    return sum(float(value) for value in values)


# Leaving streams frees their places: many more are left than there are.
for _ in range(40):
    stream = ask(stream=True, max_tokens=400)
    next(iter(stream))
    stream.close()
deadline = time.monotonic() + 120
while active() > 0:
    assert time.monotonic() < deadline, "a place was not freed"
    time.sleep(0.1)

# Several at once get what one alone gets.
with concurrent.futures.ThreadPoolExecutor(6) as pool:
    texts = list(pool.map(lambda _: ask(max_tokens=60).choices[0].message.content, range(12)))
assert set(texts) == {text}, texts

print("all passed")
