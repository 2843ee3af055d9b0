package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"dowel/engine/definition"
	"dowel/engine/egress"
)

func newCommand() *cobra.Command {
	var out output
	var from sources
	var given definition.Import
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Begin a definition from what a provider publishes about itself",
		Long: "Writes a definition from OpenID Connect Discovery, from authorization server metadata (RFC 8414), or from the\n" +
			"security schemes of an OpenAPI 3 description, and on standard error what to look at. Metadata can be read from a\n" +
			"file as well; it must name the issuer it is asked for (RFC 8414 §3.3).",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, findings, err := from.read(cmd.Context(), given)
			if err != nil {
				return err
			}
			return out.write(cmd, text, findings)
		},
	}
	out.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&from.oidc, "from-oidc", "", "issuer whose OpenID configuration is read")
	f.StringVar(&from.metadata, "from-metadata", "", "issuer, address of its metadata, or a file that holds it")
	f.StringVar(&from.issuer, "issuer", "", "issuer that the metadata in a file must name")
	f.StringVar(&from.openAPI, "from-openapi", "", "OpenAPI 3 description, YAML or JSON")
	f.StringVar(&given.ID, "id", "", "id of the connector; made of its name if empty")
	f.StringVar(&given.Name, "name", "", "name of the connector; the one that is published if empty")
	f.StringVar(&given.BaseURL, "base-url", "", "where the provider's API is")
	cmd.MarkFlagsOneRequired("from-oidc", "from-metadata", "from-openapi")
	cmd.MarkFlagsMutuallyExclusive("from-oidc", "from-metadata", "from-openapi")
	return cmd
}

// sources is where a new definition comes from.
type sources struct{ oidc, metadata, issuer, openAPI string }

func (s sources) read(ctx context.Context, given definition.Import) ([]byte, []definition.Finding, error) {
	if s.openAPI != "" {
		source, err := readForeign(s.openAPI)
		if err != nil {
			return nil, nil, err
		}
		text, findings := definition.FromOpenAPI(s.openAPI, source, given)
		return text, findings, nil
	}
	name, source, issuer, err := s.published(ctx)
	if err != nil {
		return nil, nil, err
	}
	text, findings := definition.FromMetadata(name, source, issuer, given)
	return text, findings, nil
}

// published reads metadata from a file, or from where its issuer publishes it.
func (s sources) published(ctx context.Context) (name string, source []byte, issuer string, err error) {
	address := s.oidc + s.metadata
	if !strings.Contains(address, "://") {
		source, err = readForeign(address)
		return address, source, s.issuer, err
	}
	name, issuer, err = definition.WellKnown(address, s.oidc != "")
	if err != nil {
		return "", nil, "", err
	}
	if s.issuer != "" {
		issuer = s.issuer
	}
	source, err = fetch(ctx, name)
	return name, source, issuer, err
}

// fetch gets a public document, by the rules and settings of every call that goes out.
func fetch(ctx context.Context, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	c, err := loadConfig("", os.Getenv)
	if err != nil {
		return nil, err
	}
	policy, err := c.egress()
	if err != nil {
		return nil, err
	}
	client, err := egress.NewClient(policy)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	answer, err := client.For(egress.Scope{Name: "new", Hosts: []string{u.Host}}).Do(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", address, err)
	}
	if answer.Status != http.StatusOK {
		return nil, fmt.Errorf("read %s: status %d: %w", address, answer.Status, errNothingPublished)
	}
	return answer.Body, nil
}

var errNothingPublished = errors.New("no metadata is published there")
