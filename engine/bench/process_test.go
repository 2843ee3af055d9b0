package bench

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkProcess measures the binary: its size, how long until it serves, and what it holds in memory
// when nothing happens.
func BenchmarkProcess(b *testing.B) {
	bin := filepath.Join(b.TempDir(), "dowel")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, "dowel/cmd/dowel")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	info, err := os.Stat(bin)
	if err != nil {
		b.Fatal(err)
	}
	report("binary_mib", float64(info.Size())/(1<<20))
	key, err := exec.CommandContext(b.Context(), bin, "keys", "new").Output()
	if err != nil {
		b.Fatal(err)
	}
	for _, mode := range []struct {
		prefix string
		args   []string
	}{{"", []string{"serve"}}, {"dev_", []string{"serve", "--dev"}}} {
		var starts, sizes []float64
		for range 5 {
			ms, mib := start(b, bin, string(key), mode.args...)
			starts, sizes = append(starts, ms), append(sizes, mib)
		}
		report(mode.prefix+"cold_start_ms", median(starts))
		report(mode.prefix+"idle_rss_mib", median(sizes))
	}
}

// start runs the binary on a fresh file store and returns the milliseconds until it answers and its
// resident memory after two seconds of rest. In development an app is made at each simulated provider
// before it answers.
func start(b *testing.B, bin, key string, args ...string) (ms, mib float64) {
	addr := freeAddress(b)
	cmd := exec.CommandContext(b.Context(), bin, args...)
	cmd.Env = append(os.Environ(), "DOWEL_LISTEN="+addr, "DOWEL_DATA_DIR="+b.TempDir(), "DOWEL_LOG_LEVEL=error",
		"DOWEL_MASTER_KEY="+strings.TrimSpace(key), "DOWEL_PUBLIC_URL=http://"+addr)
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}()
	for !answers(b.Context(), "http://"+addr+"/healthz") {
		if time.Since(began) > 20*time.Second {
			b.Fatal("does not start")
		}
		time.Sleep(time.Millisecond)
	}
	ms = float64(time.Since(began).Microseconds()) / 1000
	time.Sleep(2 * time.Second)
	return ms, resident(b, cmd.Process.Pid)
}

func answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

func freeAddress(b *testing.B) string {
	ln, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// resident reads the resident memory of a process in MiB.
func resident(b *testing.B, pid int) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skipf("resident memory is read from /proc: %v", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return float64(kib) / 1024
}
