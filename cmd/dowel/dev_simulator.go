package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"dowel/engine"
	"dowel/engine/simulator"
)

// runSimulator serves s at ln, and beside it over TLS, where clients can show certificates, until ctx
// ends. It returns when both are listened at.
func runSimulator(ctx context.Context, group *errgroup.Group, ln net.Listener, s *simulator.Simulator) error {
	config, authority, err := simulator.ServerTLS()
	if err != nil {
		return err
	}
	secured, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the simulator: %w", err)
	}
	s.Secured("https://"+secured.Addr().String(), authority)
	group.Go(func() error { return serveSimulator(ctx, ln, s) })
	group.Go(func() error { return serveSimulator(ctx, tls.NewListener(secured, config), s) })
	return nil
}

func serveSimulator(ctx context.Context, ln net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	done := make(chan error, 1)
	go func() { done <- server.Serve(ln) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve the simulator: %w", err)
	case <-ctx.Done():
		return server.Close()
	}
}

// simulate has the house call the simulator at base instead of providers. One that is not served over TLS,
// or not yet, can be shown no certificates.
func simulate(ctx context.Context, o *engine.Options, base *url.URL) {
	o.Simulate = func(connector string) func(*url.URL) *url.URL { return simulator.Reroute(base, connector) }
	var at struct{ URL, Authority string }
	text, err := askSimulator(ctx, base.JoinPath("_tls"))
	if err == nil {
		err = json.Unmarshal([]byte(text), &at)
	}
	secured, parseErr := url.Parse(at.URL)
	if err = errors.Join(err, parseErr); err != nil {
		o.Logger.Warn("the simulator can be shown no client certificates", "err", err)
		return
	}
	o.SimulateTLS = func(connector string) func(*url.URL) *url.URL { return simulator.Reroute(secured, connector) }
	o.Egress.ExtraCA = append(append([]byte{}, o.Egress.ExtraCA...), at.Authority...)
}

// errNotTold says that the simulator has not answered what it was asked.
var errNotTold = errors.New("the simulator does not tell")

// askSimulator reads what a simulator tells besides playing providers.
func askSimulator(ctx context.Context, at *url.URL) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNotTold, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%w: %s", errNotTold, text)
	}
	return string(text), err
}
