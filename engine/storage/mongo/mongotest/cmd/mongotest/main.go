// Command mongotest runs the test server as a process of its own.
//
// It prints its connection string as the first line, with -control the control
// URL as the second, and ends on SIGTERM, on an interrupt, or when its standard
// input is closed, so that it does not outlive the test that started it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"dowel/engine/storage/mongo/mongotest"
)

func main() {
	var options mongotest.Options
	flag.StringVar(&options.Listen, "listen", "127.0.0.1:0", "loopback `address` to listen on")
	flag.StringVar(&options.Data, "data", "", "`file` that keeps what is written; memory only when empty")
	control := flag.String("control", "", "loopback `address` of the fault control; none when empty")
	latency := flag.Duration("latency", 0, "`duration` every command waits before it runs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, options, *control, *latency); err != nil {
		fmt.Fprintln(os.Stderr, "mongotest:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, options mongotest.Options, control string, latency time.Duration) error {
	server, err := mongotest.Start(options)
	if err != nil {
		return err
	}
	server.Faults.SetLatency(latency)
	fmt.Println(server.URI())
	if control != "" {
		listener, err := net.Listen("tcp", control)
		if err != nil {
			return errors.Join(err, server.Close())
		}
		handler := &http.Server{Handler: server.Faults.Control(), ReadHeaderTimeout: 5 * time.Second}
		defer handler.Close()
		go handler.Serve(listener)
		fmt.Println("http://" + listener.Addr().String())
	}
	input := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(input)
	}()
	select {
	case <-ctx.Done():
	case <-input:
	}
	return server.Close()
}
