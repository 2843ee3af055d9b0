package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// discoverResource asks an API which authorization server it trusts (RFC 9728), and that server for its
// addresses (RFC 8414).
func (r Request) discoverResource(ctx context.Context, d *definition.Discovery) (map[string]string, error) {
	resource, err := d.Resource.FillURL(r.callEnv(nil))
	if err != nil {
		return nil, r.leadsNowhere(d.Resource, err)
	}
	about, err := r.describeResource(ctx, resource)
	if err != nil {
		return nil, r.leadsNowhere(d.Resource, err)
	}
	r.Discovered = map[string]string{"resource": about.resource, "scopes": about.scopes, "hosts": joinHosts("", resource.Host)}
	out, err := r.discoverIssuer(ctx, about.issuer, metadataAddresses(about.issuer, "oauth"))
	if err != nil {
		return nil, r.leadsNowhere(d.Resource, err)
	}
	return out, nil
}

// description is what a resource says about itself.
type description struct {
	resource string // its identifier, for RFC 8707
	issuer   *url.URL
	scopes   string
}

// describeResource finds the metadata of a resource: at its well-known place, at that of its host, or
// where it says itself when it refuses a call without a token (RFC 9728 §3.1, §5.1). A resource that
// knows nothing of this is its own authorization server, as the first version of MCP's authorization had
// it.
func (r Request) describeResource(ctx context.Context, resource *url.URL) (description, error) {
	places := []*url.URL{withPath(resource, wellKnownResource+strings.TrimSuffix(resource.Path, "/"))}
	if strings.Trim(resource.Path, "/") != "" {
		places = append(places, withPath(resource, wellKnownResource))
	}
	for _, at := range places {
		body, err := r.published(ctx, at, documentAge)
		if err == nil {
			return r.readResource(resource, body)
		}
		if !notThere(err) {
			return description{}, err
		}
	}
	at, err := r.challengedWith(ctx, resource)
	if err != nil {
		return description{}, err
	}
	if at == nil {
		return description{resource: resource.String(), issuer: withPath(resource, "")}, nil
	}
	body, err := r.published(ctx, at, documentAge)
	if err != nil {
		return description{}, err
	}
	return r.readResource(resource, body)
}

// readResource reads the metadata of a resource (RFC 9728 §2). Its identifier must be of the place that
// was asked (§3.3): otherwise one server could have us fetch tokens for another and show them to it.
func (r Request) readResource(asked *url.URL, body []byte) (description, error) {
	v, err := decodeJSON(body)
	doc, ok := v.(map[string]any)
	if err != nil || !ok {
		return description{}, r.unpublished(errors.New("the resource's metadata is not a JSON object"))
	}
	text, _ := doc["resource"].(string)
	said, err := url.Parse(text)
	if err != nil || said.Scheme != asked.Scheme || !strings.EqualFold(said.Host, asked.Host) || !within(asked.Path, said.Path) || said.Fragment != "" || said.User != nil {
		return description{}, r.unpublished(&otherIssuerError{said: clean(text, 200), asked: asked.String()})
	}
	servers, _ := doc["authorization_servers"].([]any)
	for _, s := range servers {
		text, _ := s.(string)
		u, err := url.Parse(text)
		if err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "" {
			return description{resource: said.String(), issuer: u, scopes: joinScopes(doc["scopes_supported"])}, nil
		}
	}
	return description{}, r.unpublished(fmt.Errorf("%w: it names no authorization server", errNotDescribed))
}

// within reports whether a path is the other one or lies below it.
func within(path, above string) bool {
	above = strings.TrimSuffix(above, "/")
	return strings.TrimSuffix(path, "/") == above || strings.HasPrefix(path, above+"/")
}

var metadataParam = regexp.MustCompile(`(?i)\bresource_metadata\s*=\s*"?([^",\s]+)`)

// challengedWith calls the resource without a token and returns where its refusal says that its metadata
// is (RFC 9728 §5.1); nil if it does not say.
func (r Request) challengedWith(ctx context.Context, resource *url.URL) (*url.URL, error) {
	out, err := r.scoped()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, resource.String(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	a, err := out.Do(ctx, req)
	if err != nil {
		return nil, err
	}
	if a.Status != http.StatusUnauthorized && a.Status != http.StatusForbidden {
		if a.Status >= http.StatusInternalServerError {
			return nil, r.unpublished(&statusError{a.Status})
		}
		return nil, nil
	}
	for _, challenge := range a.Header.Values("WWW-Authenticate") {
		m := metadataParam.FindStringSubmatch(challenge)
		if m == nil {
			continue
		}
		u, err := url.Parse(m[1])
		if err != nil || !strings.EqualFold(u.Host, resource.Host) || u.Scheme != resource.Scheme {
			return nil, fault.E(fault.Unavailable, r.Connector.Name+" does not say about itself what is needed", errors.New("its metadata is at another host"))
		}
		return u, nil
	}
	return nil, nil
}
