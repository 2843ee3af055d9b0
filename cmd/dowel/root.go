package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// root lists the commands.
func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "dowel",
		Short:         "Connect accounts from declarative definitions, keep credentials safe and tokens alive.",
		SilenceUsage:  true,
		SilenceErrors: false,
	}
	cmd.AddCommand(serveCommand(), simulatorCommand(), keysCommand(), adminCommand(), connectorsCommand(), versionCommand())
	return cmd
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			version := "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				version = info.Main.Version
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "dowel", version)
			return err
		},
	}
}
