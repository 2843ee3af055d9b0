package definition

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"dowel/schemas"
)

// Checker reads and checks definitions. It is immutable and safe for concurrent use.
type Checker struct{ schema *schema }

// NewChecker returns a checker with the connector schema that fsys holds.
func NewChecker(fsys fs.FS) (*Checker, error) {
	s, err := newSchema(fsys)
	if err != nil {
		return nil, err
	}
	return &Checker{schema: s}, nil
}

// builtin is the checker with the schema that comes with the binary; compiled once, never changed.
var builtin = sync.OnceValue(func() *Checker {
	c, err := NewChecker(schemas.FS)
	if err != nil {
		panic("the schema that comes with the binary cannot be used: " + err.Error())
	}
	return c
})

// Parse is Checker.Parse with the schema that comes with the binary.
func Parse(file string, source []byte, parents ...Parents) (*Connector, []Finding) {
	return builtin().Parse(file, source, parents...)
}

// Load is Checker.Load with the schema that comes with the binary.
func Load(fsys fs.FS, parents ...Parents) (*Catalog, []Finding, error) {
	return builtin().Load(fsys, parents...)
}

// Lint is Checker.Lint with the schema that comes with the binary.
func Lint(fsys fs.FS, parents ...Parents) ([]Finding, error) { return builtin().Lint(fsys, parents...) }

// Parse reads, checks and compiles one definition and returns all findings, warnings too. With an
// error among them the connector is nil. What it extends is looked for in the parents, in this order.
func (ch *Checker) Parse(file string, source []byte, parents ...Parents) (*Connector, []Finding) {
	return ch.parse(file, source, newFormulas(), LevelWarning, parents)
}

// Load reads every *.yaml, *.yml and *.json file at the top of fsys. A definition with an error is
// left out and the findings say why; the others are served. Warnings are for authors and are not
// looked for, see Lint. What they extend is looked for in fsys, then in the parents.
func (ch *Checker) Load(fsys fs.FS, parents ...Parents) (*Catalog, []Finding, error) {
	loaded, findings, err := ch.each(fsys, LevelError, parents)
	if err != nil {
		return nil, nil, err
	}
	return NewCatalog(loaded), findings, nil
}

// Lint returns all findings about the definitions at the top of fsys, warnings too.
func (ch *Checker) Lint(fsys fs.FS, parents ...Parents) ([]Finding, error) {
	_, findings, err := ch.each(fsys, LevelWarning, parents)
	return findings, err
}

// each parses the definitions of a directory, as many at once as there are processors.
func (ch *Checker) each(fsys fs.FS, level Level, parents []Parents) ([]*Connector, []Finding, error) {
	files, err := definitionsIn(fsys)
	if err != nil {
		return nil, nil, fmt.Errorf("read connectors: %w", err)
	}
	parents = append([]Parents{In(fsys)}, parents...)
	connectors := make([]*Connector, len(files))
	findings := make([][]Finding, len(files))
	var group sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), len(files))
	for w := range workers {
		group.Go(func() {
			formulas := newFormulas()
			for i := w; i < len(files); i += workers {
				connectors[i], findings[i] = ch.file(fsys, files[i].Name(), formulas, level, parents)
			}
		})
	}
	group.Wait()
	return dropNil(connectors), slices.Concat(findings...), nil
}

// file parses one file; what goes wrong with it is a finding, so that the others are served.
func (ch *Checker) file(fsys fs.FS, name string, formulas *formulas, level Level, parents []Parents) (*Connector, []Finding) {
	source, err := readFile(fsys, name)
	if err != nil {
		return nil, []Finding{{File: name, Line: 1, Col: 1, Level: LevelError, Rule: "file", Message: err.Error()}}
	}
	return ch.parse(name, source, formulas, level, parents)
}

// parse looks for findings of the given level and worse.
func (ch *Checker) parse(file string, source []byte, formulas *formulas, level Level, parents []Parents) (*Connector, []Finding) {
	d := read(file, source)
	if d.root != nil && d.root.Kind == yaml.MappingNode {
		d.extended(parents)
	}
	c := ch.connector(d, formulas, level)
	sortFindings(d.findings)
	setPaths(d.root, d.findings)
	d.addFixes()
	if c == nil || HasErrors(d.findings) {
		return nil, d.findings
	}
	return c, d.findings
}

// connector checks and compiles what was read; nil if it cannot be understood at all.
func (ch *Checker) connector(d *document, formulas *formulas, level Level) *Connector {
	if d.root == nil {
		return nil
	}
	wrong := ch.schema.check(d)
	d.findings = append(d.findings, wrong...)
	text := d.text()
	c := &Connector{File: d.file, Source: text, Written: d.source, Version: version(text)}
	if err := d.root.Decode(c); err != nil {
		if len(wrong) == 0 {
			d.complain(Position{1, 1}, "syntax", err.Error())
		}
		return nil
	}
	c.settle()
	k := &compiler{c: c, d: d, formulas: formulas, used: map[usedName]bool{}}
	k.compile()
	d.findings = append(d.findings, k.findings...)
	if len(wrong) == 0 {
		d.findings = append(d.findings, lint(k, level)...)
	}
	return c
}

// version names a text by its content: the same text has the same version.
func version(source []byte) string {
	sum := sha256.Sum256([]byte(strings.ReplaceAll(string(source), "\r\n", "\n")))
	return hex.EncodeToString(sum[:6])
}
