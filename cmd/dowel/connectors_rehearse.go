package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"dowel/connectors"
	"dowel/engine/definition"
	"dowel/engine/rehearsal"
)

var errFailed = errors.New("not every method does what its definition says")

func testCommand() *cobra.Command {
	var all bool
	var dir string
	cmd := &cobra.Command{
		Use:   "test ID|FILE…",
		Short: "Connect, refresh and revoke against a simulated provider, and try what can go wrong",
		Long: "Plays the whole life of every method against a provider simulated from the definition: connect, identity, token,\n" +
			"refresh twice, a replayed refresh token, a provider that fails, revocation, denial, a wrong secret. Needs no account.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return errors.New("name connectors or files to test, or --all")
			}
			ks, findings, err := tested(args, dir)
			if err != nil {
				return err
			}
			if err := definition.WriteFindings(cmd.ErrOrStderr(), "text", findings); err != nil {
				return err
			}
			var played, failed int
			start := time.Now()
			err = rehearsal.All(cmd.Context(), ks, runtime.GOMAXPROCS(0), func(r rehearsal.Result) {
				fmt.Fprintln(cmd.OutOrStdout(), r)
				if played++; !r.OK() {
					failed++
				}
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d connectors, %d methods, %d failed  %v\n", len(ks), played, failed, time.Since(start).Round(time.Millisecond))
			if failed > 0 || definition.HasErrors(findings) {
				cmd.SilenceErrors = true
				return errFailed
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "test every connector")
	cmd.Flags().StringVar(&dir, "dir", "", "directory of definitions; those that come with Dowel if empty")
	return cmd
}

// tested returns the connectors named, or all of the directory, with the errors of those that cannot be
// read.
func tested(names []string, dir string) (ks []*definition.Connector, errs []definition.Finding, err error) {
	var fsys fs.FS = connectors.FS
	if dir != "" {
		fsys = os.DirFS(dir)
	}
	if len(names) == 0 {
		catalog, findings, err := definition.Load(fsys, definition.In(connectors.FS))
		if err != nil {
			return nil, nil, err
		}
		return catalog.Shared(), findings, nil
	}
	for _, name := range names {
		k, findings, err := find(name, fsys)
		if err != nil {
			return nil, nil, err
		}
		for _, f := range findings {
			if f.Level == definition.LevelError {
				errs = append(errs, f)
			}
		}
		if k != nil {
			ks = append(ks, k)
		}
	}
	return ks, errs, nil
}
