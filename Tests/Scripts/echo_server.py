"""An echo service by grpcio, for our client to call. Prints its port, ends when stdin closes."""

import sys
import time
from concurrent import futures

import grpc


def identity(data):
    return data


def unary(request, context):
    for key, value in context.invocation_metadata():
        if key == "x-echo":
            context.send_initial_metadata((("x-first", value),))
        if key == "x-raw-bin":
            context.set_trailing_metadata((("x-last-bin", value), ("x-last", "bye")))
    if request.startswith(b"fail:"):
        code = int(request[5:])
        by_number = {code.value[0]: code for code in grpc.StatusCode}
        context.abort(by_number[code], "as asked: 100 % d\u00e9j\u00e0 vu")
    if request.startswith(b"wait:"):
        while context.is_active():
            time.sleep(0.01)
    return request


def expand(request, context):
    for byte in request:
        yield bytes([byte])


def collect(requests, context):
    return b"".join(requests)


def chat(requests, context):
    for request in requests:
        yield request


def main():
    handlers = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary, identity, identity),
        "Expand": grpc.unary_stream_rpc_method_handler(expand, identity, identity),
        "Collect": grpc.stream_unary_rpc_method_handler(collect, identity, identity),
        "Chat": grpc.stream_stream_rpc_method_handler(chat, identity, identity),
    }
    server = grpc.server(
        futures.ThreadPoolExecutor(8),
        options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(None)


main()
