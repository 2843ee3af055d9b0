// Package ui draws the pages of Dowel: the Connect dialog an end user sees and the console an
// operator uses. A page is a struct; Render turns it into HTML through templates that are parsed once.
//
// The package knows no HTTP, no records and no rules: engine/web fills the structs, sends what Render
// writes, and sets the headers (the pages need no inline script, no inline style and nothing from a
// third party, so the strictest content security policy fits). All words come from one file per
// language in texts/. It imports the standard library only.
package ui

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
)

//go:embed templates static texts icons
var files embed.FS

// Page is one page with everything it shows. The set is closed; see Stories for one of each.
type Page interface {
	// page names the template in templates/pages.
	page() string
	// layout names the template in templates that the page stands in.
	layout() string
}

// UI holds the parsed templates, the texts and the static files. It is safe for concurrent use.
type UI struct {
	pages  map[string]*template.Template
	texts  texts
	assets assets
}

// New parses every template and text. It fails when a page has no template, a template does not
// parse, or a template asks for a text that does not exist.
func New() (*UI, error) {
	t, err := readTexts("texts/en.json")
	if err != nil {
		return nil, err
	}
	a, err := readAssets()
	if err != nil {
		return nil, err
	}
	icons, err := readIcons()
	if err != nil {
		return nil, err
	}
	u := &UI{pages: map[string]*template.Template{}, texts: t, assets: a}
	base := template.New("").Option("missingkey=error").Funcs(functions(u, icons))
	base, err = base.ParseFS(files, "templates/*.html", "templates/partials/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse the shared templates: %w", err)
	}
	for _, p := range everyPage() {
		if err := u.parse(base, p); err != nil {
			return nil, err
		}
	}
	return u, nil
}

func (u *UI) parse(base *template.Template, p Page) error {
	own, err := base.Clone()
	if err != nil {
		return fmt.Errorf("copy the shared templates: %w", err)
	}
	file := path.Join("templates/pages", p.page()+".html")
	if own, err = own.ParseFS(files, file); err != nil {
		return fmt.Errorf("parse %s: %w", file, err)
	}
	for _, name := range []string{p.layout(), "title", "content"} {
		if own.Lookup(name) == nil {
			return fmt.Errorf("%s: template %q is missing", file, name)
		}
	}
	for _, tree := range own.Templates() {
		if err := u.texts.used(tree.Tree); err != nil {
			return fmt.Errorf("%s: template %q: %w", file, tree.Name(), err)
		}
	}
	u.pages[p.page()] = own
	return nil
}

// Render writes p to w as a whole HTML document. It writes nothing when p cannot be rendered.
func (u *UI) Render(w io.Writer, p Page) error {
	t, ok := u.pages[p.page()]
	if !ok {
		return fmt.Errorf("page %q is not known", p.page())
	}
	var buf bytes.Buffer
	if err := t.ExecuteTemplate(&buf, p.layout(), p); err != nil {
		return fmt.Errorf("render %s: %w", p.page(), err)
	}
	_, err := buf.WriteTo(w)
	return err
}

// Static serves the files behind Asset: each under its name with a hash of its content in it, so that
// an answer may be cached for ever.
func (u *UI) Static() fs.FS { return u.assets }

// Asset returns the address of a static file, such as /static/connect.1f0c….js. It panics for a name
// that does not exist, which New has ruled out for the templates.
func (u *UI) Asset(name string) string {
	hashed, ok := u.assets.byName[name]
	if !ok {
		panic("ui: no static file " + name)
	}
	return "/static/" + hashed
}
