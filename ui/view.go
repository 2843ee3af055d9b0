package ui

import (
	"slices"
	"time"
)

// The types below are what shared templates take: a template takes one value, and a struct says what
// is in it.

type quoteView struct{ Words, By string }

type stampView struct{ Now, At time.Time }

type rowsView struct {
	Now  time.Time
	Rows []ConnectionRow
}

type rowView struct {
	Now time.Time
	Row ConnectionRow
}

type entryView struct {
	Now     time.Time
	Event   Event
	Subject bool // say what it is about
}

// tabsView is the row of a connector's pages; Here is overview, requests or definition.
type tabsView struct {
	Head ConnectorHead
	Here string
}

type outwardView struct{ URL, Label string }

type snippetView struct{ ID, Text string }

// entryField is one field of a form of the console.
type entryField struct {
	ID, Name, Label, Value, Help, Error string
	Secret                              bool
}

func typed(id, name, label, value, help string, errors map[string]string) entryField {
	return entryField{ID: id, Name: name, Label: label, Value: value, Help: help, Error: errors[name]}
}

func hidden(id, name, label, help string, errors map[string]string) entryField {
	return entryField{ID: id, Name: name, Label: label, Help: help, Error: errors[name], Secret: true}
}

// called is the name a person knows a connection by, and what they type to end it.
func called(r ConnectionRow) string { return r.Called() }

// Called returns the name a person knows the connection by: its own, the account's, or its id. It is
// what DisconnectPage asks to be typed.
func (r ConnectionRow) Called() string { return orElse(r.Name, orElse(r.Account, r.ID)) }

// First reports whether there is nothing yet, so that the page should teach.
func (p HomePage) First() bool { return p.Active+p.NeedsReauth+p.Disabled+p.Revoked == 0 }

// wrongFields returns the fields of the chosen method that have an error.
func wrongFields(p ConnectPage) []fieldView {
	out := problems(newFieldViews(p.Inputs, "input"))
	for _, m := range p.Methods {
		if m.ID == p.Method {
			out = append(out, problems(newFieldViews(m.Fields, m.ID))...)
		}
	}
	return out
}

// views are the template functions that make the types above.
func views() map[string]any {
	return map[string]any{
		"words":     func(words, by string) quoteView { return quoteView{Words: words, By: by} },
		"stamp":     func(now, at time.Time) stampView { return stampView{Now: now, At: at} },
		"rows":      func(now time.Time, rows []ConnectionRow) rowsView { return rowsView{Now: now, Rows: rows} },
		"rowAt":     func(now time.Time, r ConnectionRow) rowView { return rowView{Now: now, Row: r} },
		"entry":     func(now time.Time, e Event, subject bool) entryView { return entryView{now, e, subject} },
		"outward":   func(url, label string) outwardView { return outwardView{URL: url, Label: label} },
		"snippet":   func(id, text string) snippetView { return snippetView{ID: id, Text: text} },
		"typed":     typed,
		"hidden":    hidden,
		"called":    called,
		"wrong":     wrongFields,
		"tabs":      func(head ConnectorHead, here string) tabsView { return tabsView{head, here} },
		"sorts":     func() []string { return sorts },
		"statuses":  func() []string { return []string{"active", "needs_reauth", "disabled", "revoked"} },
		"lifetimes": func() []string { return []string{"30", "90", "365", ""} },
	}
}

// Known returns the page's code, or that of a server error when it is none we have words for.
func (p ErrorPage) Known() string {
	if slices.Contains([]string{"not-found", "forbidden", "bad-request"}, p.Code) {
		return p.Code
	}
	return "server-error"
}
