package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Instance is one process of `dowel serve --dev`.
type Instance struct {
	*process
	URL, APIKey, ConsoleURL string
	dir                     string
	env                     []string
	client                  *http.Client
}

// Start runs an instance with the given settings ("DOWEL_LISTEN=…") in a data directory of its own.
func Start(tb testing.TB, env ...string) *Instance {
	tb.Helper()
	i := &Instance{dir: tb.TempDir(), env: env, client: &http.Client{Timeout: 60 * time.Second}}
	i.run(tb, &logFile{})
	tb.Cleanup(func() {
		i.Kill()
		if tb.Failed() {
			tb.Logf("log of %s:\n%s", i.URL, i.Log())
		}
	})
	return i
}

func (i *Instance) run(tb testing.TB, log *logFile) {
	tb.Helper()
	env := append([]string{"DOWEL_LISTEN=" + FreeAddress(tb), "DOWEL_DATA_DIR=" + i.dir}, i.env...)
	i.process, _ = start(tb, log, env, "serve", "--dev")
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
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if status, _ := i.Do(http.MethodGet, "/healthz", nil); status == http.StatusOK {
			return
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
	i.run(tb, i.log)
}

// Log returns what all processes of the instance have logged.
func (i *Instance) Log() string { return i.log.String() }

// Do makes a request with the instance's key and returns the status, 0 if there is no answer, and the
// body.
func (i *Instance) Do(method, path string, body any) (int, []byte) {
	return i.DoAs(i.APIKey, method, path, body)
}

// DoAs is Do with another key; empty: none.
func (i *Instance) DoAs(key, method, path string, body any) (int, []byte) {
	var r io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return 0, []byte(err.Error())
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, i.URL+path, r)
	if err != nil {
		return 0, []byte(err.Error())
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := i.client.Do(req)
	if err != nil {
		return 0, []byte(err.Error())
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, []byte(err.Error())
	}
	return resp.StatusCode, b
}

// Get reads a JSON answer, and fails the test if the status is another than 200.
func (i *Instance) Get(tb testing.TB, path string, v any) {
	tb.Helper()
	status, b := i.Do(http.MethodGet, path, nil)
	if status != http.StatusOK {
		tb.Fatalf("GET %s: %d %s", path, status, b)
	}
	if err := json.Unmarshal(b, v); err != nil {
		tb.Fatalf("GET %s: %v in %s", path, err, b)
	}
}

// Token is the part of a token answer that tests look at.
type Token struct {
	Connection  string     `json:"connection"`
	Version     int64      `json:"version"`
	AccessToken string     `json:"access_token"`
	ExpiresAt   *time.Time `json:"expires_at"`
	Warning     string     `json:"warning"`
}
