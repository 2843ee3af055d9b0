package ui

import (
	"strings"
	"time"
)

// soon is how long before its end a connection that nothing renews is said to be expiring soon.
const soon = 7 * 24 * time.Hour

// statusView is a connection's status with its health, in words, never by colour alone.
type statusView struct {
	Code  string // of the status
	Label string
	Tone  string // good, warn, bad or quiet: a class in the style sheet
	Icon  string
	Hints []hint
	Line  string // one sentence: why it is so, or what comes next
}

// hint is one remark about the health of a connection that works.
type hint struct{ Code, Label, Tone, Icon string }

// statusView says how the connection r does at now.
func (u *UI) statusView(r ConnectionRow, now time.Time) statusView {
	v := statusView{Code: r.Status, Label: u.texts.or("status."+r.Status, r.Status), Tone: "quiet", Icon: "clock"}
	switch r.Status {
	case "active":
		v.Tone, v.Icon = "good", "check"
		v.Hints = u.hints(r, now)
	case "needs_reauth":
		v.Tone, v.Icon = "bad", "alert"
	case "disabled":
		v.Icon = "pause"
	case "revoked":
		v.Icon = "unlink"
	}
	v.Line = u.statusLine(r, now)
	return v
}

func (u *UI) hints(r ConnectionRow, now time.Time) []hint {
	var out []hint
	add := func(code, tone, icon string) {
		out = append(out, hint{Code: code, Label: u.texts.or("hint."+code, code), Tone: tone, Icon: icon})
	}
	if r.Failures > 0 {
		add("failing", "warn", "alert")
	}
	if end := endOf(r); !end.IsZero() && end.Sub(now) < soon {
		add("expiring_soon", "warn", "hourglass")
	}
	if r.Unverified {
		add("unverified", "warn", "question")
	}
	return out
}

// endOf returns when the connection will end unless a person does something; zero: not foreseeable.
func endOf(r ConnectionRow) time.Time {
	if r.Renews {
		return r.EndsAt
	}
	return r.ExpiresAt
}

func (u *UI) statusLine(r ConnectionRow, now time.Time) string {
	say := func(key string, pairs ...any) string {
		s, err := u.texts.text(key, append(pairs, "connector", r.Tile.Name)...)
		if err != nil {
			return ""
		}
		return s
	}
	switch {
	case r.Status == "needs_reauth":
		if s := say("reason." + r.Reason); s != "" {
			return s
		}
		return say("reason.other", "reason", strings.ReplaceAll(r.Reason, "_", " "))
	case r.Status != "active":
		return say("line." + r.Status)
	case r.Failures > 0:
		return say("line.failing", "error", orElse(r.LastError, u.texts.or("no_words", "")))
	case r.ExpiresAt.IsZero():
		return say("line.no_expiry")
	case r.ExpiresAt.Before(now) && r.Renews:
		return say("line.renewing")
	case r.Renews:
		return say("line.renews", "in", u.until(now, r.ExpiresAt))
	default:
		return say("line.ends", "in", u.until(now, r.ExpiresAt))
	}
}

// eventView is an event as drawn.
type eventView struct {
	Title, Tone, Icon string
	By                string // who did it
	Facts             []Fact
	Quote             string // the provider's words
}

// actor says who did something: people and keys by their own name, all instances of ours by one.
func (u *UI) actor(who string) string {
	kind, name, _ := strings.Cut(who, ":")
	switch kind {
	case "engine":
		return u.texts.or("product", kind)
	case "end_user", "operator", "workload":
		return orElse(name, kind)
	}
	return who
}

// quoted is the name in an event's data that holds what went wrong, in the provider's words as well.
const quoted = "error"

func (u *UI) eventView(e Event, now time.Time) eventView {
	v := eventView{Title: u.texts.or("event."+e.Kind, e.Kind), Tone: "quiet", Icon: "dot", By: u.actor(e.Actor)}
	switch e.Kind {
	case "connection.created", "connection.reconnected", "connection.enabled":
		v.Tone, v.Icon = "good", "link"
	case "credential.refreshed":
		v.Tone, v.Icon = "good", "refresh"
	case "credential.refresh_failed", "callback.refused", "flow.failed":
		v.Tone, v.Icon = "warn", "alert"
	case "connection.needs_reauth", "app.refused":
		v.Tone, v.Icon = "bad", "alert"
	case "connection.revoked", "connection.deleted", "credential.revoked_at_provider":
		v.Icon = "unlink"
	case "connection.disabled":
		v.Icon = "pause"
	case "connection.tested":
		v.Icon = "check"
	case "token.read", "api_key.created", "api_key.revoked":
		v.Icon = "key"
	}
	for _, f := range facts(e.Data) {
		if f.Name == quoted {
			v.Quote = f.Value
			continue
		}
		if f.Value == "" {
			continue
		}
		if at, err := time.Parse(time.RFC3339, f.Value); err == nil {
			f.Value = moment(now, at)
		}
		f.Name = u.texts.or("fact."+f.Name, strings.ReplaceAll(f.Name, "_", " "))
		v.Facts = append(v.Facts, f)
	}
	return v
}
