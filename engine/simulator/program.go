package simulator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"dowel/engine/definition"
)

// Some providers' authorization page is a program in the browser, which reads its parameters from the
// fragment of the address: the server never sees them. Ours is a page with a few lines of script that
// asks again with the fragment in the query.

// pageParam carries the path in the fragment to the server.
const pageParam = "simulated_page"

// programScript is all that the program does; Program says the same in Go.
const programScript = `const [path, query = ""] = location.hash.slice(1).split("?");
location.replace(location.pathname + "?` + pageParam + `=" + encodeURIComponent(path) + (query && "&" + query));`

// Program returns the address that the program behind an address asks for; an address whose fragment
// is no path is its own. It is for visitors that run no script.
func Program(u *url.URL) *url.URL {
	path, query, _ := strings.Cut(u.EscapedFragment(), "?")
	if !strings.Contains(path, "/") {
		return u
	}
	out := *u
	out.Fragment, out.RawFragment = "", ""
	out.RawQuery = pageParam + "=" + url.QueryEscape(path)
	if query != "" {
		out.RawQuery += "&" + query
	}
	return &out
}

// fragmentOf is the path in the fragment of an authorization address; empty if it has none. A fragment
// without a slash is a mark in a page that the server makes, and no browser sends it.
func fragmentOf(a *definition.Auth) string {
	_, fragment, _ := strings.Cut(a.Authorize.URL.Source, "#")
	path, _, _ := strings.Cut(fragment, "?")
	if !strings.Contains(path, "/") {
		return ""
	}
	return path
}

// program answers with the program, or with why there is no such page; nil if the request is what the
// program asks for.
func (c *call) program(a *definition.Auth, got params) *answer {
	want := fragmentOf(a)
	page, asked := got[pageParam]
	delete(got, pageParam)
	switch {
	case want == "" && !asked:
		return nil
	case want != "" && !asked:
		return programPage(c.connector.Name)
	}
	if _, ok := valuePattern(want).match(page); !ok {
		return c.stop("There is no page “" + page + "” here.")
	}
	return nil
}

func programPage(provider string) *answer {
	return renderWith(programScript, http.StatusOK, "", page{Title: "Simulated " + provider, Provider: provider, Script: programScript})
}

// escapedInVain reports whether the value of a parameter, as it is written in a query, has something
// escaped that could stand there as it is.
func escapedInVain(query, name string) bool {
	for p := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(p, "=")
		if key != name {
			continue
		}
		for rest := value; strings.Contains(rest, "%"); {
			_, rest, _ = strings.Cut(rest, "%")
			if c, err := url.PathUnescape("%" + rest[:min(2, len(rest))]); err != nil || slices.Contains(plainInQuery, c) {
				return true
			}
		}
	}
	return false
}

// plainInQuery are the characters, among those that forms escape, that a query holds as they are (RFC
// 3986 §3.4).
var plainInQuery = strings.Split("!$'()*,;:@/?", "")
