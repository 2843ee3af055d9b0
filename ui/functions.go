package ui

import (
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// functions are what templates may call besides the fields of their page.
func functions(u *UI, icons map[string]template.HTML) template.FuncMap {
	funcs := template.FuncMap{
		"t":     u.texts.text,
		"tn":    u.texts.count,
		"word":  u.texts.or,
		"asset": u.Asset,
		"icon": func(name string) (template.HTML, error) {
			svg, ok := icons[name]
			if !ok {
				return "", fmt.Errorf("icon %q is missing", name)
			}
			return svg, nil
		},
		"monogram": monogramOf,
		"field":    newFieldView,
		"fields":   newFieldViews,
		"problems": problems,
		"failure": func(p ResultPage) FailureText {
			return u.Failure(*p.Failed, p.Tile.Name, p.Tenant.Name)
		},
		"failed":      u.Failure,
		"resultTitle": u.resultTitle,
		"warnings":    u.warnings,
		"status":      u.statusView,
		"event":       u.eventView,
		"kind":        func(k string) string { return u.texts.or("kind."+k, titled(k)) },
		"category":    u.category,
		"group":       u.group,
		"find":        func(p Page, s Search) found { return u.find(s, entries(p)) },
		"ago":         u.ago,
		"until":       u.until,
		"left":        u.left,
		"moment":      moment,
		"iso":         func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"source":      sourceLines,
		"slots":       slots,
		"purpose":     u.purposeOf,
		"join":        strings.Join,
		"inc":         func(i int) int { return i + 1 },
		"missing":     missing,
		"has":         slices.Contains[[]string],
		"percent":     percent,
		"fits":        func(p Page, section string) bool { return section == sectionOf(p) },
		"address":     address,
	}
	maps.Copy(funcs, views())
	return funcs
}

// sectionOf says which entry of the console's navigation p belongs to.
func sectionOf(p Page) string {
	switch p.(type) {
	case HomePage:
		return "home"
	case ConnectorsPage, ConnectorPage, ConnectorRequestsPage, ConnectorDefinitionPage:
		return "connectors"
	case ConnectionsPage, ConnectionPage, DisconnectPage:
		return "connections"
	case APIKeysPage, APIKeyCreatedPage:
		return "api_keys"
	case EventsPage:
		return "events"
	default:
		return ""
	}
}

// address shows a web address to a person: without its scheme.
func address(s string) string { return strings.TrimPrefix(s, "https://") }

// missing returns what of want is not in got.
func missing(want, got []string) []string {
	var out []string
	for _, s := range want {
		if !slices.Contains(got, s) {
			out = append(out, s)
		}
	}
	return out
}

// percent says how many of all were good, rounded down so that 100 % means all.
func percent(good, bad int) string {
	if good+bad == 0 {
		return "–"
	}
	return strconv.Itoa(good*100/(good+bad)) + " %"
}

func orElse(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// statusText writes an HTTP status as people look it up.
func statusText(code int) string {
	if code == 0 {
		return ""
	}
	return strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
}

func clock(t time.Time) time.Time {
	if t.IsZero() {
		return time.Now()
	}
	return t
}

// moment writes t so that nobody has to ask which day or zone is meant.
func moment(now, t time.Time) string {
	t, now = t.UTC(), now.UTC()
	switch {
	case t.Format(time.DateOnly) == now.Format(time.DateOnly):
		return t.Format("15:04 UTC")
	case t.Year() == now.Year():
		return t.Format("2 Jan 15:04 UTC")
	default:
		return t.Format("2 Jan 2006 15:04 UTC")
	}
}

// span counts d in the largest unit that fits.
func (u *UI) span(d time.Duration) string {
	key, n := "span.days", int(d/(24*time.Hour))
	switch {
	case d < time.Minute:
		key, n = "span.seconds", int(d/time.Second)
	case d < time.Hour:
		key, n = "span.minutes", int(d/time.Minute)
	case d < 48*time.Hour:
		key, n = "span.hours", int(d/time.Hour)
	}
	s, err := u.texts.count(key, n)
	if err != nil {
		return d.String()
	}
	return s
}

// ago says how long before now t was.
func (u *UI) ago(now, t time.Time) string {
	if t.IsZero() {
		return u.texts.or("never", "")
	}
	d := now.Sub(t)
	if d < 2*time.Second {
		return u.texts.or("just_now", "")
	}
	return strings.ReplaceAll(u.texts.or("ago", "{span}"), "{span}", u.span(d))
}

// left says how long it is from now to t.
func (u *UI) left(now, t time.Time) string {
	d := t.Sub(now)
	if d <= 0 {
		return u.texts.or("over", "")
	}
	return u.span(d)
}

// until says how long after now t is.
func (u *UI) until(now, t time.Time) string {
	d := t.Sub(now)
	if d <= 0 {
		return u.texts.or("now", "")
	}
	return strings.ReplaceAll(u.texts.or("in", "{span}"), "{span}", u.span(d))
}

// fieldView is a field with the ids its elements go by.
type fieldView struct {
	Field
	ID     string
	Posted string // its name in the form
}

// Described lists the ids of the texts that describe the control.
func (f fieldView) Described() string {
	var ids []string
	if f.Prefix != "" {
		ids = append(ids, f.ID+"-prefix")
	}
	if f.Suffix != "" {
		ids = append(ids, f.ID+"-suffix")
	}
	if f.Help != "" || f.Example != "" || f.HelpURL != "" {
		ids = append(ids, f.ID+"-help")
	}
	return strings.Join(append(ids, f.ID+"-error"), " ")
}

// WriteOnly reports whether the value is never put into a page.
func (f fieldView) WriteOnly() bool { return f.Secret || f.Type == "password" }

// Answered reports whether there is always an answer: a list that begins with one cannot be left empty.
func (f fieldView) Answered() bool { return f.Type == "select" && f.Value != "" }

// Input returns the type attribute of the control.
func (f fieldView) Input() string {
	if f.WriteOnly() {
		return "password"
	}
	return "text"
}

// Mode returns the inputmode attribute: which keyboard a phone shows.
func (f fieldView) Mode() string {
	switch f.Type {
	case "number":
		return "decimal"
	case "url", "host":
		return "url"
	default:
		return "text"
	}
}

func newFieldView(f Field, scope string) fieldView {
	return fieldView{Field: f, ID: "field-" + scope + "-" + f.Name, Posted: FieldPrefix + f.Name}
}

func newFieldViews(fs []Field, scope string) []fieldView {
	out := make([]fieldView, 0, len(fs))
	for _, f := range fs {
		out = append(out, newFieldView(f, scope))
	}
	return out
}

// problems returns the fields with an error, for the summary above the form.
func problems(groups ...[]fieldView) []fieldView {
	var out []fieldView
	for _, g := range groups {
		for _, f := range g {
			if f.Error != "" {
				out = append(out, f)
			}
		}
	}
	return out
}

// facts turns data into a list in a stable order.
func facts(data map[string]string) []Fact {
	out := make([]Fact, 0, len(data))
	for k, v := range data {
		out = append(out, Fact{Name: k, Value: v})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}
