// Package e2e proves the whole house: real processes of it, against simulated providers and real
// stores, through the doors a stranger would use, with faults put in from outside. Nothing in the
// product knows that it is being tested.
package e2e

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is built once for all tests of a run.
type binary struct {
	once sync.Once
	path string
	err  error
	out  []byte
}

var dowel binary //nolint:gochecknoglobals // one build for all tests of this process

// Binary builds the program and returns its path.
func Binary(tb testing.TB) string {
	tb.Helper()
	dowel.once.Do(func() {
		_, here, _, _ := runtime.Caller(0)
		dir, err := os.MkdirTemp("", "dowel-e2e-")
		if err != nil {
			dowel.err = err
			return
		}
		dowel.path = filepath.Join(dir, "dowel")
		cmd := exec.CommandContext(context.Background(), "go", "build", "-o", dowel.path, "./cmd/dowel")
		cmd.Dir = filepath.Join(filepath.Dir(here), "..", "..")
		dowel.out, dowel.err = cmd.CombinedOutput()
	})
	if dowel.err != nil {
		tb.Fatalf("build dowel: %v\n%s", dowel.err, dowel.out)
	}
	return dowel.path
}

// process is one run of the binary.
type process struct {
	tb   testing.TB
	cmd  *exec.Cmd
	done chan struct{}
	log  *logFile
}

// logFile collects what a process writes, so that a failing test can show it and a canary be looked for.
type logFile struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logFile) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logFile) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs the binary and returns its first line of standard output that is not empty.
func start(tb testing.TB, log *logFile, env []string, args ...string) (*process, string) {
	tb.Helper()
	cmd := exec.CommandContext(context.Background(), Binary(tb), args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	p := &process{tb: tb, cmd: cmd, done: make(chan struct{}), log: log}
	lines := make(chan string, 1)
	read := make(chan struct{})
	go func() {
		defer close(read)
		scanner := bufio.NewScanner(out)
		for scanner.Scan() {
			if s := strings.TrimSpace(scanner.Text()); s != "" {
				select {
				case lines <- s:
				default:
				}
			}
		}
	}()
	go func() {
		<-read
		_ = cmd.Wait()
		close(p.done)
	}()
	select {
	case line := <-lines:
		return p, line
	case <-p.done:
		tb.Fatalf("dowel %v ended at once:\n%s", args, log)
	case <-time.After(30 * time.Second):
		tb.Fatalf("dowel %v does not start:\n%s", args, log)
	}
	return nil, ""
}

// Stop ends the process as an operator would, and waits for it.
func (p *process) Stop() { p.end(syscall.SIGTERM) }

// Kill ends it as bad luck would.
func (p *process) Kill() { p.end(syscall.SIGKILL) }

func (p *process) end(sig syscall.Signal) {
	_ = p.cmd.Process.Signal(sig)
	select {
	case <-p.done:
	case <-time.After(40 * time.Second):
		_ = p.cmd.Process.Kill()
		p.tb.Errorf("the process did not end within 40 s of signal %v", sig)
	}
}

// FreeAddress returns a loopback address nobody listens on.
func FreeAddress(tb testing.TB) string {
	tb.Helper()
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}
