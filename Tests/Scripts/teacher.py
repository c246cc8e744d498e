"""A scripted chat endpoint for tests: HTTP/1.1 on a free port of 127.0.0.1, standard library only.

usage: teacher.py READY_FILE LOG_FILE [GOLDEN_FILE]

Writes its port to READY_FILE and one JSON line a request to LOG_FILE; ends when its standard input
ends. What it answers is said by the request's model: behaviours separated by commas, one a request
with that model, the last one for all further requests. What follows a "~" only tells tests apart.

  ok                     repeats the last message
  status:CODE[:SECONDS]  an error object, with Retry-After
  refuse:KEY             401 for that key, ok for others
  named:CODE:NAME:TYPE   an error object with code NAME and that type
  slow:SECONDS           ok, later
  cut, close             half a reply; none
  html, badjson          what is no completion object
  big:BYTES              a long reply
  forms, nodone, brokenstream, cutstream, endless     streams (with "stream": true)
  chain:N                as a teacher: accepts the draft of revision N
  golden:NAME            as the original's scripted model in that transcript of GOLDEN_FILE
"""

import asyncio
import json
import sys
import time

counts = {}
log = open(sys.argv[2], "a", buffering=1)
golden = json.load(open(sys.argv[3])) if len(sys.argv) > 3 else {}


def completion(text, model, finish="stop"):
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text},
                     "finish_reason": finish}],
        "usage": {"prompt_tokens": 7, "completion_tokens": len(text.split()), "total_tokens": 0},
    }


def chunk(text=None, finish=None, usage=None):
    delta = {} if text is None else {"content": text}
    choices = [] if usage else [{"index": 0, "delta": delta, "finish_reason": finish}]
    event = {"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": choices}
    if usage:
        event["usage"] = usage
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def chain_reply(messages, accepted):
    """A teacher that needs so many revisions: drafts are numbered, feedback reads the number."""
    last = messages[-1]["content"]
    if last.endswith("Critique:"):
        draft = last.split("nswer:\n")[-1].split("\n\nAre there any")[0]
        number = int(draft.split("#")[1].split()[0]) if "#" in draft else 0
        if number >= accepted:
            return "Good. Score: 10. Revision is not needed."
        return f"Draft {number} is weak. Score: 5. Revision is needed."
    if last.endswith("Revision:"):
        text = json.dumps(messages)
        seen = [int(part.split(" ")[0].rstrip(".")) for part in text.split("Draft ")[1:]]
        return f"answer #{max(seen) + 1} of {messages[0]['content'].splitlines()[0]}"
    return f"answer #0 of {last.splitlines()[0]}"


def golden_reply(name, messages):
    for call, reply in zip(golden[name]["calls"], golden[name]["replies"]):
        if call["messages"] == messages:
            return reply
    return None


def response(status, body, headers=(), kind="application/json"):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"content-type: {kind}", f"content-length: {len(data)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def error(status, code=None, kind="server_error", headers=(), key=""):
    message = "The server had an error while processing your request." if status >= 500 else (
        f"Refused with key {key}.")
    return response(
        status, {"error": {"message": message, "type": kind, "param": None, "code": code}}, headers)


async def stream(writer, behaviour, text):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
                 b"transfer-encoding: chunked\r\n\r\n")

    def send(data):
        writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    if behaviour == "forms":
        raw = (b"\xef\xbb\xbf: hello\r\n\r\nevent: x\r\nid: 1\r\n" + chunk("a").replace(b"\n", b"\r\n")
               + b"database: no\ndata:" + chunk("b")[6:] + chunk("c").replace(b"\n", b"\r")
               + chunk(None, "stop") + b"data: [DONE]\n\n")
        for index in range(0, len(raw), 3):
            send(raw[index:index + 3])
            await asyncio.sleep(0)
    elif behaviour == "endless":
        while True:
            send(chunk("word "))
            await writer.drain()
            await asyncio.sleep(0.001)
    elif behaviour == "brokenstream":
        send(chunk("Hel"))
        send(b'data: {"error":{"message":"The server had an error.","type":"server_error"}}\n\n')
    elif behaviour == "cutstream":
        send(chunk("Hel"))
        await writer.drain()
        writer.close()
        return False
    else:
        send(chunk(""))
        for word in text.split(" "):
            send(chunk(word + " "))
        send(chunk(None, "stop"))
        if behaviour != "nodone":
            send(chunk(usage={"prompt_tokens": 7, "completion_tokens": 3}))
            send(b"data: [DONE]\n\n")
    writer.write(b"0\r\n\r\n")
    return True


async def answer(writer, head, body):
    """Answers one request; false closes the connection."""
    headers = dict(
        line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:] if ": " in line)
    key = headers.get("Authorization", "").removeprefix("Bearer ")
    request = json.loads(body)
    model, messages = request["model"], request["messages"]
    behaviours = model.split("~")[0].split(",")
    number = counts.get(model, 0)
    counts[model] = number + 1
    behaviour = behaviours[min(number, len(behaviours) - 1)]
    words = behaviour.split(":")
    log.write(json.dumps({
        "path": head.split(b" ")[1].decode(), "key": key, "time": time.monotonic(),
        "body": request}) + "\n")
    text = "echo " + messages[-1]["content"]
    if words[0] == "slow":
        await asyncio.sleep(float(words[1]))
    if words[0] == "chain":
        text = chain_reply(messages, int(words[1]))
    elif words[0] == "golden":
        text = golden_reply(behaviour.split(":", 1)[1], messages)
        if text is None:
            writer.write(error(400, "unexpected_messages", "invalid_request_error"))
            return True
    elif words[0] == "big":
        text = "x" * int(words[1])
    elif words[0] == "status":
        after = [("Retry-After", words[2])] if len(words) > 2 else []
        kind = "server_error" if int(words[1]) >= 500 else "requests"
        writer.write(error(int(words[1]), None, kind, after, key))
        return True
    elif words[0] == "refuse" and key == words[1]:
        writer.write(error(401, "invalid_api_key", "invalid_request_error", (), key))
        return True
    elif words[0] == "named":
        writer.write(error(int(words[1]), words[2], words[3], (), key))
        return True
    elif words[0] == "html":
        writer.write(response(502, b"<html>Bad gateway</html>", (), "text/html"))
        return True
    elif words[0] == "badjson":
        writer.write(response(200, b"{\"choices\": ["))
        return True
    elif words[0] == "close":
        writer.close()
        return False
    if request.get("stream"):
        return await stream(writer, words[0], text)
    data = response(200, completion(text, model))
    if words[0] == "cut":
        writer.write(data[:-20])
        await writer.drain()
        writer.close()
        return False
    writer.write(data)
    return True


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = 0
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            if not await answer(writer, head, await reader.readexactly(length)):
                return
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    with open(sys.argv[1] + ".new", "w") as ready:
        ready.write(str(server.sockets[0].getsockname()[1]))
    import os
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    os._exit(0)


asyncio.run(main())
