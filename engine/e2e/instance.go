package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Instance is one process of `dowel serve`.
type Instance struct {
	*process
	Door
	ConsoleURL string
	dir        string
	env        []string
	dev        bool
}

// Start runs an instance of `dowel serve --dev` with the given settings ("DOWEL_LISTEN=…") in a data
// directory of its own.
func Start(tb testing.TB, env ...string) *Instance {
	tb.Helper()
	i := newInstance(tb, env)
	i.dev = true
	i.run(tb)
	return i
}

// Serve runs an instance as in production, with a master key and an API key that may do everything.
func Serve(tb testing.TB, env ...string) *Instance {
	tb.Helper()
	return ServeAt(tb, FreeAddress(tb), env...)
}

// ServeAt is Serve at an address that somebody has been told before.
func ServeAt(tb testing.TB, address string, env ...string) *Instance {
	tb.Helper()
	i := newInstance(tb, append([]string{
		"DOWEL_LISTEN=" + address, "DOWEL_PUBLIC_URL=http://" + address, "DOWEL_MASTER_KEY=" + MasterKey(tb),
	}, env...))
	i.env = append([]string{"DOWEL_DATA_DIR=" + i.dir}, i.env...)
	i.URL = "http://" + address
	i.run(tb)
	i.APIKey = i.Key(tb, "default", AllScopes)
	return i
}

func newInstance(tb testing.TB, env []string) *Instance {
	tb.Helper()
	i := &Instance{dir: tb.TempDir(), env: env, process: &process{log: &logFile{}}, Door: Door{client: newClient()}}
	tb.Cleanup(func() {
		i.Kill()
		if tb.Failed() {
			tb.Logf("log of %s:\n%s", i.URL, tail(i.Log()))
		}
	})
	return i
}

// tail is the end of a log, as much as a person can read.
func tail(log string) string {
	const most = 20_000
	if len(log) > most {
		return "…" + log[len(log)-most:]
	}
	return log
}

// AllScopes are all that an API key can be given.
const AllScopes = "connectors:read,connectors:write,connections:read,connections:write,token:read,apps:read,apps:write," +
	"connect_sessions:write,events:read,api_keys:read,api_keys:write"

// MasterKey makes a master key.
func MasterKey(tb testing.TB) string {
	tb.Helper()
	code, out, errs := Command(tb, nil, "keys", "new")
	if code != 0 {
		tb.Fatalf("keys new: %s", errs)
	}
	return strings.TrimSpace(out)
}

// Key makes an API key from the command line, beside the running instance.
func (i *Instance) Key(tb testing.TB, tenant, scopes string) string {
	tb.Helper()
	code, out, errs := Command(tb, i.env, "admin", "api-key", "--tenant", tenant, "--scopes", scopes)
	if code != 0 {
		tb.Fatalf("admin api-key: %s", errs)
	}
	return strings.TrimSpace(out)
}

func (i *Instance) run(tb testing.TB) {
	tb.Helper()
	if !i.dev {
		i.process = launch(tb, i.log, i.env, "serve")
		i.waitUntilItAnswers(tb)
		return
	}
	env := append([]string{"DOWEL_LISTEN=" + FreeAddress(tb), "DOWEL_DATA_DIR=" + i.dir}, i.env...)
	i.process, _ = start(tb, i.log, env, "serve", "--dev")
	b, err := os.ReadFile(filepath.Join(i.dir, "dev.json"))
	if err != nil {
		tb.Fatal(err)
	}
	var d struct {
		URL        string `json:"url"`
		APIKey     string `json:"api_key"`
		ConsoleURL string `json:"console_url"`
	}
	if err := json.Unmarshal(b, &d); err != nil {
		tb.Fatal(err)
	}
	i.URL, i.APIKey, i.ConsoleURL = d.URL, d.APIKey, d.ConsoleURL
	i.waitUntilItAnswers(tb)
}

func (i *Instance) waitUntilItAnswers(tb testing.TB) {
	tb.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if status, _ := i.Do(http.MethodGet, "/healthz", nil); status == http.StatusOK {
			return
		}
		select {
		case <-i.done:
			tb.Fatalf("dowel serve ended:\n%s", i.Log())
		default:
		}
		if time.Now().After(deadline) {
			tb.Fatalf("%s does not answer:\n%s", i.URL, i.Log())
		}
	}
}

// Restart starts a process that has ended again, with the same settings and data. Give DOWEL_LISTEN to
// Start to keep the address.
func (i *Instance) Restart(tb testing.TB) {
	tb.Helper()
	i.run(tb)
}

// Log returns what all processes of the instance have logged.
func (i *Instance) Log() string { return i.log.String() }

// DoAs is Do with another key; empty: none.
func (i *Instance) DoAs(key, method, path string, body any) (int, []byte) {
	return i.As(key).Do(method, path, body)
}
