// gRPC C++ (its asynchronous interface) as a peer of `hone bench rpc`: the same methods, messages
// and measurements.
//
//   grpc_cpp serve [CERTIFICATE KEY]        prints its port; serves until its input ends
//   grpc_cpp load PORT SECONDS [AUTHORITY]  prints a JSON line for each shape of load
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

using Clock = std::chrono::steady_clock;
using Step = std::function<void(bool)>;

namespace {

std::string contents(const char *path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Runs what waits in a queue until it is shut down or `isOver`.
void run(grpc::CompletionQueue &queue, const std::function<bool()> &isOver) {
    void *tag;
    bool ok;
    while (!isOver() && queue.Next(&tag, &ok)) (*static_cast<Step *>(tag))(ok);
}

grpc::ByteBuffer bytes(size_t size) {
    grpc::Slice slice(std::string(size, 'Z'));
    return grpc::ByteBuffer(&slice, 1);
}

const grpc::ByteBuffer page = bytes(64 << 10);

/// One call of the server, from its request to its end.
class Call {
  public:
    Call(grpc::AsyncGenericService &service, grpc::ServerCompletionQueue &queue)
        : service(service), queue(queue), stream(&context) {
        step = [this](bool ok) { begun(ok); };
        service.RequestCall(&context, &stream, &queue, &queue, &step);
    }

  private:
    void begun(bool ok) {
        if (!ok) return delete this;
        new Call(service, queue);
        step = [this](bool ok) { read(ok); };
        stream.Read(&message, &step);
    }

    void read(bool ok) {
        if (!ok) return finish(grpc::Status::CANCELLED);
        bool isFetch = context.method() == "/hone.Benchmark/Fetch";
        if (isFetch || context.method() == "/hone.Benchmark/Echo") {
            step = [this](bool) { delete this; };
            stream.WriteAndFinish(isFetch ? page : message, grpc::WriteOptions(), grpc::Status::OK, &step);
        } else {
            step = [this](bool ok) { wrote(ok); };
            stream.Write(message, &step);
        }
    }

    void wrote(bool ok) {
        if (!ok) return finish(grpc::Status::CANCELLED);
        stream.Write(message, &step);
    }

    void finish(const grpc::Status &status) {
        step = [this](bool) { delete this; };
        stream.Finish(status, &step);
    }

    grpc::AsyncGenericService &service;
    grpc::ServerCompletionQueue &queue;
    grpc::GenericServerContext context;
    grpc::GenericServerAsyncReaderWriter stream;
    grpc::ByteBuffer message;
    Step step;
};

int serve(int count, char **arguments) {
    auto security = grpc::InsecureServerCredentials();
    if (count == 2) {
        grpc::SslServerCredentialsOptions options;
        options.pem_key_cert_pairs.push_back({contents(arguments[1]), contents(arguments[0])});
        security = grpc::SslServerCredentials(options);
    }
    grpc::AsyncGenericService service;
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", security, &port);
    builder.RegisterAsyncGenericService(&service);
    auto queue = builder.AddCompletionQueue();
    auto server = builder.BuildAndStart();
    if (!server) return 1;
    std::cout << port << std::endl;
    new Call(service, *queue);
    std::thread loop([&] { run(*queue, [] { return false; }); });
    char byte;
    while (read(0, &byte, 1) > 0) {}
    // The calls that are open need no farewell.
    _exit(0);
}

double microseconds(Clock::duration time) {
    return std::chrono::duration<double, std::micro>(time).count();
}

void report(const char *name, size_t count, double seconds, std::vector<Clock::duration> &times) {
    std::printf("{\"task\":\"%s\",\"count\":%zu,\"seconds\":%f", name, count, seconds);
    if (!times.empty()) {
        std::sort(times.begin(), times.end());
        std::printf(
            ",\"p50Microseconds\":%f,\"p99Microseconds\":%f", microseconds(times[times.size() / 2]),
            microseconds(times[times.size() * 99 / 100]));
    }
    std::puts("}");
    std::fflush(stdout);
}

/// One of the calls in flight: begins anew as long as there is time.
struct Caller {
    grpc::GenericStub *stub;
    grpc::CompletionQueue *queue;
    const grpc::ByteBuffer *request;
    Clock::time_point end;
    std::vector<Clock::duration> *times;
    int *open;
    std::unique_ptr<grpc::ClientContext> context;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
    grpc::ByteBuffer response;
    grpc::Status status;
    Clock::time_point begun;
    Step step;

    void begin() {
        begun = Clock::now();
        context = std::make_unique<grpc::ClientContext>();
        reader = stub->PrepareUnaryCall(context.get(), "/hone.Benchmark/Echo", *request, queue);
        reader->StartCall();
        step = [this](bool) { ended(); };
        reader->Finish(&response, &status, &step);
    }

    void ended() {
        if (!status.ok()) {
            std::cerr << status.error_message() << std::endl;
            std::exit(1);
        }
        auto now = Clock::now();
        times->push_back(now - begun);
        if (now < end) return begin();
        *open -= 1;
    }
};

void calls(
    grpc::GenericStub &stub, const char *name, size_t size, int inFlight, double seconds
) {
    grpc::CompletionQueue queue;
    auto request = bytes(size);
    std::vector<Clock::duration> times;
    auto begun = Clock::now();
    auto end = begun + std::chrono::duration_cast<Clock::duration>(
                           std::chrono::duration<double>(seconds));
    int open = inFlight;
    std::vector<Caller> callers(inFlight);
    for (auto &caller : callers) {
        caller.stub = &stub;
        caller.queue = &queue;
        caller.request = &request;
        caller.end = end;
        caller.times = &times;
        caller.open = &open;
        caller.begin();
    }
    run(queue, [&] { return open == 0; });
    auto elapsed = microseconds(Clock::now() - begun) / 1e6;
    report(name, times.size(), elapsed, times);
}

void stream(grpc::GenericStub &stub, const char *name, size_t size, double seconds) {
    grpc::CompletionQueue queue;
    grpc::ClientContext context;
    auto call = stub.PrepareCall(&context, "/hone.Benchmark/Flood", &queue);
    auto wait = [&] {
        void *tag;
        bool ok = false;
        queue.Next(&tag, &ok);
        return ok;
    };
    call->StartCall(nullptr);
    wait();
    call->WriteLast(bytes(size), grpc::WriteOptions(), nullptr);
    wait();
    auto begun = Clock::now();
    size_t count = 0;
    double elapsed = 0;
    while ((count & 63) != 0 || elapsed < seconds) {
        grpc::ByteBuffer response;
        call->Read(&response, nullptr);
        if (!wait()) std::exit(1);
        count += 1;
        if ((count & 63) == 0) elapsed = microseconds(Clock::now() - begun) / 1e6;
    }
    context.TryCancel();
    grpc::Status status;
    call->Finish(&status, nullptr);
    wait();
    std::vector<Clock::duration> none;
    report(name, count, elapsed, none);
}

int load(int count, char **arguments) {
    auto security = grpc::InsecureChannelCredentials();
    std::string host = "127.0.0.1:";
    double seconds = std::atof(arguments[1]);
    grpc::ChannelArguments settings;
    if (count == 3) {
        grpc::SslCredentialsOptions options;
        options.pem_root_certs = contents(arguments[2]);
        security = grpc::SslCredentials(options);
        settings.SetSslTargetNameOverride("localhost");
    }
    auto channel = grpc::CreateCustomChannel(host + arguments[0], security, settings);
    grpc::GenericStub stub(channel);
    calls(stub, "unary 100 B, 1 in flight", 100, 1, seconds);
    calls(stub, "unary 100 B, 16 in flight", 100, 16, seconds);
    calls(stub, "unary 100 B, 64 in flight", 100, 64, seconds);
    calls(stub, "unary 64 KiB, 16 in flight", 64 << 10, 16, seconds);
    stream(stub, "stream 100 B", 100, seconds);
    stream(stub, "stream 64 KiB", 64 << 10, seconds);
    return 0;
}

}  // namespace

int main(int count, char **arguments) {
    std::string verb = count > 1 ? arguments[1] : "";
    if (verb == "serve") return serve(count - 2, arguments + 2);
    if (verb == "load" && count > 3) return load(count - 2, arguments + 2);
    std::cerr << "serve [CERTIFICATE KEY] | load PORT SECONDS [AUTHORITY]" << std::endl;
    return 64;
}
