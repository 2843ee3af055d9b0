package simulator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"dowel/engine/definition"
)

// Launch is where the provider of a connector sends people who begin in its app store: to, with what the
// definition reads of a launch, signed with the secret of an app.
func (s *Simulator) Launch(ctx context.Context, connectorID, clientID, to string) (string, error) {
	k, err := s.options.Catalog.Current(ctx, s.options.Tenant, connectorID)
	if err != nil {
		return "", err
	}
	c := &call{s: s, connector: k}
	app := c.app(clientID)
	u, err := url.Parse(to)
	switch {
	case err != nil:
		return "", err
	case app == nil:
		return "", fmt.Errorf("%s knows no app %q", k.Name, clientID)
	case !app.lives(u):
		return "", fmt.Errorf("the app of %s is not at %s", k.Name, u.Host)
	}
	for _, a := range k.Auth {
		v := a.Callback.Launch
		if v == nil {
			continue
		}
		values, err := c.launch(a, app)
		if err != nil {
			return "", err
		}
		u.RawQuery = values.Encode()
		return u.String(), nil
	}
	return "", errors.New(k.Name + " sends nobody anywhere")
}

// lives reports whether an address is where browsers are sent back to.
func (app *client) lives(u *url.URL) bool {
	for _, redirect := range app.redirects {
		if known, err := url.Parse(redirect); err == nil && known.Scheme == u.Scheme && known.Host == u.Host {
			return true
		}
	}
	return false
}

// launch makes the parameters of a launch: what answers are read from, with an example of each.
func (c *call) launch(a *definition.Auth, app *client) (url.Values, error) {
	told := document{}
	l := a.Callback.Launch
	for i := range l.Answers {
		f, ok := c.connector.Inputs.Named(l.Answers[i].Name)
		if !ok {
			f, _ = a.Fields.Named(l.Answers[i].Name)
		}
		value := cmp.Or(f.Example, f.Default, "sim-"+strings.ReplaceAll(f.Name, "_", "-"))
		if len(f.Options) > 0 {
			value = f.Options[0].Value
		}
		told.place(&l.Answers[i].Value, value)
	}
	told.place(l.Subject, "sim-launch")
	values := told.brought()
	claims, _ := told.get([]any{"claims"}).(map[string]any)
	v := l.Verify
	if v == nil {
		v = a.Callback.Verify
	}
	if v == nil {
		return values, nil
	}
	return values, c.sign(v, app, slots{}, values, claims)
}

// serveLaunch serves GET ID/_launch?to=ADDRESS, where a provider's app store would be: it sends the
// browser to the address, or to where an app of one tenant named default is, with a launch.
func (s *Simulator) serveLaunch(w http.ResponseWriter, r *http.Request, connectorID string) {
	c := &call{s: s, r: r, connector: &definition.Connector{ID: connectorID}}
	app := c.onlyApp()
	if app == nil {
		errorPage(http.StatusNotFound, "There is not one app of "+connectorID+" here that could be launched.").write(w)
		return
	}
	to := r.URL.Query().Get("to")
	if to == "" {
		to = strings.TrimSuffix(app.redirects[0], "/callback") + "/connect/launch/default/" + url.PathEscape(connectorID)
	}
	address, err := s.Launch(r.Context(), connectorID, app.id, to)
	if err != nil {
		errorPage(http.StatusNotFound, err.Error()+".").write(w)
		return
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
}
