package definition

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"dowel/engine/fault"
)

// Field is one question asked of a person.
type Field struct {
	Name     string   `yaml:"-"`
	At       Position `yaml:"-"`
	Label    string   `yaml:"label"`
	Type     string   `yaml:"type"` // text (default), password, number, url, host, select, textarea, boolean
	Required *bool    `yaml:"required"`
	Default  string   `yaml:"default"`
	Hidden   bool     `yaml:"hidden"`   // never shown; always the default
	Disabled bool     `yaml:"disabled"` // shown, not to be changed
	Help     string   `yaml:"help"`
	HelpURL  string   `yaml:"help_url"`
	Example  string   `yaml:"example"`
	Prefix   string   `yaml:"prefix"` // shown before, and cut off what is pasted
	Suffix   string   `yaml:"suffix"`
	Pattern  string   `yaml:"pattern"` // RE2; must match the whole value
	Format   string   `yaml:"format"`  // email, host, url, uuid, pem, key, json
	Options  []Option `yaml:"options"`
	Min      *float64 `yaml:"min"`
	Max      *float64 `yaml:"max"`
	// Private says that the address may lie in a private network.
	Private bool `yaml:"private"`
	// Told says that the callback answers and nobody is asked.
	Told bool `yaml:"-"`

	pattern *regexp.Regexp
}

// Option is one value of a select field.
type Option struct {
	Value string `yaml:"value"`
	Label string `yaml:"label"`
	// Values are what the option stands for in several places, by name.
	Values map[string]string `yaml:"values"`
}

// Fields is an ordered list of questions.
type Fields []Field

// Secret reports whether the answer is write-only: sealed at rest and never shown again.
func (f Field) Secret() bool {
	return f.Type == "password" || f.Type == "textarea" && slices.Contains(keyFormats, f.Format)
}

// keyFormats are the formats in which keys are given to people: one in a text area is secret.
var keyFormats = []string{"pem", "key", "json"}

// Must reports whether an answer is required: unless the definition says otherwise, a field without
// a default is.
func (f Field) Must() bool {
	if f.Required != nil {
		return *f.Required
	}
	return f.Default == ""
}

// Named returns the field with the given name.
func (fs Fields) Named(name string) (Field, bool) {
	i := slices.IndexFunc(fs, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return Field{}, false
	}
	return fs[i], true
}

// maxAnswer bounds one answer; long enough for a private key.
const maxAnswer = 16 << 10

// Answers checks what a person gave against the fields, by the same rules the form shows, and returns
// the cleaned values. Every complaint is returned, each naming its field; unknown names are refused.
func (fs Fields) Answers(given map[string]string) (map[string]string, []*fault.Error) {
	clean := make(map[string]string, len(fs))
	var bad []*fault.Error
	for _, f := range fs {
		v, err := f.answer(given[f.Name])
		if err != nil {
			bad = append(bad, err)
			continue
		}
		if v != "" {
			clean[f.Name] = v
		}
	}
	return clean, bad
}

func (f Field) answer(v string) (string, *fault.Error) {
	if f.Hidden || f.Disabled {
		if v != "" && v != f.Default {
			return "", fault.Field(f.Name, f.Label+" cannot be changed")
		}
		return f.Default, nil
	}
	return f.Accept(v)
}

// Accept checks one answer, whoever gives it, and returns it clean, or the default for an empty one.
func (f Field) Accept(v string) (string, *fault.Error) {
	v = f.Clean(v)
	if v == "" {
		if f.Default != "" {
			return f.Default, nil
		}
		if f.Must() {
			return "", fault.Field(f.Name, f.Label+" is required")
		}
		return "", nil
	}
	if why := f.check(v); why != "" {
		return "", fault.Field(f.Name, why)
	}
	return v, nil
}

