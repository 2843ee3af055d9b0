package definition

import (
	"fmt"
	"net/url"
	"strings"
)

// FillPage is FillURL for an address that a browser opens. It may have a fragment, which some providers'
// pages read as another path and query; a value in it is escaped as in those.
func (t *Template) FillPage(env Env) (*url.URL, error) {
	page, fragment := t.cutFragment()
	u, err := page.FillURL(env)
	if err != nil || fragment == nil {
		return u, err
	}
	var b strings.Builder
	for _, p := range fragment {
		if p.expr == nil {
			b.WriteString(p.text)
			continue
		}
		v, err := p.expr.Eval(env)
		if err != nil {
			return nil, err
		}
		// The fragment begins a path: urlPart judges it as one.
		text, err := urlPart("https://x/"+b.String(), Text(v))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.expr.Source, err)
		}
		b.WriteString(text)
	}
	out, err := url.Parse(u.String() + "#" + b.String())
	if err != nil {
		return nil, fmt.Errorf("%q does not fill to an address", t.Source)
	}
	return out, nil
}

// cutFragment parts a template at the first # of its own text; without one there is no fragment.
func (t *Template) cutFragment() (page Template, fragment []part) {
	page = Template{Source: t.Source, At: t.At}
	for i, p := range t.parts {
		before, after, found := strings.Cut(p.text, "#")
		if p.expr != nil || !found {
			page.parts = append(page.parts, p)
			continue
		}
		page.parts = append(page.parts, part{text: before})
		return page, append([]part{{text: after}}, t.parts[i+1:]...)
	}
	return page, nil
}

// isPath reports whether a page reads a fragment as an address of its own, because the page is a
// program. A fragment without a slash is only a mark in the page.
func isPath(fragment string) bool {
	path, _, _ := strings.Cut(fragment, "?")
	return strings.Contains(path, "/")
}

// AddQuery adds parameters, which are encoded already, to the query of an address; of one whose page is
// a program to the fragment's query, because it looks for them there.
func AddQuery(u *url.URL, query string) (*url.URL, error) {
	if query == "" {
		return u, nil
	}
	address, fragment, _ := strings.Cut(u.String(), "#")
	if isPath(fragment) {
		fragment = join(fragment, query)
	} else {
		address = join(address, query)
	}
	if fragment != "" {
		address += "#" + fragment
	}
	out, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("add parameters: %w", err)
	}
	return out, nil
}

// join puts a query behind an address, or behind the query that it has.
func join(address, query string) string {
	if strings.Contains(address, "?") {
		return address + "&" + query
	}
	return address + "?" + query
}
