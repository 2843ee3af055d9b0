package web_test

import (
	"html"
	"regexp"

	"dowel/engine/simulator"
)

func fault(on, kind string) simulator.Fault {
	return simulator.Fault{On: on, Kind: simulator.FaultKind(kind)}
}

// hiddenField is the value of the first field with a name in a page's form.
func hiddenField(p page, name string) string {
	p.t.Helper()
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(p.body)
	if m == nil {
		p.t.Fatalf("%s (%d) has no field %s:\n%s", p.path, p.status, name, p.body)
	}
	return html.UnescapeString(m[1])
}
