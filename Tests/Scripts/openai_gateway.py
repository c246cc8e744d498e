"""Drives the gateway with the real openai package; run by the tests with the base URL."""

import sys

import openai

base = sys.argv[1]
client = openai.OpenAI(base_url=base, api_key="sk-test", max_retries=0)
question = [{"role": "user", "content": "Q"}]

models = client.models.list()
assert [model.id for model in models] == ["scripted"], models

reply = client.chat.completions.create(
    model="scripted", messages=question, temperature=0,
    extra_body={"revision": {"mode": "enforced", "minimum": 3}})
assert reply.choices[0].message.content == "draft 3 of Q", reply
assert reply.choices[0].finish_reason == "stop"
assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
assert len(reply.revision["revisions"]) == 3, reply.revision

text, events, usage = "", [], None
for chunk in client.chat.completions.create(
        model="hone", messages=question, stream=True, stream_options={"include_usage": True}):
    if chunk.choices:
        text += chunk.choices[0].delta.content or ""
    if getattr(chunk, "revision", None):
        events.append(chunk.revision["event"])
    usage = chunk.usage or usage
assert text == "draft 1 of Q", text
assert events[-1] == "finished" and "verdict" in events, events
assert usage.completion_tokens == 9, usage

for kwargs, expected in [
    ({"model": "gpt-x"}, openai.NotFoundError),
    ({"n": 2}, openai.BadRequestError),
    ({"extra_body": {"wibble": 1}}, openai.BadRequestError),
    ({"messages": [{"role": "user", "content": "fail"}]}, openai.BadRequestError),
]:
    arguments = {"model": "hone", "messages": question} | kwargs
    try:
        client.chat.completions.create(**arguments)
    except expected as error:
        assert error.body["message"], error
    else:
        raise AssertionError(f"{kwargs} was not refused")

try:
    openai.OpenAI(base_url=base, api_key="wrong-key-wrong", max_retries=0).models.list()
except openai.AuthenticationError as error:
    assert error.code == "invalid_api_key", error
else:
    raise AssertionError("a wrong key was not refused")

# Leaving a stream closes it; the next request is served as before.
stream = client.chat.completions.create(
    model="hone", messages=[{"role": "user", "content": "wait"}], stream=True)
next(iter(stream))
stream.close()
assert client.chat.completions.create(model="hone", messages=question).choices

print("all passed")
