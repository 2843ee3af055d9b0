package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"dowel/engine/secret"
	"dowel/engine/storage"
)

func keysCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{Use: "keys", Short: "Master keys"}
	create := &cobra.Command{
		Use: "new", Short: "Print a new master key; keep it in a file only Dowel can read", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), secret.NewMasterKey().Reveal())
			return err
		},
	}
	status := &cobra.Command{
		Use: "status", Short: "Count what each master key wraps", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd.Context(), file, func(c *Config, store storage.Store, _ *secret.Keyring) error {
				return keysStatus(cmd, c, store)
			})
		},
	}
	rotate := &cobra.Command{
		Use: "rotate", Short: "Wrap with the master key what the old ones wrap", Args: cobra.NoArgs,
		Long: "Wraps the key of each tenant with DOWEL_MASTER_KEY where one of DOWEL_OLD_MASTER_KEYS wraps it; what is sealed\n" +
			"stays as it is. First give all instances the new key, and the old one among the old; then run this beside them,\n" +
			"once. It may be stopped and run again. When it is through, the old key can be taken away.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd.Context(), file, func(c *Config, store storage.Store, keyring *secret.Keyring) error {
				n, err := keyring.Rewrap(cmd.Context(), store)
				fmt.Fprintf(cmd.OutOrStdout(), "%d wrapped anew\n", n)
				if err != nil {
					return err
				}
				return keysStatus(cmd, c, store)
			})
		},
	}
	for _, c := range []*cobra.Command{status, rotate} {
		c.Flags().StringVar(&file, "config", "", "YAML file of settings")
	}
	cmd.AddCommand(create, status, rotate)
	return cmd
}

// keysStatus prints a line for each master key that is held or that wraps something: its ID, what it is
// here, and how many tenants' keys it wraps.
func keysStatus(cmd *cobra.Command, c *Config, store storage.Store) error {
	counts, err := secret.WrappedBy(cmd.Context(), store)
	if err != nil {
		return err
	}
	held, err := c.masterKeys()
	if err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), "key       tenants  state")
	for i, k := range held {
		what := "old, may be taken away"
		switch {
		case i == 0:
			what = "in use"
		case counts[k.ID()] > 0:
			what = "old, still needed"
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s  %7d  %s\n", k.ID(), counts[k.ID()], what)
		delete(counts, k.ID())
	}
	for _, id := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(cmd.OutOrStdout(), "%s  %7d  missing: set it among DOWEL_OLD_MASTER_KEYS\n", id, counts[id])
	}
	return nil
}
