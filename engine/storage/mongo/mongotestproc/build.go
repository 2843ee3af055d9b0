package mongotestproc

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// build gives the server's binary. It is kept in the user's cache under a hash
// of its source, so that many test binaries build it once.
func build(t testing.TB) (string, error) {
	module, err := findModule()
	if err != nil {
		return "", err
	}
	key, err := hashSource(module)
	if err != nil {
		return "", err
	}
	folder, err := os.UserCacheDir()
	if err != nil { // no home directory
		folder = t.TempDir()
	}
	folder = filepath.Join(folder, "dowel-test")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	binary := filepath.Join(folder, "mongotest-"+key)
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	// Built beside and moved: another test binary may do the same now.
	built := filepath.Join(t.TempDir(), "mongotest")
	command := exec.Command("go", "build", "-buildvcs=false", "-o", built, "./cmd/mongotest")
	command.Dir = module
	command.Env = append(os.Environ(), "GOWORK=off")
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build in %s: %w\n%s", module, err, out)
	}
	return binary, move(built, binary)
}

// move copies across file systems and lets the new name appear only whole.
func move(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(to), "building-")
	if err != nil {
		return err
	}
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Chmod(0o700), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), to)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary.Name()))
	}
	return nil
}

// findModule looks for the server's module beside this file, or, when the
// binary does not know its source's place (-trimpath), above the working
// directory.
func findModule() (string, error) {
	_, file, _, _ := runtime.Caller(0)
	from := filepath.Dir(file)
	if !filepath.IsAbs(from) {
		var err error
		if from, err = os.Getwd(); err != nil {
			return "", err
		}
	}
	for folder := from; ; folder = filepath.Dir(folder) {
		module := filepath.Join(folder, "engine", "storage", "mongo", "mongotest")
		if _, err := os.Stat(filepath.Join(module, "go.mod")); err == nil {
			return module, nil
		}
		if folder == filepath.Dir(folder) {
			return "", fmt.Errorf("no engine/storage/mongo/mongotest above %s", from)
		}
	}
}

// hashSource names a state of everything the binary is made of.
func hashSource(module string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	err := filepath.WalkDir(module, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		if extension := filepath.Ext(path); extension != ".go" && extension != ".mod" && extension != ".sum" {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(module, path)
		fmt.Fprintln(sum, relative, len(content))
		sum.Write(content)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)[:8]), err
}
