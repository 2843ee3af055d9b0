package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"dowel/engine"
	"dowel/engine/secret"
	"dowel/engine/storage"
	"dowel/engine/storage/mongo"
	"dowel/engine/storage/sqlite"
	"dowel/ui"
)

func serveCommand() *cobra.Command {
	var file string
	var dev bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run Dowel",
		Long:  "Run Dowel. With --dev it needs nothing: it makes a key, simulates every provider, seeds a tenant and prints a console link and an API key.\n\n" + settingsHelp(),
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(file, os.Getenv)
			if err != nil {
				return err
			}
			c.Dev = dev
			limitCore()
			return serve(cmd.Context(), c, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "YAML file of settings")
	cmd.Flags().BoolVar(&dev, "dev", false, "development: loopback only, simulated providers, own key")
	return cmd
}

func settingsHelp() string {
	var b strings.Builder
	b.WriteString("Settings, from the environment or the file given with --config:\n")
	for _, s := range Settings() {
		fmt.Fprintf(&b, "\n  %s", s.Name)
		if s.Secret {
			b.WriteString(" (or " + s.Name + "_FILE)")
		}
		if s.Default != "" {
			b.WriteString(" [" + s.Default + "]")
		}
		b.WriteString("\n      " + s.Doc)
	}
	return b.String()
}

// serve builds the house and runs it until ctx ends.
func serve(ctx context.Context, c *Config, out, logs io.Writer) (err error) {
	log, err := logger(c, logs)
	if err != nil {
		return err
	}
	lib, err := openLibrary(c, log)
	if err != nil {
		return err
	}
	if err := c.checkDev(); err != nil {
		return err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer func() { _ = ln.Close() }() // the house closes it; this is for when it is not built
	if c.PublicURL == "" && c.Dev {
		c.PublicURL = "http://" + ln.Addr().String()
	}
	o, err := c.options(lib, log)
	if err != nil {
		return err
	}
	store, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	o.Store = store
	if c.Dev {
		return serveDev(ctx, c, o, ln, out)
	}
	e, err := engine.New(ctx, o)
	if err != nil {
		return err
	}
	if err := e.Identity.EnsureTenant(ctx, defaultTenant, "Default"); err != nil {
		return err
	}
	log.Info("serving", "url", c.PublicURL)
	return e.Run(ctx, ln)
}

// defaultTenant is the one tenant of an installation that has not made others.
const defaultTenant = "default"

// options are what the house is built from, but for the store.
func (c *Config) options(lib *library, log *slog.Logger) (engine.Options, error) {
	pages, err := ui.New()
	if err != nil {
		return engine.Options{}, err
	}
	policy, err := c.egress()
	if err != nil {
		return engine.Options{}, err
	}
	o := engine.Options{
		Catalog: lib.catalog, UI: pages, PublicURL: c.PublicURL, Egress: policy, Logger: log,
		ReadWait: c.ReadWait, CacheTTL: c.CacheTTL, Pool: c.Pool, Beside: []func(context.Context) error{lib.follow},
	}
	if c.Dev && c.MasterKey == "" {
		o.MasterKeys, err = c.devKey()
		return o, err
	}
	o.MasterKeys, err = c.masterKeys()
	return o, err
}

// devKey makes a master key for development: a new one for a store that is in memory, the one beside
// the store for one that is kept.
func (c *Config) devKey() ([]secret.MasterKey, error) {
	if !c.keepsDevStore() {
		return []secret.MasterKey{secret.NewMasterKey()}, nil
	}
	path := filepath.Join(c.DataDir, "dev-master.key")
	b, err := os.ReadFile(path) // #nosec G304: in the operator's data directory
	if errors.Is(err, os.ErrNotExist) {
		k := secret.NewMasterKey()
		if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
			return nil, err
		}
		return []secret.MasterKey{k}, os.WriteFile(path, []byte(k.Reveal()+"\n"), 0o600)
	}
	if err != nil {
		return nil, err
	}
	k, err := secret.ParseMasterKey(string(b))
	return []secret.MasterKey{k}, err
}

// keepsDevStore reports whether a development store outlives the process: only if its place was given,
// because the simulator forgets every grant when it stops.
func (c *Config) keepsDevStore() bool { return os.Getenv("DOWEL_DATA_DIR") != "" || c.MongoDBURI != "" }

// checkDev keeps development on this machine, and the rest off it until it is set up.
func (c *Config) checkDev() error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("DOWEL_LISTEN: %w", err)
	}
	loopback := host == "localhost" || net.ParseIP(host).IsLoopback()
	switch {
	case c.Dev && !loopback:
		return errors.New("dev mode listens on loopback only; DOWEL_LISTEN names another address")
	case !c.Dev && c.PublicURL == "":
		return errors.New("DOWEL_PUBLIC_URL is not set: say where browsers and providers reach Dowel, such as https://dowel.example.com (or try dowel serve --dev)")
	case !c.Dev && c.SimulatorURL != "":
		return errors.New("DOWEL_SIMULATOR_URL is for dev mode only")
	}
	return nil
}

func openStore(ctx context.Context, c *Config) (storage.Store, error) {
	if c.MongoDBURI != "" {
		if err := guardMongo(c); err != nil {
			return nil, err
		}
		return mongo.Open(ctx, c.MongoDBURI, mongo.Options{})
	}
	if c.Dev && !c.keepsDevStore() {
		return sqlite.OpenMemory(ctx)
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	return sqlite.Open(ctx, filepath.Join(c.DataDir, "dowel.db"))
}

// guardMongo refuses a database on another machine that asks nobody who they are.
func guardMongo(c *Config) error {
	u, err := url.Parse(c.MongoDBURI)
	if err != nil {
		return errors.New("DOWEL_MONGODB_URI is not an address")
	}
	host := u.Hostname()
	loopback := host == "localhost" || net.ParseIP(host).IsLoopback()
	if u.User == nil && !loopback && !c.MongoInsecure {
		return errors.New("DOWEL_MONGODB_URI names another machine and no user: anyone who reaches it could read the store. Add a user, or set DOWEL_MONGODB_INSECURE=true")
	}
	return nil
}

func logger(c *Config, w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cmp.Or(c.LogLevel, "info"))); err != nil {
		return nil, errors.New("DOWEL_LOG_LEVEL must be debug, info, warn or error")
	}
	o := &slog.HandlerOptions{Level: level}
	switch c.LogFormat {
	case "json":
		return slog.New(slog.NewJSONHandler(w, o)), nil
	case "", "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	}
	return nil, errors.New("DOWEL_LOG_FORMAT must be text or json")
}
