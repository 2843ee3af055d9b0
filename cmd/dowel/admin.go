package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dowel/engine/access"
	"dowel/engine/identity"
	"dowel/engine/secret"
	"dowel/engine/storage"
)

func adminCommand() *cobra.Command {
	var file, tenant string
	cmd := &cobra.Command{Use: "admin", Short: "First access to an installation: console links and API keys"}
	cmd.PersistentFlags().StringVar(&file, "config", "", "YAML file of settings")
	cmd.PersistentFlags().StringVar(&tenant, "tenant", defaultTenant, "tenant")
	var operator string
	link := &cobra.Command{
		Use: "link", Short: "Print a link that opens the console, once, within a day", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withIdentity(cmd.Context(), file, tenant, cmd.ErrOrStderr(), func(s *identity.Service) error {
				u, err := s.ConsoleLink(cmd.Context(), tenant, operator)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), u)
				return err
			})
		},
	}
	link.Flags().StringVar(&operator, "operator", "operator", "name of the operator, for the audit log")
	var name, scopes string
	key := &cobra.Command{
		Use: "api-key", Short: "Print a new API key", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withIdentity(cmd.Context(), file, tenant, cmd.ErrOrStderr(), func(s *identity.Service) error {
				p := access.Principal{Kind: access.Operator, Tenant: tenant, ID: "cli"}
				text, _, err := s.CreateAPIKey(cmd.Context(), p, name, strings.Split(scopes, ","), time.Time{})
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), text)
				return err
			})
		},
	}
	key.Flags().StringVar(&name, "name", "cli", "name of the key")
	key.Flags().StringVar(&scopes, "scopes", "token:read,connections:read,connect_sessions:write", "comma-separated scopes")
	cmd.AddCommand(link, key)
	return cmd
}

// withIdentity opens the identities of an installation.
func withIdentity(ctx context.Context, file, tenant string, logs io.Writer, f func(*identity.Service) error) error {
	return withStore(ctx, file, func(c *Config, store storage.Store, _ *secret.Keyring) error {
		log, err := logger(c, logs)
		if err != nil {
			return err
		}
		s := &identity.Service{Store: store, PublicURL: strings.TrimRight(c.PublicURL, "/"), Logger: log}
		if err := s.EnsureTenant(ctx, tenant, tenant); err != nil {
			return err
		}
		return f(s)
	})
}

// withStore opens the store of an installation, once its master key is shown to be the right one.
func withStore(ctx context.Context, file string, f func(*Config, storage.Store, *secret.Keyring) error) (err error) {
	c, err := loadConfig(file, os.Getenv)
	if err != nil {
		return err
	}
	keys, err := c.masterKeys()
	if err != nil {
		return err
	}
	store, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	keyring, err := secret.NewKeyring(store, keys...)
	if err != nil {
		return err
	}
	if err := keyring.Check(ctx); err != nil {
		return err
	}
	return f(c, store, keyring)
}
