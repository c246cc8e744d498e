"""What conformance_client.py calls, served by grpcio for our client.

Takes "age" for connections that live 300 ms, "pings" to bear any number of them, "tls CERTIFICATE
KEY", or a port to listen at. Prints its port, ends when stdin closes.
"""

import sys
import threading
import time
from concurrent import futures

import grpc

counts = {"Begun": 0, "Ended": 0}
server = None


def identity(data):
    return data


def echo(request, context):
    return request


def metadata(request, context):
    sent = tuple((k, v) for k, v in context.invocation_metadata() if k.startswith("x-"))
    context.send_initial_metadata(sent)
    context.set_trailing_metadata(sent)
    return b""


def fail(request, context):
    number, text = request.decode().split(" ", 1)
    code = next(code for code in grpc.StatusCode if code.value[0] == int(number))
    context.abort(code, text)


def sleep(request, context):
    counts["Begun"] += 1
    until = time.monotonic() + int(request) / 1000
    while context.is_active() and time.monotonic() < until:
        time.sleep(0.01)
    counts["Ended"] += 1
    return b""


def deadline(request, context):
    left = context.time_remaining()
    return b"none" if left is None or left > 1e6 else str(left).encode()


def drain(request, context):
    threading.Thread(target=lambda: server.stop(30)).start()
    return b""


def collect(requests, context):
    return b"".join(requests)


def expand(request, context):
    for byte in request:
        yield bytes([byte])


def chat(requests, context):
    for request in requests:
        yield request


def main():
    global server
    options = [
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_send_message_length", -1),
    ]
    mode = sys.argv[1] if sys.argv[1:] else ""
    if mode == "age":
        options += [("grpc.max_connection_age_ms", 300), ("grpc.max_connection_age_grace_ms", 10000)]
    if mode == "pings":
        options += [
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 10),
            ("grpc.http2.max_ping_strikes", 0),
            ("grpc.keepalive_permit_without_calls", 1),
        ]
    port = int(mode) if mode.isdigit() else 0
    ways = dict(request_deserializer=identity, response_serializer=identity)
    unary = {
        "Echo": echo, "Metadata": metadata, "Fail": fail, "Sleep": sleep, "Deadline": deadline,
        "Drain": drain,
        "Begun": lambda request, context: str(counts["Begun"]).encode(),
        "Ended": lambda request, context: str(counts["Ended"]).encode(),
    }
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(handler, **ways)
        for name, handler in unary.items()
    }
    handlers["Collect"] = grpc.stream_unary_rpc_method_handler(collect, **ways)
    handlers["Expand"] = grpc.unary_stream_rpc_method_handler(expand, **ways)
    handlers["Chat"] = grpc.stream_stream_rpc_method_handler(chat, **ways)
    server = grpc.server(futures.ThreadPoolExecutor(40), options=options)
    generic = grpc.method_handlers_generic_handler("test.Conformance", handlers)
    server.add_generic_rpc_handlers((generic,))
    host = "127.83.21.8" if port else "127.0.0.1"
    if mode == "tls":
        with open(sys.argv[2], "rb") as certificate, open(sys.argv[3], "rb") as key:
            keys = grpc.ssl_server_credentials([(key.read(), certificate.read())])
        bound = server.add_secure_port(f"{host}:{port}", keys)
    else:
        bound = server.add_insecure_port(f"{host}:{port}")
    server.start()
    print(bound, flush=True)
    sys.stdin.read()
    server.stop(None)


main()