// Clean takes off what people paste along: blanks around, a scheme, the shown prefix and suffix, a
// trailing slash. A pasted secret only loses the line break at its end.
func (f Field) Clean(v string) string {
	if f.Secret() || f.Type == "textarea" {
		return strings.Trim(v, "\r\n")
	}
	v = strings.TrimSpace(v)
	if f.Type == "host" || f.Format == "host" || f.Suffix != "" {
		v = strings.TrimPrefix(strings.TrimPrefix(v, "https://"), "http://")
		if f.Suffix != "" {
			if i := strings.Index(strings.ToLower(v), strings.ToLower(f.Suffix)); i >= 0 {
				v = v[:i]
			}
		}
		if i := strings.IndexAny(v, "/?#"); i >= 0 && !strings.Contains(f.Suffix, "/") {
			v = v[:i]
		}
	}
	v = strings.TrimPrefix(v, f.Prefix)
	if f.Type == "url" || f.Format == "url" {
		v = strings.TrimRight(v, "/")
	}
	return v
}

func (f Field) check(v string) string {
	if len(v) > maxAnswer {
		return fmt.Sprintf("%s is longer than %d characters", f.Label, maxAnswer)
	}
	if strings.ContainsFunc(v, func(r rune) bool {
		return r < ' ' && (f.Type != "textarea" || r != '\n' && r != '\r' && r != '\t') || r == 0x7f
	}) {
		return f.Label + " contains a control character"
	}
	if why := f.checkType(v); why != "" {
		return why
	}
	if f.pattern != nil && !f.pattern.MatchString(v) {
		if f.Example != "" {
			return fmt.Sprintf("%s does not look right; an example: %s", f.Label, f.Example)
		}
		return fmt.Sprintf("%s does not look right; it must match %s", f.Label, f.Pattern)
	}
	return ""
}

var (
	hostForm = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(:[0-9]{1,5})?$`)
	uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

func (f Field) checkType(v string) string {
	kind := f.Type
	if f.Format != "" {
		kind = f.Format
	}
	switch kind {
	case "number":
		return f.checkNumber(v)
	case "boolean":
		if v != "true" && v != "false" {
			return f.Label + " must be true or false"
		}
	case "select":
		if !slices.ContainsFunc(f.Options, func(o Option) bool { return o.Value == v }) {
			return f.Label + " must be one of the options"
		}
	case "email":
		if a, err := mail.ParseAddress(v); err != nil || a.Address != v {
			return f.Label + " must be an e-mail address"
		}
	case "host":
		if !hostForm.MatchString(v) {
			return f.Label + " must be a host name such as example.com"
		}
	case "uuid":
		if !uuidForm.MatchString(v) {
			return f.Label + " must be a UUID"
		}
	case "url":
		u, err := url.Parse(v)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" || u.RawQuery != "" {
			return f.Label + " must be an address that begins with https://"
		}
	case "pem", "key", "json":
		return f.checkKey(v)
	}
	return ""
}

// checkKey looks at what is given as a key. Whether it fits what is signed with it is found out by
// signing.
func (f Field) checkKey(v string) string {
	block, _ := pem.Decode([]byte(lines(v)))
	var object map[string]any
	isObject := json.Unmarshal([]byte(v), &object) == nil
	switch {
	case f.Format == "pem" && block == nil:
		return f.Label + " must be in PEM form: it begins with -----BEGIN and ends with -----END and a name, each on a line of its own"
	case f.Format == "json" && !isObject:
		return f.Label + " must be a JSON object; paste the whole file"
	case f.Format == "key" && block == nil && object["kty"] == nil && !strings.Contains(v, "-----BEGIN"):
		return f.Label + " must be a private key in PEM form, which begins with -----BEGIN, or a JWK (a JSON object with kty)"
	case f.Format == "key" && !isObject:
		if _, err := PrivateKey(v); err != nil {
			return f.Label + " " + err.Error()
		}
	}
	return ""
}

// lines undoes what copying a PEM text out of a JSON file does to its line breaks.
func lines(s string) string { return strings.ReplaceAll(s, `\n`, "\n") }

func (f Field) checkNumber(v string) string {
	n, err := strconv.ParseFloat(v, 64)
	switch {
	case err != nil:
		return f.Label + " must be a number"
	case f.Min != nil && n < *f.Min:
		return fmt.Sprintf("%s must be at least %v", f.Label, *f.Min)
	case f.Max != nil && n > *f.Max:
		return fmt.Sprintf("%s must be at most %v", f.Label, *f.Max)
	}
	return ""
}
