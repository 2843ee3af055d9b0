package ui

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// element is one start tag of a page, with what the checks need of its surroundings.
type element struct {
	name   string
	attr   map[string]string
	text   string   // all text inside
	within []string // names of the elements around it
	form   *element
	csrf   bool // of a form: it carries the token
}

// elements reads a page. Pages are written so that an XML reader in its lax mode can follow them.
func elements(t *testing.T, page string) []*element {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var all, open []*element
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("read the page: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attr: map[string]string{}}
			for _, a := range token.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			for _, o := range open {
				e.within = append(e.within, o.name)
				if o.name == "form" {
					e.form = o
				}
			}
			if e.form != nil && e.attr["name"] == "csrf" && e.attr["value"] != "" {
				e.form.csrf = true
			}
			all, open = append(all, e), append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			for _, o := range open {
				o.text += string(token)
			}
		}
	}
}

// eachStory runs check on the elements of every story.
func eachStory(t *testing.T, check func(t *testing.T, all []*element)) {
	u := newUI(t)
	for _, s := range Stories() {
		t.Run(s.Name, func(t *testing.T) { check(t, elements(t, render(t, u, s.Page))) })
	}
}

func TestPagesNeedNothingTheStrictPolicyForbids(t *testing.T) {
	eachStory(t, func(t *testing.T, all []*element) {
		for _, e := range all {
			if e.name == "style" || e.name == "script" && (e.attr["src"] == "" || strings.TrimSpace(e.text) != "") {
				t.Errorf("inline <%s>", e.name)
			}
			for name, value := range e.attr {
				if name == "style" || strings.HasPrefix(name, "on") {
					t.Errorf("<%s %s=%q>", e.name, name, value)
				}
			}
			loaded := e.attr["src"]
			if e.name == "link" {
				loaded = e.attr["href"]
			}
			if loaded != "" && !strings.HasPrefix(loaded, "/static/") {
				t.Errorf("<%s> loads %q, which is not ours", e.name, loaded)
			}
			if e.attr["target"] == "_blank" && !strings.Contains(e.attr["rel"], "noopener") {
				t.Errorf("link to %q gives the new window a hold on ours", e.attr["href"])
			}
		}
	})
}

func TestEveryFormThatChangesSomethingCarriesTheToken(t *testing.T) {
	eachStory(t, func(t *testing.T, all []*element) {
		for _, e := range all {
			if e.name == "form" && e.attr["method"] == "post" && !e.csrf {
				t.Errorf("form to %s has no csrf field", e.attr["action"])
			}
			if e.name == "form" && e.attr["method"] != "post" && e.attr["method"] != "get" {
				t.Errorf("form to %s does not say its method", e.attr["action"])
			}
		}
	})
}

func TestEveryControlHasAName(t *testing.T) {
	eachStory(t, func(t *testing.T, all []*element) {
		labelled := map[string]bool{}
		for _, e := range all {
			if e.name == "label" && strings.TrimSpace(e.text) != "" {
				labelled[e.attr["for"]] = true
			}
		}
		for _, e := range all {
			switch {
			case slices.Contains([]string{"select", "textarea"}, e.name), e.name == "input" && e.attr["type"] != "hidden":
				if !labelled[e.attr["id"]] {
					t.Errorf("<%s id=%q> has no label", e.name, e.attr["id"])
				}
			case e.name == "button", e.name == "a" && e.attr["href"] != "":
				if strings.TrimSpace(e.text) == "" && e.attr["aria-label"] == "" && !slices.Contains(e.within, "template") && e.attr["data-slot-href"] == "" {
					t.Errorf("<%s %v> says nothing", e.name, e.attr)
				}
			}
		}
	})
}

func TestIDsAreUniqueAndReferencesLead(t *testing.T) {
	eachStory(t, func(t *testing.T, all []*element) {
		ids := map[string]bool{}
		for _, e := range all {
			id := e.attr["id"]
			if id != "" && ids[id] {
				t.Errorf("id %q stands twice", id)
			}
			ids[id] = true
		}
		for _, e := range all {
			for _, name := range []string{"aria-describedby", "aria-labelledby", "aria-controls", "for", "data-copy", "data-reveal"} {
				for _, id := range strings.Fields(e.attr[name]) {
					if !ids[id] {
						t.Errorf("<%s %s=%q> leads nowhere", e.name, name, id)
					}
				}
			}
			if at, ok := strings.CutPrefix(e.attr["href"], "#"); ok && at != "" && !ids[at] {
				t.Errorf("link to #%s leads nowhere", at)
			}
		}
	})
}

func TestPagesHaveOneHeadingALanguageAndATitle(t *testing.T) {
	eachStory(t, func(t *testing.T, all []*element) {
		headings, title := 0, ""
		for _, e := range all {
			switch e.name {
			case "h1":
				headings++
			case "title":
				if !slices.Contains(e.within, "svg") {
					title = e.text
				}
			case "html":
				if e.attr["lang"] == "" || e.attr["dir"] == "" {
					t.Error("the page does not say its language and direction")
				}
			}
		}
		if headings != 1 {
			t.Errorf("%d h1, want 1", headings)
		}
		if strings.TrimSpace(title) == "" {
			t.Error("no title")
		}
	})
}

func TestSecretFieldsNeverShowTheirValue(t *testing.T) {
	u := newUI(t)
	for _, field := range []Field{
		{Name: "a", Label: "A", Type: "password", Secret: true, Value: "CANARY"},
		{Name: "b", Label: "B", Type: "textarea", Secret: true, Value: "CANARY"},
		{Name: "c", Label: "C", Secret: true, Value: "CANARY"},
		{Name: "d", Label: "D", Type: "select", Secret: true, Value: "CANARY"},
		{Name: "e", Label: "E", Type: "password", Value: "CANARY"},
	} {
		page := ConnectPage{Dialog: storyDialog(), Tile: zendesk, Methods: []Method{{ID: "m", Fields: []Field{field}}}, Method: "m"}
		if html := render(t, u, page); strings.Contains(html, "CANARY") {
			t.Errorf("field %+v shows its value", field)
		}
	}
}
