package definition

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"dowel/engine/fault"
	"dowel/schemas"
)

var idLine = regexp.MustCompile(`(?m)^id: .*$`)

// renamed is a definition under another id.
func renamed(source []byte, id string) []byte {
	return idLine.ReplaceAll(bytes.Clone(source), []byte("id: "+id))
}

func TestABrokenFileLeavesTheOthers(t *testing.T) {
	fsys := shipped(t, 16)
	count := len(fsys)
	for name, text := range bombs() {
		fsys["bomb-"+strings.ReplaceAll(name, " ", "-")+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	bad := []string{"../x", "x/y", "X", "", ".", "-x", "x y", strings.Repeat("x", 65), "x\x00"}
	good := fsys["github.yaml"].Data
	for i, id := range bad {
		fsys["bad"+string(rune('a'+i))+".yaml"] = &fstest.MapFile{Data: renamed(good, `"`+id+`"`)}
	}
	fsys["another.yaml"] = &fstest.MapFile{Data: good}
	fsys["readme.md"] = &fstest.MapFile{Data: []byte("not one")}
	fsys["dir.yaml"] = &fstest.MapFile{Mode: os.ModeDir}
	catalog, findings, err := Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(catalog.Shared()); got != count {
		t.Errorf("%d connectors are served, want %d", got, count)
	}
	for _, f := range findings {
		if f.Level != LevelError || strings.HasPrefix(f.File, "github") {
			t.Errorf("finding %v", f)
		}
	}
	for name := range fsys {
		told := slices.ContainsFunc(findings, func(f Finding) bool { return f.File == name })
		if wrong := strings.HasPrefix(name, "b") || name == "another.yaml"; told != wrong {
			t.Errorf("%s: findings %v, want %v", name, told, wrong)
		}
	}
}

func TestAFileThatIsNoneIsRefused(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside.yaml")
	dir := t.TempDir()
	source := shipped(t, 16)["github.yaml"].Data
	write(t, outside, renamed(source, "outside"))
	write(t, filepath.Join(dir, "github.yaml"), source)
	// As Kubernetes mounts a ConfigMap: names lead through a link to a directory of this version.
	if err := os.Mkdir(filepath.Join(dir, "..v1"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "..v1", "mapped.yaml"), renamed(source, "mapped"))
	link(t, "..v1", filepath.Join(dir, "..data"))
	link(t, "..data/mapped.yaml", filepath.Join(dir, "mapped.yaml"))
	link(t, outside, filepath.Join(dir, "absolute.yaml"))
	link(t, "../"+filepath.Base(filepath.Dir(outside))+"/outside.yaml", filepath.Join(dir, "above.yaml"))
	link(t, "..v1/../../x.yaml", filepath.Join(dir, "through.yaml"))
	link(t, "loop.yaml", filepath.Join(dir, "loop.yaml"))
	link(t, "nowhere", filepath.Join(dir, "dangling.yaml"))
	link(t, "..v1", filepath.Join(dir, "folder.yaml"))

	catalog, findings, err := Load(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	var served, refused []string
	for _, c := range catalog.Shared() {
		served = append(served, c.ID)
	}
	for _, f := range findings {
		if f.Rule != "file" {
			t.Errorf("finding %v", f)
		}
		refused = append(refused, f.File)
	}
	if want := []string{"github", "mapped"}; !slices.Equal(served, want) {
		t.Errorf("served %v, want %v", served, want)
	}
	if want := []string{"above.yaml", "absolute.yaml", "dangling.yaml", "folder.yaml", "loop.yaml", "through.yaml"}; !slices.Equal(refused, want) {
		t.Errorf("refused %v, want %v", refused, want)
	}
}

func write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, name string) {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
}

func TestLoadLooksForErrorsOnlyAndLintForAll(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(testdata, "pkce-off.bad.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{"bad.yaml": {Data: source}}
	checker, err := NewChecker(schemas.FS)
	if err != nil {
		t.Fatal(err)
	}
	catalog, findings, err := checker.Load(fsys)
	if err != nil || len(findings) > 0 || len(catalog.Shared()) != 1 {
		t.Errorf("Load: %v, %v", findings, err)
	}
	findings, err = checker.Lint(fsys)
	if err != nil || len(findings) != 1 || findings[0].Path != "/auth/0/pkce" {
		t.Errorf("Lint: %+v, %v", findings, err)
	}
}

func TestNoneStandsBeforeTheConnectorsOwn(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(testdata, "oauth.good.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	c, findings := Parse("oauth.yaml", source)
	if c == nil {
		t.Fatal(findings)
	}
	person, app := c.Method("person"), c.Method("app")
	if !c.Testable(person) || c.IdentityFor(person) == nil {
		t.Error("the first method has the connector's test and identity")
	}
	if c.Testable(app) || c.IdentityFor(app) != nil || len(c.ChoicesFor(app)) > 0 {
		t.Error("the second method has none")
	}
}

// sources is a store of versions; "acme/…" are the tenant's own.
type sources map[string][]byte

func (s sources) Published(_ context.Context, tenant string) (map[string]string, error) {
	out := map[string]string{}
	for key := range s {
		if rest, own := strings.CutPrefix(key, tenant+"/"); own {
			id, version, _ := strings.Cut(rest, "@")
			out[id] = version
		}
	}
	return out, nil
}

func (s sources) Source(_ context.Context, tenant, connector, version string) ([]byte, error) {
	if tenant != "" {
		connector = tenant + "/" + connector
	}
	if text, ok := s[connector+"@"+version]; ok {
		return text, nil
	}
	return nil, fault.E(fault.NotFound, "no such version", nil)
}

func TestAConnectionKeepsTheVersionItWasMadeWith(t *testing.T) {
	source := shipped(t, 16)["github.yaml"].Data
	before, _ := Parse("github.yaml", source)
	after, _ := Parse("github.yaml", append(bytes.Clone(source), "# changed\n"...))
	stored := renamed(source, "gone")
	gone, _ := Parse("gone.yaml", stored)
	catalog := NewCatalog([]*Connector{before})
	catalog.Replace([]*Connector{after})
	catalog.Keep(sources{"gone@" + gone.Version: stored, "broken@1": []byte("id: [")})
	for _, tt := range []struct {
		id, version string
		want        fault.Kind
	}{
		{"github", before.Version, fault.None},
		{"github", after.Version, fault.None},
		{"gone", gone.Version, fault.None},
		{"gone", "other", fault.Misconfigured},
		{"broken", "1", fault.Misconfigured},
	} {
		c, err := catalog.Version(t.Context(), "acme", tt.id, tt.version)
		if fault.KindOf(err) != tt.want || err == nil && c.Version != tt.version {
			t.Errorf("Version(%s, %s): %v, want %v", tt.id, tt.version, err, tt.want)
		}
	}
}

func TestATenantsOwnConnectorIsSeenByThatTenantAlone(t *testing.T) {
	source := shipped(t, 16)["github.yaml"].Data
	common, _ := Parse("github.yaml", source)
	ownText, newText := append(bytes.Clone(source), "# ours\n"...), renamed(source, "inhouse")
	own, _ := Parse("github.yaml", ownText)
	added, _ := Parse("inhouse.yaml", newText)
	catalog := NewCatalog([]*Connector{common})
	catalog.Keep(sources{"acme/github@" + own.Version: ownText, "acme/inhouse@" + added.Version: newText})
	for _, tt := range []struct{ tenant, id, want string }{
		{"acme", "github", own.Version},
		{"other", "github", common.Version},
		{"", "github", common.Version},
		{"acme", "inhouse", added.Version},
		{"other", "inhouse", ""},
		{"", "inhouse", ""},
	} {
		k, err := catalog.Current(t.Context(), tt.tenant, tt.id)
		if tt.want == "" {
			if fault.KindOf(err) != fault.NotFound {
				t.Errorf("%s of %q: %v, want it not found", tt.id, tt.tenant, err)
			}
			continue
		}
		if err != nil || k.Version != tt.want {
			t.Errorf("%s of %q: %v, want version %s", tt.id, tt.tenant, err, tt.want)
			continue
		}
		if isOwn := tt.want != common.Version; isOwn != (k.Tenant == tt.tenant && k.PublicOnly(k.Auth[0])) {
			t.Errorf("%s of %q: tenant %q, public hosts only: %v", tt.id, tt.tenant, k.Tenant, k.PublicOnly(k.Auth[0]))
		}
	}
	for tenant, want := range map[string]int{"acme": 2, "other": 1, "": 1} {
		if all, err := catalog.All(t.Context(), tenant); err != nil || len(all) != want {
			t.Errorf("%q sees %d connectors, %v; want %d", tenant, len(all), err, want)
		}
	}
	if _, err := catalog.Version(t.Context(), "other", "inhouse", added.Version); fault.KindOf(err) != fault.Misconfigured {
		t.Errorf("another tenant gets the version: %v", err)
	}
}
