package definition

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Load reads every *.yaml, *.yml and *.json file at the top of fsys. A definition with an error is
// left out and its findings say why; the others are served.
func Load(fsys fs.FS) (*Catalog, []Finding, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, nil, fmt.Errorf("read connectors: %w", err)
	}
	var loaded []*Connector
	var findings []Finding
	for _, e := range entries {
		if e.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(e.Name())) {
			continue
		}
		source, err := fs.ReadFile(fsys, e.Name())
		if err != nil {
			return nil, nil, fmt.Errorf("read connectors: %w", err)
		}
		c, fs := Parse(e.Name(), source)
		findings = append(findings, fs...)
		if c == nil {
			continue
		}
		loaded = append(loaded, c)
	}
	return NewCatalog(loaded), findings, nil
}

// Parse reads, checks and compiles one definition. With an error among the findings the connector
// is nil.
func Parse(file string, source []byte) (*Connector, []Finding) {
	var c Connector
	if err := yaml.Unmarshal(source, &c); err != nil {
		return nil, []Finding{{File: file, Line: 1, Col: 1, Level: LevelError, Rule: "syntax", Message: err.Error()}}
	}
	c.File, c.Source, c.Version = file, source, version(source)
	findings := compile(&c)
	sortFindings(findings)
	if HasErrors(findings) {
		return nil, findings
	}
	return &c, findings
}

// version names a text by its content: the same text has the same version.
func version(source []byte) string {
	sum := sha256.Sum256([]byte(strings.ReplaceAll(string(source), "\r\n", "\n")))
	return hex.EncodeToString(sum[:6])
}
