package e2e

import "testing"

func TestTheDefinitionsOfTheseTestsAreAccepted(t *testing.T) {
	dir := Definitions(t, map[string]string{
		"strict": Plain("strict", "{rotation: always}"), "grace": Plain("grace", "{rotation: always, reuse_grace: 30s}"),
		"fixed": Plain("fixed", "{rotation: never}"),
	})
	if code, out, errs := Command(t, nil, "connectors", "lint", dir); code != 0 {
		t.Errorf("lint: %d\n%s%s", code, out, errs)
	}
}
