package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"dowel/engine/definition"
)

// maxRounds bounds how often a file is fixed and checked again: one mistake may hide another.
const maxRounds = 5

// fixAll mends the files of the findings, tells of each fix on w, and returns what is left.
func fixAll(w io.Writer, paths []string, findings []definition.Finding) ([]definition.Finding, error) {
	for range maxRounds {
		byFile := map[string][]definition.Finding{}
		for _, f := range findings {
			if f.Fix != nil {
				byFile[f.File] = append(byFile[f.File], f)
			}
		}
		if len(byFile) == 0 {
			return findings, nil
		}
		made := 0
		for file, found := range byFile {
			n, err := fixFile(w, file, found)
			if err != nil {
				return nil, err
			}
			made += n
		}
		var err error
		if findings, err = lint(paths); err != nil || made == 0 {
			return findings, err
		}
	}
	return findings, nil
}

// fixFile writes the mended file in the place of the old one, whole or not at all.
func fixFile(w io.Writer, file string, findings []definition.Finding) (int, error) {
	source, err := os.ReadFile(file) // #nosec G304: named by the user
	if err != nil {
		return 0, err
	}
	fixed, made := definition.ApplyFixes(source, findings)
	if made == 0 {
		return 0, nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	temp, err := os.CreateTemp(filepath.Dir(file), ".dowel-fix-*")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // gone already if all went well
	if _, err := temp.Write(fixed); err != nil {
		return 0, err
	}
	if err := temp.Chmod(info.Mode().Perm()); err != nil {
		return 0, err
	}
	if err := temp.Close(); err != nil {
		return 0, err
	}
	for _, f := range findings {
		fmt.Fprintf(w, "%s:%d:%d: %s: fixed: %s\n", f.File, f.Line, f.Col, f.Rule, f.Fix)
	}
	return made, os.Rename(temp.Name(), file)
}
