// Package e2e proves the whole house: real processes of it, against simulated providers and real
// stores, through the doors a stranger would use, with faults put in from outside. Nothing in the
// product knows that it is being tested.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
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
	tb    testing.TB
	cmd   *exec.Cmd
	lines chan string // the first line of standard output that is not empty
	done  chan struct{}
	log   *logFile
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

// launch runs the binary. It ends with the test at the latest.
func launch(tb testing.TB, log *logFile, env []string, args ...string) *process {
	tb.Helper()
	cmd := exec.CommandContext(context.Background(), Binary(tb), args...)
	cmd.Env = append(os.Environ(), env...)
	return follow(tb, log, cmd)
}

// follow starts a program and keeps what it writes.
func follow(tb testing.TB, log *logFile, cmd *exec.Cmd) *process {
	tb.Helper()
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	p := &process{tb: tb, cmd: cmd, lines: make(chan string, 1), done: make(chan struct{}), log: log}
	go func() {
		defer close(p.done)
		scanner := bufio.NewScanner(out)
		for scanner.Scan() {
			if s := strings.TrimSpace(scanner.Text()); s != "" {
				select {
				case p.lines <- s:
				default:
				}
			}
		}
		_ = cmd.Wait()
	}()
	return p
}

// start runs the binary and returns its first line of standard output that is not empty.
func start(tb testing.TB, log *logFile, env []string, args ...string) (*process, string) {
	tb.Helper()
	p := launch(tb, log, env, args...)
	select {
	case line := <-p.lines:
		return p, line
	case <-p.done:
		tb.Fatalf("dowel %v ended at once:\n%s", args, log)
	case <-time.After(2 * time.Minute):
		p.Kill()
		tb.Fatalf("dowel %v does not start:\n%s", args, log)
	}
	return nil, ""
}

// Command runs the binary to its end and returns its exit code and what it wrote.
func Command(tb testing.TB, env []string, args ...string) (code int, out, errs string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, Binary(tb), args...)
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // the exit code tells
	if ctx.Err() != nil {
		tb.Errorf("dowel %v does not end:\n%s", args, stderr.String())
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

// Stop ends the process as an operator would, waits for it, and returns its exit code.
func (p *process) Stop() int { return p.end(syscall.SIGTERM) }

// Kill ends it as bad luck would.
func (p *process) Kill() { p.end(syscall.SIGKILL) }

func (p *process) end(sig syscall.Signal) int {
	if p.cmd == nil {
		return 0 // it was never started
	}
	_ = p.cmd.Process.Signal(sig)
	select {
	case <-p.done:
	case <-time.After(40 * time.Second):
		_ = p.cmd.Process.Kill()
		p.tb.Errorf("the process did not end within 40 s of signal %v", sig)
		<-p.done
	}
	return p.cmd.ProcessState.ExitCode()
}

// PeakMemory is the most memory the process has held, in bytes; zero where the system does not tell.
func (p *process) PeakMemory() int {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			return kib << 10
		}
	}
	return 0
}

// FreeAddress returns a loopback address nobody listens on, below the ports that systems give to
// connections going out, so that it is still free when a process that had it is started again.
func FreeAddress(tb testing.TB) string {
	tb.Helper()
	for range 100 {
		address := "127.0.0.1:" + strconv.Itoa(15_000+rand.N(15_000))
		ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
		if err != nil {
			continue
		}
		_ = ln.Close()
		return address
	}
	tb.Fatal("no free address")
	return ""
}
