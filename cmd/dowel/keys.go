package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"dowel/engine/secret"
)

func keysCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "keys", Short: "Master keys"}
	cmd.AddCommand(&cobra.Command{
		Use: "new", Short: "Print a new master key; keep it in a file only Dowel can read", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), secret.NewMasterKey().Reveal())
			return err
		},
	})
	return cmd
}
