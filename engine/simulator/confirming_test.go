package simulator_test

import (
	"net/url"
	"testing"

	"dowel/engine/simulator"
)

// Whoever asks about what a browser brings shows what that browser was given, and is told what belongs
// to it, not what the browser has made of it.
func TestWhatIsBroughtCanBeAskedAboutOnce(t *testing.T) {
	const person, list = "https://login.example.com/person", "https://api.example.com/installations"
	c := newClientOf(t, example(t, "consent"), "consent", simulator.Options{})
	allow := func() url.Values {
		return c.allow("https://login.example.com/installations/new", url.Values{"app": {appID}, "state": {"s"}}, "1001", "allow")
	}
	ask := func(code string, client bool) reply {
		return c.send(request{method: "POST", url: person, client: client, form: url.Values{"code": {code}}})
	}
	told := allow()
	if got := told.Get("installation"); got != "4711" {
		t.Fatalf("the browser brings the installation %q, want the example", got)
	}
	for what, r := range map[string]reply{
		"without the client": ask(told.Get("code"), false),
		"another code":       ask(told.Get("code")+"x", true),
		"no code":            ask("", true),
		"a list before":      c.send(request{url: list, header: map[string]string{"Authorization": "Bearer " + told.Get("code")}}),
	} {
		if r.status < 400 {
			t.Errorf("%s: answered with %d %s", what, r.status, r.text)
		}
	}
	answer := ask(told.Get("code"), true)
	token := answer.text1("access_token")
	if answer.status != 200 || token == "" || answer.text1("id_token") == "" {
		t.Fatalf("a good code: %d %s", answer.status, answer.text)
	}
	if again := ask(told.Get("code"), true); again.status < 400 {
		t.Errorf("a code is good twice: %s", again.text)
	}
	mine := c.send(request{url: list, header: map[string]string{"Authorization": "Bearer " + token}})
	if id, ok := mine.at("installations.0.id").(float64); mine.status != 200 || !ok || id != 4711 {
		t.Errorf("the installations: %d %s, want the one that was given out", mine.status, mine.text)
	}
	if r := c.send(request{url: list, header: map[string]string{"Authorization": "Bearer " + answer.text1("id_token")}}); r.status < 400 {
		t.Errorf("what is no access token is taken for one: %s", r.text)
	}
}
