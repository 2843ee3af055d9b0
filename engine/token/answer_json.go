package token

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// appendJSON writes a as encoding/json would, but for a fraction of its time: an answer is two copies of
// a long token and little else, and is made on every read that memory cannot answer.
func (a *answer) appendJSON(b []byte) []byte {
	b = slices.Grow(b, a.room())
	b = text(append(b, `{"connection":`...), a.Connection)
	b = text(append(b, `,"connector":`...), a.Connector)
	b = text(append(b, `,"kind":`...), a.Kind)
	b = strconv.AppendInt(append(b, `,"version":`...), a.Version, 10)
	b = text(append(b, `,"access_token":`...), a.AccessToken)
	if a.TokenType != "" {
		b = text(append(b, `,"token_type":`...), a.TokenType)
	}
	b = moment(append(b, `,"expires_at":`...), a.ExpiresAt)
	b = texts(append(b, `,"scopes":`...), a.Scopes)
	if len(a.Tokens) > 0 {
		b = members(append(b, `,"tokens":`...), a.Tokens)
	}
	if len(a.Captured) > 0 {
		b = members(append(b, `,"captured":`...), a.Captured)
	}
	b = append(b, `,"request":{`...)
	if a.Request.BaseURL != "" {
		b = append(text(append(b, `"base_url":`...), a.Request.BaseURL), ',')
	}
	b = members(append(b, `"headers":`...), a.Request.Headers)
	b = members(append(b, `,"query":`...), a.Request.Query)
	if len(a.Request.Body) > 0 {
		b = members(append(b, `,"body":`...), a.Request.Body)
	}
	if a.Request.Signed {
		b = append(b, `,"signed":true`...)
	}
	b = append(b, '}')
	if a.Warning != "" {
		b = text(append(b, `,"warning":`...), a.Warning)
	}
	return append(b, '}')
}

// room is how long the answer will be, or a little less than that where much has to be escaped.
func (a *answer) room() int {
	const names, quotes = 256, 6 // what stands there always, and around a member of a list or mapping
	n := names + len(a.Connection) + len(a.Connector) + len(a.Kind) + len(a.AccessToken) + len(a.TokenType) + len(a.Request.BaseURL) + len(a.Warning)
	for _, s := range a.Scopes {
		n += quotes + len(s)
	}
	for _, m := range [...]map[string]string{a.Tokens, a.Captured, a.Request.Headers, a.Request.Query, a.Request.Body} {
		for name, v := range m {
			n += quotes + len(name) + len(v)
		}
	}
	return n
}

// text appends s as a JSON string; what needs escaping is left to encoding/json.
func text(b []byte, s string) []byte {
	if plain(s) {
		return append(append(append(b, '"'), s...), '"')
	}
	quoted, _ := json.Marshal(s) // a string always encodes
	return append(b, quoted...)
}

// plain reports whether every character of s stands for itself in a JSON string that may end up in a
// page. It looks at 32 characters at a time.
func plain(s string) bool {
	for _, c := range [...]byte{'"', '\\', '&', '<', '>'} {
		if strings.IndexByte(s, c) >= 0 {
			return false
		}
	}
	for ; len(s) >= 32; s = s[32:] {
		if odd(s)|odd(s[8:])|odd(s[16:])|odd(s[24:]) != 0 {
			return false
		}
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// odd is zero if none of the first eight characters of s is below the space or from 128 on.
func odd(s string) uint64 {
	_ = s[7]
	w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	return (w | (w - ones*' ')) & tops
}

func moment(b []byte, t *time.Time) []byte {
	if t == nil {
		return append(b, "null"...)
	}
	return append(t.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

func texts(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = text(b, s)
	}
	return append(b, ']')
}

// members appends m as an object, its names in order.
func members(b []byte, m map[string]string) []byte {
	if len(m) == 0 {
		return append(b, "{}"...)
	}
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = text(append(text(b, name), ':'), m[name])
	}
	return append(b, '}')
}
