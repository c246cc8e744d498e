"""A compressing echo by grpcio, for our client. Prints its port, ends when stdin closes."""

import sys
from concurrent import futures

import grpc


def identity(data):
    return data


def main():
    handlers = {
        "Unary": grpc.unary_unary_rpc_method_handler(lambda r, _: r, identity, identity),
        "Chat": grpc.stream_stream_rpc_method_handler(lambda r, _: r, identity, identity),
    }
    server = grpc.server(futures.ThreadPoolExecutor(4), compression=grpc.Compression.Gzip)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Gzip", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(None)


main()
