package definition

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"slices"
)

// Directory follows the definitions of a directory as they change. A file that is changed into one with
// an error keeps what it said before, so that a slip while editing takes nothing away. It is not safe
// for concurrent use.
type Directory struct {
	FS      fs.FS
	Parents []Parents

	seen  string // the names, times and sizes of the last look
	files map[string]loadedFile
}

// loadedFile is what a file said when it was last read.
type loadedFile struct {
	sum       [sha256.Size]byte
	connector *Connector // the last one without an error; nil if there was none
	findings  []Finding
}

// Load reads what has changed since the last call, and reports whether anything did. The findings are
// those of the files that were read now.
func (d *Directory) Load() (connectors []*Connector, findings []Finding, changed bool, err error) {
	files, err := definitionsIn(d.FS)
	if err != nil {
		return nil, nil, false, fmt.Errorf("read connectors: %w", err)
	}
	seen := signature(files)
	if d.files != nil && seen == d.seen {
		return d.connectors(), nil, false, nil
	}
	d.seen = seen
	next := make(map[string]loadedFile, len(files))
	dirty := d.files == nil || len(files) != len(d.files)
	for _, f := range files {
		next[f.Name()] = d.look(f.Name(), &dirty)
	}
	if !dirty {
		return d.connectors(), nil, false, nil
	}
	parents := append([]Parents{In(d.FS)}, d.Parents...)
	formulas := newFormulas()
	for name, f := range next {
		if f.findings == nil || f.connector != nil && f.connector.Extends != "" {
			next[name] = d.read(name, f, formulas, parents)
			findings = append(findings, next[name].findings...)
		}
	}
	d.files = next
	sortFindings(findings)
	return d.connectors(), findings, true, nil
}

// signature tells whether a directory may have changed, without reading its files.
func signature(files []fs.DirEntry) string {
	var s string
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			s += f.Name() + " gone\n"
			continue
		}
		s += fmt.Sprintln(f.Name(), info.ModTime().UnixNano(), info.Size(), info.Mode())
	}
	return s
}

// look compares a file with what it said before: findings is nil if it has to be read.
func (d *Directory) look(name string, dirty *bool) loadedFile {
	old, known := d.files[name]
	source, err := readFile(d.FS, name)
	sum := sha256.Sum256(source)
	if known && err == nil && sum == old.sum {
		return old
	}
	*dirty = true
	return loadedFile{sum: sum, connector: old.connector}
}

// read reads a file; one with an error keeps the connector it was before.
func (d *Directory) read(name string, f loadedFile, formulas *formulas, parents []Parents) loadedFile {
	k, findings := builtin().file(d.FS, name, formulas, LevelError, parents)
	f.connector = cmp.Or(k, f.connector)
	f.findings = append([]Finding{}, findings...) // never nil: it has been read
	return f
}

func (d *Directory) connectors() []*Connector {
	var out []*Connector
	for _, f := range d.files {
		if f.connector != nil {
			out = append(out, f.connector)
		}
	}
	slices.SortFunc(out, func(a, b *Connector) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
