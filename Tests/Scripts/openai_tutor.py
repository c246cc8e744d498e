"""Uses a chat endpoint with the real openai package, and prints what it saw as one JSON object."""

import json
import sys

import openai

address = sys.argv[1]


def client(retries=0, **options):
    return openai.OpenAI(
        base_url=f"http://{address}/v1", api_key="sk-test", max_retries=retries, timeout=20,
        **options)


def ask(asking, model="tutor", content="Sort: c b a d", **options):
    return asking.chat.completions.create(
        model=model, messages=[{"role": "user", "content": content}], **options)


def failure(action):
    try:
        action()
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.code]
    except openai.APIError as error:
        return [type(error).__name__, None, None]
    return ["none", None, None]


seen = {}
plain = client()
seen["models"] = [model.id for model in plain.models.list()]
reply = ask(plain)
seen["text"] = reply.choices[0].message.content
seen["finish"] = reply.choices[0].finish_reason
seen["total"] = reply.usage.total_tokens
seen["sum"] = reply.usage.prompt_tokens + reply.usage.completion_tokens

pieces, usage, finish = [], None, None
for chunk in ask(plain, stream=True, stream_options={"include_usage": True}):
    if chunk.usage:
        usage = chunk.usage.total_tokens
    for choice in chunk.choices:
        pieces.append(choice.delta.content or "")
        finish = choice.finish_reason or finish
seen["streamed"] = "".join(pieces)
seen["pieces"] = len([piece for piece in pieces if piece])
seen["streamUsage"] = usage
seen["streamFinish"] = finish

seen["unknownModel"] = failure(lambda: ask(plain, model="gpt-x"))
seen["noMessages"] = failure(
    lambda: plain.chat.completions.create(model="tutor", messages=[]))
seen["tooMany"] = failure(lambda: ask(plain, model="tutor:429"))
seen["server"] = failure(lambda: ask(plain, model="tutor:500"))
seen["cut"] = failure(lambda: ask(plain, model="tutor:cut"))
seen["cutStream"] = failure(lambda: list(ask(plain, model="tutor:cut", stream=True)))
seen["slow"] = failure(lambda: ask(
    client().with_options(timeout=0.2), extra_headers={"x-tutor-fail": "slow 2000"}))
seen["length"] = ask(plain, max_tokens=1).choices[0].finish_reason
print(json.dumps(seen))
