package rehearsal

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"dowel/engine"
	"dowel/engine/definition"
	"dowel/engine/egress"
	"dowel/engine/flow"
	"dowel/engine/secret"
	"dowel/engine/simulator"
	"dowel/engine/storage"
	"dowel/engine/storage/sqlite"
	"dowel/ui"
)

// publicURL is where the engine believes to be reached; nobody listens there.
const publicURL = "https://rehearsal.example"

// lifetime is that of the tokens the simulated providers give out.
const lifetime = time.Hour

// stage is an engine on a store in memory, and simulated providers on loopback.
type stage struct {
	engine    *engine.Engine
	store     storage.Store
	simulator *simulator.Simulator
	server    *http.Server
	secured   *http.Server // the same providers over TLS, where clients can show certificates
	visitor   *visitor
	keys      *keyring
	mail      *mailbox
	reroute   func(connector string) func(*url.URL) *url.URL
}

// openStage sets the stage for connectors, and for the providers that others or the same describe.
func openStage(ctx context.Context, ks, providers []*definition.Connector) (*stage, error) {
	s := &stage{visitor: newVisitor(), keys: newKeyring(), mail: &mailbox{held: map[string][]flow.Posted{}}}
	// Tokens outlive the play, and no provider forgives a token that is used twice.
	s.simulator = simulator.New(simulator.Options{
		Catalog: definition.NewCatalog(providers), TokenLifetime: lifetime, ReuseGrace: -1, DeviceInterval: 50 * time.Millisecond, Post: s.posted, Document: s.document,
	})
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the simulator: %w", err)
	}
	s.server = &http.Server{
		Handler: s.simulator, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	go func() { _ = s.server.Serve(ln) }() // until close
	secured, authority, err := s.serveTLS(ctx)
	if err == nil {
		err = s.openEngine(ctx, definition.NewCatalog(ks), &url.URL{Scheme: "http", Host: ln.Addr().String()}, secured, authority)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// serveTLS serves the simulator where clients can show certificates, and returns where that is and who
// vouches for it.
func (s *stage) serveTLS(ctx context.Context) (base *url.URL, authority []byte, err error) {
	config, authority, err := simulator.ServerTLS()
	if err != nil {
		return nil, nil, err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("listen for the simulator: %w", err)
	}
	s.secured = &http.Server{Handler: s.simulator, ReadHeaderTimeout: s.server.ReadHeaderTimeout, ErrorLog: s.server.ErrorLog}
	go func() { _ = s.secured.Serve(tls.NewListener(ln, config)) }() // until close
	return &url.URL{Scheme: "https", Host: ln.Addr().String()}, authority, nil
}

func (s *stage) openEngine(ctx context.Context, catalog *definition.Catalog, base, secured *url.URL, authority []byte) error {
	s.reroute = func(connector string) func(*url.URL) *url.URL { return simulator.Reroute(base, connector) }
	var err error
	if s.store, err = sqlite.OpenMemory(ctx); err != nil {
		return err
	}
	pages, err := ui.New()
	if err != nil {
		return err
	}
	s.engine, err = engine.New(ctx, engine.Options{
		Store: s.store, MasterKeys: []secret.MasterKey{secret.NewMasterKey()}, Catalog: catalog, UI: pages, PublicURL: publicURL,
		Simulate: s.reroute, Egress: egress.Policy{ExtraCA: authority},
		SimulateTLS: func(connector string) func(*url.URL) *url.URL { return simulator.Reroute(secured, connector) },
		Logger:      slog.New(slog.DiscardHandler),
		CacheTTL:    -1, // every read sees what the scene before it has done
	})
	return err
}

// close ends what the stage began. There is nothing to lose.
func (s *stage) close() {
	_ = s.server.Close()
	if s.secured != nil {
		_ = s.secured.Close()
	}
	s.visitor.client.CloseIdleConnections()
	if s.engine != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_ = s.engine.Source.Close(ctx)
		cancel()
	}
	if s.store != nil {
		_ = s.store.Close()
	}
}
