package definition

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAFormulaThatMayNotEndOrFillTheMemoryIsRefused(t *testing.T) {
	doubling := "let a0 = response.text; "
	for i := range 30 {
		doubling += fmt.Sprintf("let a%d = a%d + a%d; ", i+1, i, i)
	}
	for name, source := range map[string]string{
		"a text doubled thirty times": doubling + "a30",
		"escapes of escapes":          strings.Repeat("toJSON(", 40) + "response.text" + strings.Repeat(")", 40),
		"escapes for a query":         strings.Repeat("urlencode(", 40) + "response.text" + strings.Repeat(")", 40),
		"a loop in a loop":            "all(response.body, any(response.body, # == 1))",
		"a range":                     "len(1..1000000)",
		"a long text for each letter": `replace(response.text, "", "` + strings.Repeat("x", 500) + `")`,
		"an answer for each letter":   `replace(response.text, "", response.text)`,
		"an answer between items":     `join(response.body, response.text)`,
		"a long text for each item":   `join(map(response.body, "` + strings.Repeat("x", 7000) + `"))`,
		"a digest for each entry":     `map(response.body, sha256(response.text))`,
		"a digest by another name":    `let all = response.text; map(response.body, md5(all))`,
		"hex of hex":                  strings.Repeat("hex(", 40) + "response.text" + strings.Repeat(")", 40),
		"a pattern from the answer":   `response.text matches response.body.pattern`,
	} {
		f := newFormulas().compile(source, inIdentity)
		if f.fault == nil || f.fault.rule != "formula-cost" {
			t.Errorf("%s: %+v", name, f.fault)
		}
	}
}

func TestWhatIsAllowedEndsSoon(t *testing.T) {
	list := make([]any, 200_000) // a megabyte of JSON
	for i := range list {
		list[i] = map[string]any{"id": float64(i), "name": "x"}
	}
	env := Env{"response": map[string]any{"body": list, "text": strings.Repeat(`"`, 1<<20)}, "inputs": map[string]any{}}
	for _, source := range []string{
		"find(response.body, .id == 199999).name",
		"len(filter(response.body, .name == 'y'))",
		"join(map(response.body, .name), ', ')",
		"toJSON(toJSON(response.text))",
		"replace(response.text, '\"', 'quote')",
		"let x = response.text + response.text; x + x",
		"let n = inputs.name; map(response.body, before_first(.name, n ?? 'x'))",
	} {
		f := newFormulas().compile(source, inIdentity)
		if f.fault != nil {
			t.Errorf("%s: %+v", source, f.fault)
			continue
		}
		start := processTime(t)
		e := Expression{Source: source, program: f.program}
		v, err := e.Eval(env)
		if took := processTime(t) - start; took > 2*time.Second*slowdown {
			t.Errorf("%s took %v", source, took)
		}
		if len(Text(v)) > 100<<20 {
			t.Errorf("%s yields %d bytes, %v", source, len(Text(v)), err)
		}
	}
}

// processTime is the processor time that this process has used: what else the machine does is not in it.
func processTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
