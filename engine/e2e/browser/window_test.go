package browser

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// patience is how long a person waits for what should come.
const patience = 20 * time.Second

// window is one window or tab. Its verbs are what people do; a verb that cannot be done fails the test
// and shows the page.
type window struct {
	t      *testing.T
	person *person
	ctx    context.Context
	id     target.ID
	// scriptless windows run no script of the page.
	scriptless bool
	mu         sync.Mutex
	errors     []string // exceptions of scripts
}

// listen notes exceptions of the page's scripts; the test fails for them in the end.
func (w *window) listen() {
	w.t.Helper()
	err := chromedp.Listen(w.ctx, func(ev any) {
		if e, ok := ev.(*runtime.EventExceptionThrown); ok && e.ExceptionDetails != nil {
			text := e.ExceptionDetails.Text
			if e.ExceptionDetails.Exception != nil {
				text += " " + e.ExceptionDetails.Exception.Description
			}
			w.mu.Lock()
			w.errors = append(w.errors, text)
			w.mu.Unlock()
		}
	})
	if err != nil {
		w.t.Fatalf("listen to a window: %v", err)
	}
	w.t.Cleanup(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, e := range w.errors {
			w.t.Errorf("a script failed: %s", e)
		}
	})
}

func (w *window) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		w.fail("%s: %v", what, err)
	}
}

// fail shows the page and ends the test.
func (w *window) fail(format string, args ...any) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 2*time.Second)
	defer cancel()
	shown, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	if err != nil {
		shown = "(cannot be shown: " + err.Error() + ")"
	}
	w.t.Fatalf(format+"\nthe window shows %s", append(args, shown)...)
}

// evaluate asks the page for a value.
func evaluate[T any](w *window, expression string, how ...chromedp.EvaluateOption) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, how...))
	if err != nil {
		w.fail("evaluate %s: %v", expression, err)
	}
	return v
}

// until waits for an expression to become true. A page that is just being replaced cannot answer and
// is asked again.
func (w *window) until(expression string) bool {
	w.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(25 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(w.ctx, 2*time.Second)
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		cancel()
		if err == nil && ok {
			return true
		}
	}
	return false
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// shown is the text a person sees, without line breaks.
const shown = `document.body.innerText.replace(/\s+/g, " ")`

// open goes to an address.
func (w *window) open(address string) {
	w.t.Helper()
	w.do("open "+address, func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		for {
			// What the page was about to do by itself may come in between; people try again.
			v, err := chromedp.Navigate(address)(ctx, t)
			if err == nil || !strings.Contains(err.Error(), "net::ERR_ABORTED") || ctx.Err() != nil {
				return v, err
			}
		}
	})
}

// see waits until the window shows all texts.
func (w *window) see(texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		if !w.until(shown + ".includes(" + quote(text) + ")") {
			w.fail("the window does not show %q", text)
		}
	}
}

// shows reports whether the window shows a text now.
func (w *window) shows(text string) bool {
	w.t.Helper()
	return evaluate[bool](w, shown+".includes("+quote(text)+")")
}

// at waits until the window's address contains a part.
func (w *window) at(part string) {
	w.t.Helper()
	if !w.until("location.href.includes(" + quote(part) + ") && document.readyState === 'complete'") {
		w.fail("the window does not get to %s", part)
	}
}

// address is where the window is.
func (w *window) address() string {
	w.t.Helper()
	return evaluate[string](w, "location.href")
}

// find is a function that returns what a person would press: what is seen, and is called so.
const find = `((name) => {
  // A row of a long list that is out of sight has no innerText until it is scrolled to.
  const text = (e) => (e.innerText || e.value || e.textContent).replace(/\s+/g, " ").trim();
  const all = [...document.querySelectorAll("button, a[href], summary, label, input[type=submit]")]
    .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.disabled);
  return all.find((e) => text(e) === name || e.getAttribute("aria-label") === name) ??
    all.find((e) => text(e).startsWith(name)) ?? all.find((e) => text(e).includes(name));
})`

// field is a function that returns what a label belongs to.
const field = `((name) => [...document.querySelectorAll("label")]
  .filter((e) => e.checkVisibility() && !["radio", "checkbox"].includes(e.control?.type))
  .find((e) => e.innerText.trim().startsWith(name))?.control)`

// point scrolls what an expression returns into view and says where its middle is, if nothing lies
// over it.
func (w *window) point(expression, what string) (x, y float64) {
	w.t.Helper()
	var at []float64
	// Whoever is quicker than the page's script posts the plain form; tests say when they want that.
	if !w.until("document.readyState === 'complete' && Boolean(" + expression + ")") {
		w.fail("there is no %s", what)
	}
	for before := []float64{-1}; !slices.Equal(at, before); w.drawn() {
		before, at = at, evaluate[[]float64](w, `(() => {
  const e = `+expression+`;
  e.scrollIntoView({ block: "center", behavior: "instant" });
  const box = e.getBoundingClientRect();
  const x = box.left + box.width / 2, y = box.top + box.height / 2;
  const top = document.elementFromPoint(x, y);
  return e === top || e.contains(top) || top?.contains(e) ? [x, y] : [];
})()`)
	}
	if len(at) != 2 {
		w.fail("something lies over %s", what)
	}
	return at[0], at[1]
}

