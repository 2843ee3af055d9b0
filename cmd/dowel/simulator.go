package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"dowel/engine/simulator"
)

// simulatorCommand runs the simulated providers as a process of their own, so that several instances of
// Dowel, or one that is restarted, find the same grants.
func simulatorCommand() *cobra.Command {
	var listen, redirect string
	var accounts int
	var o simulator.Options
	cmd := &cobra.Command{
		Use: "simulator", Short: "Run the simulated providers alone, for several instances of dowel serve --dev", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			host, _, err := net.SplitHostPort(listen)
			if err != nil || host != "localhost" && !net.ParseIP(host).IsLoopback() {
				return errors.New("the simulator listens on loopback only")
			}
			c, err := loadConfig("", os.Getenv)
			if err != nil {
				return err
			}
			log, err := logger(c, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			lib, err := openLibrary(c, log)
			if err != nil {
				return err
			}
			o.Catalog = lib.catalog
			o.Accounts = simulator.Accounts(accounts)
			s := simulator.New(o)
			registerApps(s, o.Catalog.Shared(), redirect)
			ln, err := (&net.ListenConfig{}).Listen(cmd.Context(), "tcp", listen)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), "http://"+ln.Addr().String()); err != nil {
				return err
			}
			group, ctx := errgroup.WithContext(cmd.Context())
			if err := runSimulator(ctx, group, ln, s); err != nil {
				return err
			}
			return group.Wait()
		},
	}
	f := cmd.Flags()
	f.StringVar(&listen, "listen", "127.0.0.1:0", "address to listen on, printed when ready")
	f.StringVar(&redirect, "redirect-uri", "http://127.0.0.1:8080/callback", "redirect URI that the simulated apps are registered with")
	f.DurationVar(&o.TokenLifetime, "token-lifetime", 30*time.Second, "how long tokens live")
	f.DurationVar(&o.RefreshLatency, "latency", 0, "how long a token request takes")
	f.DurationVar(&o.DeviceInterval, "device-interval", 5*time.Second, "how long a device has to wait between two polls")
	f.DurationVar(&o.PostDelay, "post-delay", 0, "how long after the browser is back a provider's server posts; 0: before that")
	f.StringVar(&o.Rotate, "rotate", "", "rotation instead of the definitions': always, sometimes, never")
	f.DurationVar(&o.ReuseGrace, "reuse-grace", 0, "grace on reuse instead of the definitions'; negative: none")
	f.IntVar(&accounts, "accounts", 2, "how many accounts there are to consent as")
	f.StringVar(&o.Mark, "mark", "", "text that stands in every secret that is issued, to look for where none belongs")
	f.BoolVar(&o.Control, "control", false, "serve /_control/: faults and statistics")
	return cmd
}
