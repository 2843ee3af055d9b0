// Package mongotestproc runs a mongotest server as a process of its own, for
// tests that need a MongoDB they can pause, kill, restart and make fail.
//
// It is test support: nothing but tests may import it, and it imports the
// standard library only. What the server can and refuses is mongotest's
// business.
package mongotestproc

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is one mongotest server. It ends with its test. Its methods may be
// called from any goroutine while the test runs; what does not succeed is
// reported to the test as an error.
type Process struct {
	t      testing.TB
	binary string
	data   string
	uri    string

	mutex   sync.Mutex
	command *exec.Cmd
	input   io.Closer
	control string
}

// Start runs a server that keeps its data in a file of the test, and waits
// until it listens. Building the server needs the go command, once for each
// state of its source.
func Start(t testing.TB) *Process {
	t.Helper()
	binary, err := build(t)
	if err != nil {
		t.Fatalf("build mongotest: %v", err)
	}
	p := &Process{t: t, binary: binary, data: filepath.Join(t.TempDir(), "mongotest.data")}
	t.Cleanup(p.Kill)
	if p.uri, err = p.start("127.0.0.1:0"); err != nil {
		t.Fatalf("start mongotest: %v", err)
	}
	return p
}

// Data is the file the server keeps its data in.
func (p *Process) Data() string { return p.data }

// URI is what to give to a driver. It stays the same across Restart.
func (p *Process) URI() string { return p.uri }

// Pause stops the process where it is: connections stay open, nobody is
// answered, until Resume.
func (p *Process) Pause() {
	p.t.Helper()
	p.signal(syscall.SIGSTOP)
	p.awaitStop()
}

// awaitStop waits until the process stands still, where the system tells: a signal takes its time.
func (p *Process) awaitStop() {
	p.t.Helper()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.command == nil {
		return
	}
	path := fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid)
	for range 500 {
		stat, err := os.ReadFile(path)
		if err != nil || strings.Contains(string(stat), ") T ") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Resume lets a paused process go on.
func (p *Process) Resume() { p.signal(syscall.SIGCONT) }

// Kill ends the process at once, as a crash would, paused or not, and waits
// until it is gone. Killing a dead process is no error.
func (p *Process) Kill() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.kill()
}

// Restart kills the process if it runs, and starts it again on the same port
// with everything it had acknowledged. Faults are forgotten.
func (p *Process) Restart() {
	p.t.Helper()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.kill()
	parsed, err := url.Parse(p.uri)
	if err == nil {
		_, err = p.start(parsed.Host)
	}
	if err != nil {
		p.t.Errorf("restart mongotest: %v", err)
	}
}

func (p *Process) signal(signal syscall.Signal) {
	p.t.Helper()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.command == nil {
		p.t.Errorf("signal mongotest: it does not run")
		return
	}
	if err := p.command.Process.Signal(signal); err != nil {
		p.t.Errorf("signal mongotest: %v", err)
	}
}

func (p *Process) kill() {
	if p.command == nil {
		return
	}
	// Neither error says anything: the process may be gone already, and one
	// that was killed did not end well.
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
	_ = p.input.Close()
	p.command, p.control = nil, ""
}

// start runs the binary and reads the two lines it prints when it listens.
func (p *Process) start(address string) (uri string, err error) {
	command := exec.Command(p.binary, "-listen", address, "-control", "127.0.0.1:0", "-data", p.data)
	command.Stderr = p.t.Output()
	// Held open: the server ends when it closes, so not even a test that
	// panics leaves one behind.
	if p.input, err = command.StdinPipe(); err != nil {
		return "", err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := command.Start(); err != nil {
		return "", err
	}
	p.command = command
	lines := bufio.NewReader(output)
	uri, uriErr := lines.ReadString('\n')
	control, controlErr := lines.ReadString('\n')
	if err := errors.Join(uriErr, controlErr); err != nil {
		p.kill()
		return "", fmt.Errorf("read where it listens: %w", err)
	}
	p.control = strings.TrimSpace(control)
	return strings.TrimSpace(uri), nil
}
