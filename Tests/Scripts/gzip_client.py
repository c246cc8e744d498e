"""Calls our compressing server with grpcio: gzip both ways, an encoding it does not know, details.

Takes the server's port; prints what failed and ends with 1, or prints "ok".
"""

import sys

import grpc

WAYS = dict(request_serializer=lambda data: data, response_deserializer=lambda data: data)


def kinds(channel):
    large = b"abcdefgh" * 40000
    unary = channel.unary_unary("/test.Echo/Unary", **WAYS)
    assert unary(large) == large
    assert unary(b"small") == b"small"
    assert unary(large, compression=grpc.Compression.NoCompression) == large
    collect = channel.stream_unary("/test.Echo/Collect", **WAYS)
    assert collect(iter([large, b"", b"x"])) == large + b"x"
    expand = channel.unary_stream("/test.Echo/Expand", **WAYS)
    assert b"".join(expand(b"xyz")) == b"xyz"
    chat = channel.stream_stream("/test.Echo/Chat", **WAYS)
    messages = [bytes([number]) * number * 1000 for number in range(60)]
    assert list(chat(iter(messages))) == messages


def unknown(port):
    options = [("grpc.max_receive_message_length", -1)]
    target = f"127.0.0.1:{port}"
    deflate = grpc.Compression.Deflate
    with grpc.insecure_channel(target, options=options, compression=deflate) as channel:
        try:
            channel.unary_unary("/test.Echo/Unary", **WAYS)(b"a" * 10000)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNIMPLEMENTED, error
            return
    raise AssertionError("deflate was taken")


def details(channel):
    """Who does not know our schema still sees code and message, and the details' bytes."""
    try:
        channel.unary_unary("/test.Echo/Invalid", **WAYS)(b"")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error
        assert error.details() == "the field is wrong", error.details()
        trailers = dict(error.trailing_metadata())
        assert b"FIELDS_INVALID" in trailers["grpc-status-details-bin"], trailers
        return
    raise AssertionError("an invalid call succeeded")


def main():
    port = sys.argv[1]
    gzip = grpc.Compression.Gzip
    with grpc.insecure_channel(f"127.0.0.1:{port}", compression=gzip) as channel:
        kinds(channel)
        details(channel)
    unknown(port)
    print("ok")


main()
