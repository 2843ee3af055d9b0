package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// What is not set up does not start, and says what is missing. (K01, K17, T26)
func TestAProcessThatIsNotSetUpDoesNotStart(t *testing.T) {
	t.Parallel()
	good := []string{"DOWEL_LISTEN=127.0.0.1:0", "DOWEL_PUBLIC_URL=https://dowel.example.com", "DOWEL_MASTER_KEY=" + MasterKey(t)}
	tests := []struct {
		name string
		env  []string
		args []string
		says string
	}{
		{"no master key", []string{"DOWEL_MASTER_KEY="}, nil, "dowel keys new"},
		{"a short master key", []string{"DOWEL_MASTER_KEY=secret"}, nil, "DOWEL_MASTER_KEY"},
		{"a long pass phrase", []string{"DOWEL_MASTER_KEY=correct horse battery staple correct horse battery"}, nil, "DOWEL_MASTER_KEY"},
		{"a master key of one letter", []string{"DOWEL_MASTER_KEY=" + strings.Repeat("a", 64)}, nil, "DOWEL_MASTER_KEY"},
		{"a master key of zeros", []string{"DOWEL_MASTER_KEY=" + strings.Repeat("A", 43) + "="}, nil, "DOWEL_MASTER_KEY"},
		{"a key file that is not there", []string{"DOWEL_MASTER_KEY=", "DOWEL_MASTER_KEY_FILE=/nonexistent"}, nil, "DOWEL_MASTER_KEY"},
		{"no public address", []string{"DOWEL_PUBLIC_URL="}, nil, "DOWEL_PUBLIC_URL"},
		{"a public address without TLS", []string{"DOWEL_PUBLIC_URL=http://dowel.example.com"}, nil, "https"},
		{"a simulator in production", []string{"DOWEL_SIMULATOR_URL=http://127.0.0.1:1"}, nil, "dev mode only"},
		{"development for everybody", []string{"DOWEL_LISTEN=0.0.0.0:0"}, []string{"--dev"}, "loopback only"},
		{"development on every address", []string{"DOWEL_LISTEN=:0"}, []string{"--dev"}, "loopback only"},
		{"a database open to its network", []string{"DOWEL_MONGODB_URI=mongodb://db.example.com/dowel"}, nil, "no user"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			env := append(append([]string{"DOWEL_DATA_DIR=" + dir}, good...), tt.env...)
			code, out, errs := Command(t, env, append([]string{"serve"}, tt.args...)...)
			if code == 0 || !strings.Contains(errs, tt.says) {
				t.Errorf("exit code %d, want another than 0 and %q:\n%s%s", code, tt.says, out, errs)
			}
		})
	}
}

// A store that was sealed with another key is left as it is. (D02, K11)
func TestAWrongMasterKeyIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	key := MasterKey(t)
	i := Serve(t, "DOWEL_MASTER_KEY="+key)
	id := i.importStripe(t, "sk_test_1")
	i.Stop()
	env := append(append([]string{}, i.env...), "DOWEL_MASTER_KEY="+MasterKey(t))
	for _, args := range [][]string{{"serve"}, {"admin", "api-key"}, {"admin", "link"}} {
		code, out, errs := Command(t, env, args...)
		if code == 0 || out != "" || !strings.Contains(errs, "master key") {
			t.Errorf("dowel %v: exit code %d\n%s%s", args, code, out, errs)
		}
	}
	i.Restart(t)
	if token, a := i.Token(id, ""); a.Status != http.StatusOK || token.AccessToken != "sk_test_1" {
		t.Errorf("with the right key again: %d %s", a.Status, a.Body)
	}
}

// The master key is changed beside a running process; the old one is refused when it may not be used any
// more, and only then can it be taken away. (D03, K10)
func TestTheMasterKeyIsChanged(t *testing.T) {
	t.Parallel()
	older, newer := MasterKey(t), MasterKey(t)
	i := Serve(t, "DOWEL_MASTER_KEY="+older)
	id := i.importStripe(t, "sk_test_1")
	plain := i.env
	opens := func(when string, env ...string) {
		t.Helper()
		i.Stop()
		i.env = slices.Concat(plain, env)
		i.Restart(t)
		if token, a := i.Token(id, ""); a.Status != http.StatusOK || token.AccessToken != "sk_test_1" {
			t.Errorf("%s: %d %s", when, a.Status, a.Body)
		}
	}
	opens("with both keys", "DOWEL_MASTER_KEY="+newer, "DOWEL_OLD_MASTER_KEYS="+older)
	if code, out, errs := Command(t, i.env, "keys", "status"); code != 0 || !strings.Contains(out, "old, still needed") {
		t.Errorf("keys status: exit code %d\n%s%s", code, out, errs)
	}
	for _, n := range []string{"1 wrapped anew", "0 wrapped anew"} {
		code, out, errs := Command(t, i.env, "keys", "rotate")
		if code != 0 || !strings.Contains(out, n) || !strings.Contains(out, "old, may be taken away") || strings.Contains(out+errs, newer) {
			t.Errorf("keys rotate: exit code %d, want %s\n%s%s", code, n, out, errs)
		}
	}
	if token, a := i.Token(id, "?force=true"); a.Status == http.StatusInternalServerError {
		t.Errorf("beside a rotation: %+v %s", token, a.Body)
	}
	opens("with the new key alone", "DOWEL_MASTER_KEY="+newer)
	i.Stop()
	if code, out, errs := Command(t, plain, "serve"); code == 0 || !strings.Contains(errs, "master key") {
		t.Errorf("with the old key alone: exit code %d\n%s%s", code, out, errs)
	}
}

// importStripe makes a connection whose credential is what a person typed, without asking the provider.
func (d Door) importStripe(t *testing.T, key string) string {
	t.Helper()
	return d.importTyped(t, "stripe", map[string]string{"secret_key": key})
}

// importTyped makes a connection of typed answers.
func (d Door) importTyped(t *testing.T, connector string, answers map[string]string) string {
	t.Helper()
	a := d.Ask(http.MethodPost, "/api/v1/connections", map[string]any{
		"connector": connector, "end_user": "somebody", "skip_test": true, "answers": answers,
	}, nil)
	var c Connection
	a.decode(&c)
	if a.Status != http.StatusCreated || c.ID == "" {
		t.Fatalf("import %s: %d %s", connector, a.Status, a.Body)
	}
	return c.ID
}
