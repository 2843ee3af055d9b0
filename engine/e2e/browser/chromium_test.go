// Package browser drives the product as people meet it: real processes behind a real browser, through
// clicks, keys and windows. It leaves protocol and storage faults to e2e and its neighbours, and looks
// at what only a browser can tell: windows, focus, policies, widths, and the way back.
//
// Without chromium nothing here runs, and the run says so.
package browser

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// engine is the one browser process of a run; its first user starts it.
type engine struct {
	once sync.Once
	ctx  context.Context
	stop func()
	err  error
}

var chromium engine //nolint:gochecknoglobals // one browser process for all tests of a run

func TestMain(m *testing.M) {
	code := m.Run()
	if chromium.stop != nil {
		chromium.stop()
	}
	os.Exit(code)
}

// binary finds a browser.
func binary() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// needChromium skips a test that nobody can run here.
func needChromium(t *testing.T) {
	t.Helper()
	if binary() == "" {
		t.Skip("NOT RUN: there is no chromium (nor chromium-browser, google-chrome) on this machine")
	}
}

// start runs the browser. Windows that nobody asked for are blocked, as they are for people: the
// library's own defaults would let them open.
func (e *engine) start() {
	e.once.Do(func() {
		dir, err := os.MkdirTemp("", "dowel-browser-")
		if err != nil {
			e.err = err
			return
		}
		options := []chromedp.ExecAllocatorOption{
			chromedp.ExecPath(binary()), chromedp.UserDataDir(dir), chromedp.Headless, chromedp.DisableGPU,
			chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.WindowSize(1280, 800),
		}
		for _, name := range []string{
			"disable-background-networking", "disable-background-timer-throttling", "disable-backgrounding-occluded-windows",
			"disable-renderer-backgrounding", "disable-breakpad", "disable-component-update", "disable-default-apps",
			"disable-dev-shm-usage", "disable-extensions", "disable-quic", "disable-sync", "metrics-recording-only",
			"use-mock-keychain",
		} {
			options = append(options, chromedp.Flag(name, true))
		}
		options = append(options, chromedp.Flag("disable-features", "AutofillServerCommunication,OptimizationHints,Translate"), chromedp.Flag("force-color-profile", "srgb"), chromedp.Flag("password-store", "basic"))
		if os.Getuid() == 0 {
			options = append(options, chromedp.NoSandbox)
		}
		allocator, free := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, cancel := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {}))
		e.stop = func() {
			cancel()
			free()
			_ = os.RemoveAll(dir)
		}
		e.ctx, e.err = ctx, chromedp.Do(ctx)
	})
}

// person is somebody with a browser profile of their own: cookies, storage, and windows.
type person struct {
	t     *testing.T
	tap   *tap
	first *window
}

// newPerson opens a first, empty window. All that the person's windows ask for goes through a tap.
func newPerson(t *testing.T) *person {
	t.Helper()
	needChromium(t)
	if chromium.start(); chromium.err != nil {
		t.Fatalf("start chromium: %v", chromium.err)
	}
	p := &person{t: t, tap: newTap(t)}
	ctx, cancel := chromedp.NewContext(chromium.ctx, chromedp.WithNewBrowserContext(func(c *target.CreateBrowserContextParams) {
		c.ProxyServer, c.ProxyBypassList = p.tap.server.URL, "<-loopback>"
	}))
	t.Cleanup(cancel)
	p.first = p.adopt(ctx)
	return p
}

// adopt makes a window of a context.
func (p *person) adopt(ctx context.Context) *window {
	p.t.Helper()
	w := &window{t: p.t, person: p, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil {
		p.t.Fatalf("open a window: %v", err)
	}
	w.id = chromedp.FromContext(ctx).Target.TargetID
	w.listen()
	return w
}

// windows lists the person's windows, and where they are.
func (p *person) windows() map[target.ID]string {
	p.t.Helper()
	mine := chromedp.FromContext(p.first.ctx).BrowserContextID
	all, err := chromedp.CallBrowser(chromium.ctx, target.GetTargets, target.GetTargetsParams{})
	if err != nil {
		p.t.Fatalf("list windows: %v", err)
	}
	out := map[target.ID]string{}
	for _, info := range all.TargetInfos {
		if info.BrowserContextID == mine && info.Type == "page" {
			out[info.TargetID] = info.URL
		}
	}
	return out
}
