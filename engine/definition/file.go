package definition

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// definitionsIn lists what may be definitions at the top of fsys.
func definitionsIn(fsys fs.FS) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		return e.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(e.Name()))
	}), nil
}

// readFile reads a file that lies in fsys, and a little more than a definition may have at most.
func readFile(fsys fs.FS, name string) ([]byte, error) {
	if err := liesIn(fsys, name); err != nil {
		return nil, err
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("this cannot be read: %w", err)
	}
	defer func() { _ = f.Close() }() // only read from
	source, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("this cannot be read: %w", err)
	}
	return source, nil
}

// liesIn refuses links that lead out of fsys, and what is not a file: a pipe is waited on for ever.
// Links inside are followed, because that is how Kubernetes mounts a ConfigMap.
func liesIn(fsys fs.FS, name string) error {
	for range 20 {
		next, mode, err := follow(fsys, name)
		switch {
		case err != nil:
			return err
		case next != name:
			name = next
		case !mode.IsRegular():
			return errors.New("this is not a file")
		default:
			return nil
		}
	}
	return errors.New("this link leads to too many others")
}

// follow replaces the first link on the way to name by where it leads.
func follow(fsys fs.FS, name string) (string, fs.FileMode, error) {
	var mode fs.FileMode
	for i := range len(name) + 1 {
		if i < len(name) && name[i] != '/' {
			continue
		}
		info, err := fs.Lstat(fsys, name[:i])
		if err != nil {
			return "", 0, fmt.Errorf("this cannot be read: %w", err)
		}
		if mode = info.Mode(); mode&fs.ModeSymlink == 0 {
			continue
		}
		target, err := fs.ReadLink(fsys, name[:i])
		if err != nil {
			return "", 0, fmt.Errorf("this cannot be read: %w", err)
		}
		next := path.Join(path.Dir(name[:i]), target, strings.TrimPrefix(name[i:], "/"))
		if path.IsAbs(target) || !fs.ValidPath(next) {
			return "", 0, errors.New("this link leads out of the directory")
		}
		return next, mode, nil
	}
	return name, mode, nil
}
