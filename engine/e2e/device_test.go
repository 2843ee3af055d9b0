package e2e

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// session is what a program sees of a connect session.
type session struct {
	ID         string `json:"id"`
	URL        string `json:"url"`
	Connected  bool   `json:"connected"`
	Connection string `json:"connection"`
	Flow       *struct {
		Status string `json:"status"`
		Wait   *struct {
			URL         string  `json:"url"`
			CompleteURL string  `json:"complete_url"`
			Code        string  `json:"code"`
			Interval    float64 `json:"interval"`
		} `json:"wait"`
		Failure *struct {
			Code string `json:"code"`
		} `json:"failure"`
	} `json:"flow"`
}

// newDevices is an instance whose catalogue has a connector with device codes; its simulated provider lets
// itself be asked often.
func newDevices(t *testing.T) *Instance {
	t.Helper()
	source, err := os.ReadFile("../../schemas/testdata/device.good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"DOWEL_CONNECTORS_DIR=" + Definitions(t, map[string]string{"device": string(source)})}
	address := FreeAddress(t)
	s := StartSimulatorWith(t, env, "http://"+address, "--device-interval", "100ms")
	return Start(t, append([]string{"DOWEL_LISTEN=" + address, "DOWEL_SIMULATOR_URL=" + s.URL}, env...)...)
}

func (d Door) newSession(t *testing.T, connectors ...string) (path, link string) {
	t.Helper()
	var out session
	a := d.Ask(http.MethodPost, "/api/v1/connect-sessions", map[string]any{"end_user": "ana", "connectors": connectors}, nil)
	if a.decode(&out); a.Status != http.StatusCreated || out.ID == "" {
		t.Fatalf("connect session: %d %s", a.Status, a.Body)
	}
	return "/api/v1/connect-sessions/" + out.ID, out.URL
}

func (d Door) begin(t *testing.T, at, connector, method string, answers map[string]string) (session, Answer) {
	t.Helper()
	a := d.Ask(http.MethodPost, at+"/start", map[string]any{"connector": connector, "method": method, "answers": answers}, nil)
	var out session
	a.decode(&out)
	return out, a
}

// enterCode enters a device's code at the simulated provider.
func enterCode(t *testing.T, page, decision string) {
	t.Helper()
	b := NewBrowser(t)
	code := b.Open(page).Hidden().Get("request")
	where, _, _ := strings.Cut(page, "?")
	if p := b.Post(where, url.Values{"request": {code}, "account": {"1001"}, "decision": {decision}}, nil); code == "" || p.Status != http.StatusOK {
		t.Fatalf("enter the code: %d %s", p.Status, p.Body)
	}
}

func TestAProgramConnectsADeviceWithoutABrowser(t *testing.T) {
	t.Parallel()
	h := newDevices(t)
	at, _ := h.newSession(t, "device")
	begun, a := h.begin(t, at, "device", "plain", nil)
	if a.Status != http.StatusOK || begun.Flow == nil || begun.Flow.Status != "pending" || begun.Flow.Wait == nil || begun.Flow.Wait.Code == "" || begun.Flow.Wait.Interval != 0.1 {
		t.Fatalf("begun: %d %s", a.Status, a.Body)
	}
	if strings.Contains(string(a.Body), "sim-device") {
		t.Errorf("the device code is shown: %s", a.Body)
	}
	var now session
	h.Get(t, at, &now)
	if now.Connected || now.Flow == nil || now.Flow.Wait == nil || now.Flow.Wait.Code != begun.Flow.Wait.Code {
		t.Errorf("before anybody has decided: %+v", now)
	}
	enterCode(t, begun.Flow.Wait.CompleteURL, "allow")
	Eventually(t, 10*time.Second, "the session to be connected", func() bool {
		now = session{}
		h.Get(t, at, &now)
		return now.Connected
	})
	if now.Flow.Status != "done" || now.Flow.Wait != nil {
		t.Errorf("in the end: %+v", now)
	}
	if token, answer := h.Token(now.Connection, ""); token.AccessToken == "" {
		t.Errorf("token: %d %s", answer.Status, answer.Body)
	}
	if _, a := h.begin(t, at, "device", "plain", nil); a.Status != http.StatusGone {
		t.Errorf("the session counts a second time: %d %s", a.Status, a.Body)
	}
}

func TestAProgramIsToldHowAFlowEnds(t *testing.T) {
	t.Parallel()
	h := newDevices(t)
	at, _ := h.newSession(t)
	var now session
	if h.Get(t, at, &now); now.Flow != nil || now.Connected {
		t.Errorf("before anything was begun: %+v", now)
	}
	begun, a := h.begin(t, at, "device", "plain", nil)
	if begun.Flow == nil {
		t.Fatalf("begun: %d %s", a.Status, a.Body)
	}
	enterCode(t, begun.Flow.Wait.CompleteURL, "deny")
	Eventually(t, 10*time.Second, "the flow to fail", func() bool {
		now = session{}
		h.Get(t, at, &now)
		return now.Flow.Status == "failed"
	})
	if now.Connected || now.Flow.Failure == nil || now.Flow.Failure.Code != "denied" {
		t.Errorf("after a denial: %+v", now.Flow.Failure)
	}
	// The session is not used: another method may be tried, and one that is typed needs no waiting.
	typed, a := h.begin(t, at, "stripe", "secret_key", map[string]string{"secret_key": "sk_test_CANARY"})
	if !typed.Connected || typed.Connection == "" || typed.Flow.Status != "done" {
		t.Errorf("a typed key: %d %s", a.Status, a.Body)
	}
}

func TestAProgramCannotStandInForTheBrowser(t *testing.T) {
	t.Parallel()
	h := newDevices(t)
	at, _ := h.newSession(t, "google", "device")
	if _, a := h.begin(t, at, "google", "", nil); a.Status != http.StatusBadRequest || a.Problem().Code != "browser-needed" {
		t.Errorf("a redirect: %d %s", a.Status, a.Body)
	}
	if _, a := h.begin(t, at, "stripe", "secret_key", map[string]string{"secret_key": "sk_test_1"}); a.Status != http.StatusBadRequest {
		t.Errorf("a connector that the session does not allow: %d %s", a.Status, a.Body)
	}
	if a := h.Ask(http.MethodPost, at+"/answer", map[string]any{"value": "x"}, nil); a.Status != http.StatusConflict {
		t.Errorf("an answer to nothing: %d %s", a.Status, a.Body)
	}
	opened, link := h.newSession(t, "device")
	NewBrowser(t).Open(link)
	if _, a := h.begin(t, opened, "device", "plain", nil); a.Status != http.StatusConflict {
		t.Errorf("a session that a browser has opened: %d %s", a.Status, a.Body)
	}
}
