"""Calls our server with grpcio and checks what gRPC promises beyond the plain call.

Takes the server's address; prints what failed and ends with 1, or prints "ok". With a second
argument "wait", only waits for a server that does not listen yet.
"""

import concurrent.futures
import sys
import time

import grpc

OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


def identity(data):
    return data


class Service:
    def __init__(self, channel):
        self.channel = channel

    def __getattr__(self, name):
        kinds = {"Collect": "stream_unary", "Expand": "unary_stream", "Chat": "stream_stream"}
        make = getattr(self.channel, kinds.get(name, "unary_unary"))
        return make(f"/test.Conformance/{name}", request_serializer=identity,
                    response_deserializer=identity)


def failure(call):
    try:
        call()
    except grpc.RpcError as error:
        return error
    raise AssertionError("a failure was expected")


def metadata(service):
    sent = [("x-a", "1"), ("x-b-bin", b"\x00\xff,"), ("x-a", "2"), ("x-b-bin", b""), ("x-c", "a, b")]
    _, call = service.Metadata.with_call(b"", metadata=sent)
    for got in (call.initial_metadata(), call.trailing_metadata()):
        pairs = [(key, value) for key, value in got if key.startswith("x-")]
        assert sorted(map(str, pairs)) == sorted(map(str, sent)), pairs


def errors(service):
    texts = ["", "plain", "100 % d\u00e9j\u00e0 vu", "\u65e5\u672c\u8a9e \U0001f600", "a\nb\tc", "%41"]
    for code in grpc.StatusCode:
        if code == grpc.StatusCode.OK:
            continue
        for text in texts:
            error = failure(lambda: service.Fail(f"{code.value[0]} {text}".encode()))
            assert error.code() == code, (code, error.code())
            assert error.details() == text, (text, error.details())


def sizes(service):
    for size in (1 << 20, 4 << 20, (16 << 20) - 1, 16 << 20):
        data = bytes(range(256)) * (size // 256) + bytes(size % 256)
        assert service.Echo(data) == data
    error = failure(lambda: service.Echo(bytes((16 << 20) + 1)))
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, error
    assert "16777216" in error.details(), error.details()


def endings(service):
    """A deadline and a cancellation end the handler as well as the caller."""
    before = int(service.Ended(b""))
    error = failure(lambda: service.Sleep(b"60000", timeout=0.3))
    assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, error
    future = service.Sleep.future(b"60000")
    while int(service.Begun(b"")) < 2:
        time.sleep(0.01)
    future.cancel()
    stream = service.Chat(iter([b"x"]))
    next(stream)
    stream.cancel()
    limit = time.monotonic() + 60
    while int(service.Ended(b"")) < before + 3:
        assert time.monotonic() < limit, "a handler goes on"
        time.sleep(0.01)
    left = float(service.Deadline(b"", timeout=30))
    # gRPC rounds a timeout up before it sends it.
    assert 0 < left <= 31, left
    assert service.Deadline(b"") == b"none"


def kinds(service):
    assert service.Collect(bytes([n]) for n in range(200)) == bytes(range(200))
    assert b"".join(service.Expand(bytes(range(200)))) == bytes(range(200))
    assert list(service.Chat(str(n).encode() for n in range(300))) == [
        str(n).encode() for n in range(300)]
    assert list(service.Chat(iter([]))) == []


def many(service):
    def one(number):
        if number % 3 == 0:
            return list(service.Chat(iter([b"a", b"b"]))) == [b"a", b"b"]
        return service.Echo(str(number).encode()) == str(number).encode()

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        assert all(pool.map(one, range(600)))


def compression(address):
    """Gzip is understood; deflate is refused with the code that lets a client send it plain."""
    with grpc.insecure_channel(address, OPTIONS, compression=grpc.Compression.Gzip) as channel:
        service = Service(channel)
        assert service.Echo(bytes(10000)) == bytes(10000)
        assert list(service.Chat(iter([bytes(5000), b"x", bytes(5000)]))) == [
            bytes(5000), b"x", bytes(5000)]
    with grpc.insecure_channel(address, OPTIONS, compression=grpc.Compression.Deflate) as channel:
        error = failure(lambda: Service(channel).Echo(bytes(10000)))
        assert error.code() == grpc.StatusCode.UNIMPLEMENTED, error
        assert "deflate" in error.details(), error.details()


def going_away(service):
    """The last part: the server says goodbye while a stream is open, which ends well."""

    def requests():
        yield b"before"
        while not service.left:
            time.sleep(0.01)
        yield b"after"

    service.left = False
    stream = service.Chat(requests())
    assert next(stream) == b"before"
    service.Drain(b"")
    time.sleep(0.3)
    service.left = True
    assert list(stream) == [b"after"]
    error = failure(lambda: service.Echo(b"late", timeout=5))
    assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED), error


def main():
    address = sys.argv[1]
    with grpc.insecure_channel(address, OPTIONS) as channel:
        service = Service(channel)
        if sys.argv[2:] == ["wait"]:
            assert service.Echo(b"x", wait_for_ready=True, timeout=120) == b"x"
        else:
            for part in (kinds, metadata, errors, sizes, endings, many):
                part(service)
            compression(address)
            going_away(service)
    print("ok")


main()
