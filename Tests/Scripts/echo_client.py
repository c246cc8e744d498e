"""Calls our server with grpcio: all kinds of calls, metadata, deadlines, cancellation, health.

Takes the server's port, and for TLS the authority, then for mutual TLS a key and a certificate;
prints what failed and ends with 1, or prints "ok".
"""

import sys
import threading
import time

import grpc


def identity(data):
    return data


class Echo:
    def __init__(self, channel):
        ways = dict(request_serializer=identity, response_deserializer=identity)
        self.unary = channel.unary_unary("/test.Echo/Unary", **ways)
        self.expand = channel.unary_stream("/test.Echo/Expand", **ways)
        self.collect = channel.stream_unary("/test.Echo/Collect", **ways)
        self.flood = channel.unary_stream("/test.Echo/Flood", **ways)
        self.chat = channel.stream_stream("/test.Echo/Chat", **ways)
        self.missing = channel.unary_unary("/test.Echo/Missing", **ways)
        self.check = channel.unary_unary("/grpc.health.v1.Health/Check", **ways)
        self.watch = channel.unary_stream("/grpc.health.v1.Health/Watch", **ways)


def expect_error(code, call, details=None):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, (error.code(), error.details())
        if details is not None:
            assert error.details() == details, error.details()
        return error
    raise AssertionError(f"{code} was expected")


def kinds(echo):
    assert echo.unary(b"hello") == b"hello"
    assert echo.unary(b"") == b""
    large = bytes(range(256)) * 8192
    assert echo.unary(large) == large
    assert list(echo.expand(b"abc")) == [b"a", b"b", b"c"]
    assert list(echo.expand(b"")) == []
    assert echo.collect(iter([b"a", b"b", b"c"])) == b"abc"
    assert list(echo.chat(iter([b"1", b"22", b"333"]))) == [b"1", b"22", b"333"]


def streams(echo):
    """Many and large messages, to a reader that begins late."""
    for count, size in ((2000, 4096), (64, 65536)):
        answers = echo.flood(f"{count} {size}".encode())
        next(answers)
        time.sleep(0.3)
        assert sum(len(answer) for answer in answers) == (count - 1) * size
        assert len(echo.collect(bytes(size) for _ in range(count))) == count * size
        echoes = echo.chat(bytes(size) for _ in range(count))
        assert sum(len(answer) for answer in echoes) == count * size


def many(echo):
    futures = [echo.unary.future(str(number).encode()) for number in range(500)]
    assert [future.result() for future in futures] == [str(n).encode() for n in range(500)]


def metadata(echo):
    sent = (("x-echo", "one"), ("x-raw-bin", bytes([0, 255, 7])))
    answer, call = echo.unary.with_call(b"x", metadata=sent)
    assert answer == b"x"
    assert dict(call.initial_metadata())["x-first"] == "one"
    assert dict(call.trailing_metadata())["x-last-bin"] == bytes([0, 255, 7])


def errors(echo):
    for number in range(1, 17):
        code = next(code for code in grpc.StatusCode if code.value[0] == number)
        call = lambda: echo.unary(f"fail:{number}".encode())
        expect_error(code, call, "as asked: 100 % d\u00e9j\u00e0 vu")
    expect_error(grpc.StatusCode.UNIMPLEMENTED, lambda: echo.missing(b""))


def endings(echo):
    start = time.monotonic()
    expect_error(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: echo.unary(b"wait:", timeout=0.2))
    # Not the 60 s that the answer would take.
    assert time.monotonic() - start < 30
    future = echo.unary.future(b"wait:")
    threading.Timer(0.1, future.cancel).start()
    try:
        future.result()
        raise AssertionError("a cancelled call gave a result")
    except grpc.FutureCancelledError:
        pass
    stream = echo.chat(iter([b"1"]))
    assert next(stream) == b"1"
    stream.cancel()


def health(echo):
    assert echo.check(b"") == bytes([8, 1])
    expect_error(grpc.StatusCode.NOT_FOUND, lambda: echo.check(b"\x0a\x01x"))
    watch = echo.watch(b"", timeout=10)
    assert next(watch) == bytes([8, 1])
    watch.cancel()


def open_channel(address, files, options):
    if not files:
        return grpc.insecure_channel(address, options=options)
    contents = []
    for path in files:
        with open(path, "rb") as file:
            contents.append(file.read())
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(*contents), options=options)


def main():
    options = [
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_send_message_length", -1),
    ]
    with open_channel(f"127.0.0.1:{sys.argv[1]}", sys.argv[2:], options) as channel:
        echo = Echo(channel)
        for part in (kinds, streams, many, metadata, errors, endings, health):
            part(echo)
    print("ok")


main()
