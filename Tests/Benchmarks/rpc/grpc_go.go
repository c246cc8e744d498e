// gRPC Go as a peer of `hone bench rpc`: the same methods, messages and measurements.
//
//	grpc_go serve [CERTIFICATE KEY]        prints its port; serves until its input ends
//	grpc_go load PORT SECONDS [AUTHORITY]  prints a JSON line for each shape of load
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

type message struct{ bytes []byte }

// Messages travel as they are, so that calls are measured and not codecs.
type codec struct{}

func (codec) Marshal(value interface{}) ([]byte, error) { return value.(*message).bytes, nil }
func (codec) Unmarshal(bytes []byte, value interface{}) error {
	value.(*message).bytes = bytes
	return nil
}
func (codec) Name() string   { return "hone" }
func (codec) String() string { return "hone" }

func echo(_ interface{}, _ context.Context, decode func(interface{}) error,
	_ grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(message)
	if err := decode(in); err != nil {
		return nil, err
	}
	return in, nil
}

var page = &message{make([]byte, 64<<10)}

func fetch(_ interface{}, _ context.Context, decode func(interface{}) error,
	_ grpc.UnaryServerInterceptor) (interface{}, error) {
	return page, decode(new(message))
}

func flood(_ interface{}, stream grpc.ServerStream) error {
	in := new(message)
	if err := stream.RecvMsg(in); err != nil {
		return err
	}
	for {
		if err := stream.SendMsg(in); err != nil {
			return nil
		}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func serve(arguments []string) {
	options := []grpc.ServerOption{grpc.CustomCodec(codec{})}
	if len(arguments) == 2 {
		keys, err := credentials.NewServerTLSFromFile(arguments[0], arguments[1])
		check(err)
		options = append(options, grpc.Creds(keys))
	}
	server := grpc.NewServer(options...)
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "hone.Benchmark",
		HandlerType: (*interface{})(nil),
		Methods: []grpc.MethodDesc{
			{MethodName: "Echo", Handler: echo}, {MethodName: "Fetch", Handler: fetch}},
		Streams:     []grpc.StreamDesc{{StreamName: "Flood", Handler: flood, ServerStreams: true}},
	}, nil)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		server.Stop()
	}()
	check(server.Serve(listener))
}

type row struct {
	Task    string   `json:"task"`
	Count   int      `json:"count"`
	Seconds float64  `json:"seconds"`
	P50     *float64 `json:"p50Microseconds,omitempty"`
	P99     *float64 `json:"p99Microseconds,omitempty"`
}

func report(name string, count int, elapsed time.Duration, times []time.Duration) {
	line := row{Task: name, Count: count, Seconds: elapsed.Seconds()}
	if len(times) > 0 {
		sort.Slice(times, func(a, b int) bool { return times[a] < times[b] })
		half := float64(times[len(times)/2].Nanoseconds()) / 1e3
		most := float64(times[len(times)*99/100].Nanoseconds()) / 1e3
		line.P50, line.P99 = &half, &most
	}
	text, err := json.Marshal(line)
	check(err)
	fmt.Println(string(text))
}

func calls(connection *grpc.ClientConn, name string, size, inFlight int, limit time.Duration) {
	payload := &message{make([]byte, size)}
	var group sync.WaitGroup
	lists := make([][]time.Duration, inFlight)
	begun := time.Now()
	for index := range lists {
		group.Add(1)
		go func(index int) {
			defer group.Done()
			now := time.Now()
			for now.Sub(begun) < limit {
				check(connection.Invoke(
					context.Background(), "/hone.Benchmark/Echo", payload, new(message)))
				next := time.Now()
				lists[index] = append(lists[index], next.Sub(now))
				now = next
			}
		}(index)
	}
	group.Wait()
	elapsed := time.Since(begun)
	var times []time.Duration
	for _, list := range lists {
		times = append(times, list...)
	}
	report(name, len(times), elapsed, times)
}

func stream(connection *grpc.ClientConn, name string, size int, limit time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	call, err := connection.NewStream(
		ctx, &grpc.StreamDesc{ServerStreams: true}, "/hone.Benchmark/Flood")
	check(err)
	check(call.SendMsg(&message{make([]byte, size)}))
	check(call.CloseSend())
	begun := time.Now()
	count := 0
	for count&63 != 0 || time.Since(begun) < limit {
		check(call.RecvMsg(new(message)))
		count++
	}
	report(name, count, time.Since(begun), nil)
}

func load(arguments []string) {
	seconds, err := strconv.ParseFloat(arguments[1], 64)
	check(err)
	limit := time.Duration(seconds * float64(time.Second))
	security := grpc.WithInsecure()
	if len(arguments) == 3 {
		authority, err := credentials.NewClientTLSFromFile(arguments[2], "localhost")
		check(err)
		security = grpc.WithTransportCredentials(authority)
	}
	connection, err := grpc.Dial("127.0.0.1:"+arguments[0], security,
		grpc.WithDefaultCallOptions(grpc.ForceCodec(codec{})))
	check(err)
	check(connection.Invoke(
		context.Background(), "/hone.Benchmark/Echo", &message{[]byte{1}}, new(message)))
	calls(connection, "unary 100 B, 1 in flight", 100, 1, limit)
	calls(connection, "unary 100 B, 16 in flight", 100, 16, limit)
	calls(connection, "unary 100 B, 64 in flight", 100, 64, limit)
	calls(connection, "unary 64 KiB, 16 in flight", 64<<10, 16, limit)
	stream(connection, "stream 100 B", 100, limit)
	stream(connection, "stream 64 KiB", 64<<10, limit)
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		serve(os.Args[2:])
	} else if len(os.Args) > 3 && os.Args[1] == "load" {
		load(os.Args[2:])
	} else {
		log.Fatal("serve [CERTIFICATE KEY] | load PORT SECONDS [AUTHORITY]")
	}
}
