package auth

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"dowel/engine/definition"
)

// discovery shows where the provider is first looked for.
func (x explanation) discovery() {
	d := x.a.Discovery
	if d == nil {
		return
	}
	x.request("discovery", func(r Request, _ Credential) (*http.Request, error) {
		from, wellKnown := d.Issuer, wellKnownOpenID
		switch {
		case d.Resource != nil:
			from, wellKnown = d.Resource, wellKnownResource
		case d.Kind == "oauth":
			wellKnown = wellKnownOAuth
		}
		u, err := from.FillURL(r.callEnv(nil))
		if err != nil {
			return nil, err
		}
		at := metadataAddresses(u, d.Kind)[0]
		if wellKnown == wellKnownResource {
			at = withPath(u, wellKnown+strings.TrimSuffix(u.Path, "/"))
		}
		return http.NewRequestWithContext(context.Background(), http.MethodGet, at.String(), http.NoBody)
	})
}

// registration shows how an app registers itself.
func (x explanation) registration() {
	how := x.a.Registration
	if how == nil || !how.Dynamic() {
		return
	}
	x.request("registration (once)", func(r Request, _ Credential) (*http.Request, error) {
		return r.registration(context.Background(), "Dowel")
	})
}

// exampleHost stands for the host of what will be discovered.
const exampleHost = "discovered.example"

// exampleDiscovery names what will be discovered.
func exampleDiscovery(a *definition.Auth) map[string]string {
	if a.Discovery == nil {
		return nil
	}
	out := map[string]string{"hosts": exampleHost, "scopes": "[discovered.scopes]", "resource": "[discovered.resource]", takesMethods: "none"}
	for _, name := range append(endpointNames[:len(endpointNames):len(endpointNames)], "issuer") {
		out[name] = (&url.URL{Scheme: "https", Host: exampleHost, Path: "/" + name}).String()
	}
	return out
}