// drawn waits until the window has been drawn twice: what comes into view by scrolling is drawn a frame
// later and moves what is around it. A window that nobody sees is not drawn, and one without script
// cannot tell.
func (w *window) drawn() {
	w.t.Helper()
	if w.scriptless {
		time.Sleep(50 * time.Millisecond)
		return
	}
	evaluate[bool](w, `Promise.race([
  new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))),
  new Promise((done) => setTimeout(done, 200, false)),
])`, chromedp.EvalAwaitPromise)
}

// press clicks a button, a link or a label, with the mouse.
func (w *window) press(name string) {
	w.t.Helper()
	x, y := w.point(find+"("+quote(name)+")", quote(name))
	w.do("press "+name, chromedp.MouseClickXY(x, y))
}

// pressTwice clicks as impatient people do.
func (w *window) pressTwice(name string) {
	w.t.Helper()
	x, y := w.point(find+"("+quote(name)+")", quote(name))
	w.do("press "+name+" twice", chromedp.MouseClickXY(x, y, chromedp.ClickCount(1)), chromedp.MouseClickXY(x, y, chromedp.ClickCount(2)))
}

// fill types into the field with a label, instead of what is in it.
func (w *window) fill(label, text string) {
	w.t.Helper()
	x, y := w.point(field+"("+quote(label)+")", "field "+quote(label))
	w.do("click into "+label, chromedp.MouseClickXY(x, y))
	w.do("empty "+label, chromedp.Evaluate[chromedp.Void]("document.activeElement.select()"))
	w.typeText(text)
}

// choose picks an option of a list.
func (w *window) choose(label, value string) {
	w.t.Helper()
	ok := evaluate[bool](w, `((list, value) => {
  if (!list) return false;
  list.focus();
  list.value = value;
  list.dispatchEvent(new Event("input", { bubbles: true }));
  list.dispatchEvent(new Event("change", { bubbles: true }));
  return list.value === value;
})(`+field+"("+quote(label)+"), "+quote(value)+")")
	if !ok {
		w.fail("there is no %q in %q", value, label)
	}
}

// typeText types at the focus.
func (w *window) typeText(text string) {
	w.t.Helper()
	w.do("type", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
}

// keys presses keys one after the other.
func (w *window) keys(keys ...string) {
	w.t.Helper()
	for _, k := range keys {
		w.do("press a key", chromedp.KeyEvent(k))
	}
}

// opened waits for the window that something opens.
func (w *window) opened(something func()) *window {
	w.t.Helper()
	before := w.person.windows()
	something()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		for id, at := range w.person.windows() {
			// A window that is still on its way from the empty page cannot be held yet.
			if _, known := before[id]; known || at == "" || at == "about:blank" {
				continue
			}
			ctx, cancel := chromedp.NewContext(w.ctx, chromedp.WithTargetID(id))
			if chromedp.Do(ctx) != nil {
				cancel()
				continue
			}
			w.t.Cleanup(cancel)
			return w.person.adopt(ctx)
		}
	}
	w.fail("no window opens")
	return nil
}

// closed waits until the window is gone.
func (w *window) closed() {
	w.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(25 * time.Millisecond) {
		if _, open := w.person.windows()[w.id]; !open {
			return
		}
	}
	w.fail("the window does not close")
}

// back goes back as the button does.
func (w *window) back() {
	w.t.Helper()
	// Not the library's own: a page that comes back out of the cache never loads.
	w.do("go back", script("setTimeout(() => history.back())"))
}

// before runs a script in every page of the window, before the page's own.
func (w *window) before(script string) {
	w.t.Helper()
	w.do("prepare pages", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	}))
}

// withoutScript switches scripts off.
func (w *window) withoutScript() {
	w.t.Helper()
	w.scriptless = true
	w.do("switch scripts off", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
}

// wide sets the width and height that pages have.
func (w *window) wide(width, height int64) {
	w.t.Helper()
	w.do("resize", chromedp.EmulateViewport(width, height))
}

// dark asks for dark pages, or for light ones.
func (w *window) dark(on bool) {
	w.t.Helper()
	scheme := "light"
	if on {
		scheme = "dark"
	}
	w.do("set the colours", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
		})
		return err
	}))
}

// focused describes what has the focus: the element, and what it is called.
func (w *window) focused() string {
	w.t.Helper()
	return strings.TrimSpace(evaluate[string](w, `(() => {
  const e = document.activeElement;
  return e.tagName.toLowerCase() + " " + (e.labels?.[0]?.innerText ?? e.getAttribute("aria-label") ?? e.innerText ?? "").replace(/\s+/g, " ").trim();
})()`))
}

// script is a step that runs a script without a person's leave to open windows.
func script(text string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](text)
}
