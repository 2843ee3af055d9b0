package e2e

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"testing"
	"time"

	"dowel/connectors"
	"dowel/engine/definition"
	"dowel/engine/rehearsal"
	"dowel/ui"
)

// A newcomer presses Connect on every connector there is, by the way that is offered first, and fetches
// what has come of it. Ways that take a person's own private key are left to the rehearsal of each
// connector, and so are those that need a real browser on the way back, which package browser has.
func TestANewcomerConnectsToEveryShippedConnector(t *testing.T) {
	t.Parallel()
	i := Start(t)
	catalog, findings, err := definition.Load(connectors.FS)
	if err != nil || len(findings) > 0 {
		t.Fatal(findings, err)
	}
	left := 0
	for _, k := range catalog.Shared() {
		a := k.Auth[0]
		if takesAKey(k, a) || comesBackInPerson(a) {
			left++
			continue
		}
		if err := i.newcomer(t, k, a); err != "" {
			t.Errorf("%s: %s", k.ID, err)
		}
	}
	if left > 10 {
		t.Errorf("%d connectors were left out", left)
	}
}

func comesBackInPerson(a *definition.Auth) bool {
	return a.Callback.FormPost || a.Callback.From == definition.FromFragment
}

// takesAKey reports whether a person has to enter a private key.
func takesAKey(k *definition.Connector, a *definition.Auth) bool {
	return slices.ContainsFunc(slices.Concat(k.Inputs, a.Fields), func(f definition.Field) bool {
		return f.Format == "key" || f.Format == "pem"
	})
}

// newcomer connects and fetches the credential; it returns what went wrong.
func (i *Instance) newcomer(t *testing.T, k *definition.Connector, a *definition.Auth) string {
	t.Helper()
	answers, err := rehearsal.Answers(k.Inputs, a.Fields)
	if err != nil {
		return err.Error()
	}
	var session struct{ ID, URL string }
	status, body := i.Do(http.MethodPost, "/api/v1/connect-sessions", map[string]any{"end_user": "newcomer", "connectors": []string{k.ID}})
	if err := json.Unmarshal(body, &session); err != nil || status != http.StatusCreated {
		return string(body)
	}
	b := NewBrowser(t)
	p := b.pressAsTold(session.URL, a, answers)
	switch {
	case p.URL != "":
		b.Follow(b.Consent(p.URL, Ana, "allow"))
	case p.Status != "done":
		text, _ := json.Marshal(p)
		return string(text)
	}
	ids := i.ConnectionsOf(t, k.ID, "newcomer")
	if len(ids) != 1 {
		var now struct{ Flow struct{ Status string } }
		i.Get(t, "/api/v1/connect-sessions/"+session.ID, &now)
		if now.Flow.Status == "question" {
			return "" // such as which of several organisations it is to be
		}
		return "the flow is " + now.Flow.Status
	}
	if status, body := i.Do(http.MethodGet, "/api/v1/connections/"+ids[0]+"/token", nil); status != http.StatusOK {
		return string(body)
	}
	return ""
}

// known is how a simulated provider says which secret it takes where a signature is all it sees of it.
var known = regexp.MustCompile(`knows one ([^;]+) only: “([^”]+)”`)

// pressAsTold is Press by a person who waits when told to, and enters what a simulated provider says it
// knows.
func (b *Browser) pressAsTold(ticket string, a *definition.Auth, answers map[string]string) ui.Progress {
	b.tb.Helper()
	method, fields := a.ID, map[string]string{}
	for _, f := range a.Fields {
		fields[f.Label] = f.Name
	}
	p := b.Press(ticket, method, answers)
	for n := 0; n < 100; n++ {
		switch {
		case p.Code == "rate-limited":
			time.Sleep(250 * time.Millisecond)
		case p.Status == "invalid" && n < 2:
			for _, text := range p.Errors {
				for _, m := range known.FindAllStringSubmatch(text, -1) {
					answers[fields[m[1]]] = m[2]
				}
			}
		default:
			return p
		}
		p = b.Press(ticket, method, answers)
	}
	return p
}
