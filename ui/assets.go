package ui

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"
)

// assets serves static files under names that hold a hash of their content.
type assets struct {
	byName map[string]string // connect.js → connect.1f0c….js
	byHash map[string]string // the other way
}

func readAssets() (assets, error) {
	a := assets{byName: map[string]string{}, byHash: map[string]string{}}
	entries, err := fs.ReadDir(files, "static")
	if err != nil {
		return a, fmt.Errorf("list static files: %w", err)
	}
	for _, e := range entries {
		content, err := fs.ReadFile(files, path.Join("static", e.Name()))
		if err != nil {
			return a, fmt.Errorf("read static file: %w", err)
		}
		sum := sha256.Sum256(content)
		ext := path.Ext(e.Name())
		hashed := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		a.byName[e.Name()], a.byHash[hashed] = hashed, e.Name()
	}
	return a, nil
}

// Open implements fs.FS.
func (a assets) Open(name string) (fs.File, error) {
	own, ok := a.byHash[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return files.Open(path.Join("static", own))
}

// readIcons reads the icons, which are put into the page itself: an icon then takes the colour of the
// text beside it.
func readIcons() (map[string]template.HTML, error) {
	icons := map[string]template.HTML{}
	entries, err := fs.ReadDir(files, "icons")
	if err != nil {
		return nil, fmt.Errorf("list icons: %w", err)
	}
	for _, e := range entries {
		content, err := fs.ReadFile(files, path.Join("icons", e.Name()))
		if err != nil {
			return nil, fmt.Errorf("read icon: %w", err)
		}
		paths := strings.TrimSpace(string(content))
		icons[strings.TrimSuffix(e.Name(), ".svg")] = template.HTML(paths) //nolint:gosec // our own embedded file
	}
	return icons, nil
}
