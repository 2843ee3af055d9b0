package definition

// Confirmation is a request that shows that what a callback tells is true: that an installation belongs
// to the person who brings its number, say. Its answer is steps.<id> for those after it.
type Confirmation struct {
	ID      string   `yaml:"id"`
	Request *Request `yaml:"request"`
}

// confirm compiles the confirmations of a.
func (k *compiler) confirm(a *Auth) {
	for _, c := range a.Callback.Confirm {
		k.request(c.Request, inConfirm, "none")
	}
}

// ConfirmReads reports whether something that confirms a callback reads a name of root.
func (a *Auth) ConfirmReads(root, name string) bool {
	reads := false
	for _, c := range a.Callback.Confirm {
		c.Request.EachFormula(func(e *Expression) { reads = reads || e.Reads(root, name) })
	}
	return reads
}

// ConfirmedNames lists the parameters of the callback that its confirmations look at, themselves or as a
// field that the callback answers.
func (a *Auth) ConfirmedNames() []string {
	var out []string
	for _, name := range a.CallbackNames() {
		looked := a.ConfirmReads("callback.query", name)
		for i := range a.Callback.Fields {
			f := &a.Callback.Fields[i]
			looked = looked || f.Value.Reads("callback.query", name) && a.ConfirmReads("fields", f.Name)
		}
		if looked {
			out = append(out, name)
		}
	}
	return out
}

// EachFormula calls f for every formula of r: of what is sent, and of what is made of the answer.
func (r *Request) EachFormula(f func(*Expression)) {
	text := func(t *Template) {
		if t == nil {
			return
		}
		for _, p := range t.parts {
			if p.expr != nil {
				f(p.expr)
			}
		}
	}
	text(&r.URL)
	for _, ps := range []Params{r.Query, r.Headers, r.Form} {
		for i := range ps {
			text(&ps[i].Value)
		}
	}
	if r.JSON != nil {
		r.JSON.templates(text)
	}
	text(r.XML)
	text(r.Raw)
	for _, e := range []*Expression{r.Success, r.Error, r.ErrorDescription} {
		if e != nil {
			f(e)
		}
	}
	for i := range r.Capture {
		f(&r.Capture[i].Value)
	}
}
