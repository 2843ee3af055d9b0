package web

import (
	"mime"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/ui"
)

// form is a posted form. A name that comes twice is refused where it is read: which of the two counts
// must not be a matter of taste.
type form struct{ values url.Values }

// posted reads the form of a request.
func posted(c *fiber.Ctx) (form, error) {
	t, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil {
		return form{}, fiber.ErrUnsupportedMediaType
	}
	switch t {
	case fiber.MIMEApplicationForm:
		v, err := url.ParseQuery(string(c.Body()))
		if err != nil {
			return form{}, fault.E(fault.Invalid, "the form cannot be read", err)
		}
		return form{v}, nil
	case fiber.MIMEMultipartForm: // what a script's FormData is sent as
		m, err := c.MultipartForm()
		if err != nil || len(m.File) > 0 {
			return form{}, fault.E(fault.Invalid, "the form cannot be read", err)
		}
		return form{m.Value}, nil
	}
	return form{}, fiber.ErrUnsupportedMediaType
}

// one returns the value of a name that may come once.
func (f form) one(name string) (string, error) {
	v := f.values[name]
	if len(v) > 1 {
		return "", twice(name)
	}
	if len(v) == 0 {
		return "", nil
	}
	return v[0], nil
}

// all returns the values of several names that may come once each.
func (f form) all(names ...string) ([]string, error) {
	out := make([]string, 0, len(names))
	for _, n := range names {
		v, err := f.one(n)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func twice(name string) error {
	if len(name) > 40 {
		name = name[:40]
	}
	return fault.E(fault.Invalid, "the form contains "+strings.ToValidUTF8(name, "")+" twice", nil).WithCode("form-ambiguous")
}

// answers returns what was typed into the connector's fields. A box that is not ticked is not in a
// posted form; it is an answer all the same.
func (f form) answers(k *definition.Connector, a *definition.Auth) (map[string]string, error) {
	out := map[string]string{}
	for posted := range f.values {
		name, ok := strings.CutPrefix(posted, ui.FieldPrefix)
		if !ok {
			continue
		}
		v, err := f.one(posted)
		if err != nil {
			return nil, err
		}
		if !asked(k.Inputs, name) && !asked(a.Fields, name) {
			return nil, fault.E(fault.Invalid, "the form has a field that nobody asked for", nil)
		}
		out[name] = v
	}
	for _, fs := range []definition.Fields{k.Inputs, a.Fields} {
		for _, d := range fs {
			if _, ticked := out[d.Name]; !ticked && d.Type == "boolean" && !d.Hidden && !d.Disabled {
				out[d.Name] = "false"
			}
		}
	}
	return out, nil
}

// appAnswers returns what was typed into the questions about an app.
func (f form) appAnswers(questions definition.Fields) (map[string]*string, error) {
	out := map[string]*string{}
	for _, d := range questions {
		v, err := f.one(ui.FieldPrefix + d.Name)
		if err != nil {
			return nil, err
		}
		if d.Type == "boolean" && v == "" {
			v = "false"
		}
		if !d.Hidden && !d.Disabled {
			out[d.Name] = &v
		}
	}
	return out, nil
}

// asked reports whether a person sees a field of this name.
func asked(fs definition.Fields, name string) bool {
	d, ok := fs.Named(name)
	return ok && !d.Hidden
}
