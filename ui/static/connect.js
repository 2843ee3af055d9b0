// The Connect dialog: method choice, checked fields, the window, and waiting for what comes of it.
// Without it the form is posted and everything happens with full pages.
document.documentElement.classList.add("js");

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const form = $("#connect");
const wait = $("#wait");
const config = (form ?? wait)?.dataset ?? {};
const csrf = form?.elements.csrf.value ?? wait?.dataset.csrf;
const origin = document.body.dataset.openerOrigin;
const pollEvery = 1500;

// What is under way: the flow's id, where its window goes, the window.
let current = null;

/* Panels */

function show(name, progress = {}) {
  const panel = $(`[data-panel="${name}"]`);
  for (const other of $$("[data-panel]")) other.hidden = other !== panel;
  for (const slot of $$("[data-slot]", panel)) {
    // What the page came with is what to say when the server could not.
    slot.dataset.usual ??= slot.textContent;
    slot.textContent = progress[slot.dataset.slot] ?? (progress.status ? "" : slot.dataset.usual);
  }
  for (const block of $$("[data-slot-block]", panel)) block.hidden = !progress[block.dataset.slotBlock];
  for (const link of $$("[data-slot-href]", panel)) {
    const url = progress[link.dataset.slotHref];
    link.hidden = !url;
    if (url) link.href = url;
  }
  for (const list of $$("[data-slot-list]", panel)) {
    list.replaceChildren(...(progress[list.dataset.slotList] ?? []).map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }));
  }
  const heading = $("h1, h2", panel);
  heading.focus();
  announce(heading.textContent);
}

function announce(text) {
  const line = $("#announce");
  if (line) line.textContent = text;
}

/* Talking to the server */

async function ask(url, body) {
  const response = await fetch(url, {
    method: body ? "POST" : "GET",
    body,
    headers: { Accept: "application/json" },
    credentials: "same-origin",
    cache: "no-store",
  });
  if (!response.headers.get("Content-Type")?.includes("json")) throw new NotJSON();
  return response.json();
}

// The answer was a page: the server has something to say that this script does not know.
class NotJSON extends Error {}

/* The window */

function openWindow(url) {
  const opened = window.open("about:blank", "_blank", "popup,width=560,height=760");
  if (!opened) return null;
  try { opened.opener = null; } catch { /* the provider gets no hold on this page */ }
  if (url) opened.location.replace(url);
  return opened;
}

function closeWindow() {
  try { current?.window?.close(); } catch { /* cut off by the provider's policy; it closes itself */ }
}

/* Waiting: the server says how it stands; a message from the callback page only makes us ask sooner. */

function follow(flow) {
  stopFollowing();
  current = { ...current, flow, channel: null, timer: 0 };
  if (typeof BroadcastChannel !== "undefined") {
    current.channel = new BroadcastChannel("dowel-connect-" + flow);
    current.channel.onmessage = (event) => {
      if (event.data?.type !== "finished") return;
      current?.channel?.postMessage({ type: "waiting" });
      poll();
    };
  }
  current.timer = setTimeout(poll, pollEvery);
}

function stopFollowing() {
  clearTimeout(current?.timer);
  current?.channel?.close();
}

async function poll() {
  const following = current;
  if (!following?.flow) return;
  clearTimeout(following.timer);
  try {
    const progress = await ask(config.status + "?flow=" + encodeURIComponent(following.flow));
    if (following !== current) return;
    if (progress.status !== "pending") return arrived(progress);
    stage(progress.stage);
  } catch {
    // The connection may be down for a moment; the flow goes on without us.
  }
  if (following === current) following.timer = setTimeout(poll, pollEvery);
}

const order = ["consent", "token", "check", "save"];

function stage(name) {
  const at = name === "finishing" ? 1 : Math.max(0, order.indexOf(name));
  $$("#steps li").forEach((item, i) => {
    item.classList.toggle("past", i < at);
    if (i === at) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  });
}

function arrived(progress) {
  if (progress.status === "pending") return;
  if (progress.status === "choice") {
    stopFollowing();
    // The window asks too, if it is still there; here is the other place to answer.
    follow(current.flow);
    if (!$('[data-panel="choice"]').hidden) return;
    return show("choice", progress);
  }
  stopFollowing();
  const done = progress.status === "done";
  $('[data-act="retry"]').hidden = progress.retry === false;
  $$("#steps li").forEach((item) => item.classList.add("past"));
  show(done ? "done" : "failed", progress);
  $('[data-act="close"]').hidden = Boolean(progress.redirect) || !canClose();
  setTimeout(closeWindow, done ? 1500 : 0);
  tellOpener(done, progress);
}

function canClose() {
  return Boolean(window.opener) || history.length === 1;
}

// tellOpener tells the one origin that was registered, never anybody else.
function tellOpener(done, progress) {
  const host = window.opener ?? (window.parent === window ? null : window.parent);
  if (host && origin) {
    host.postMessage(done
      ? { type: "dowel:connected", connection: progress.connection, status: progress.connection_status ?? "active" }
      : { type: "dowel:failed", code: progress.code, reference: progress.reference }, origin);
  }
  if (!done) return;
  if (window.opener && origin) setTimeout(() => window.close(), 2000);
  else if (progress.redirect && window.parent === window) setTimeout(() => location.assign(progress.redirect), 2000);
}

/* The form */

const chosen = () => $('input[name="method"]:checked', form) ?? $('input[name="method"]', form);
const fieldBox = (name) => $$("[data-field]", form).find((box) => box.dataset.field === name && !box.closest("[hidden]"));
const control = (box) => $("input, select, textarea", box);

function chooseMethod() {
  const id = chosen().value;
  const typed = new Map($$(".method:not([hidden]) [data-field]", form).map((box) => [box.dataset.field, control(box)]));
  for (const group of $$(".method", form)) {
    const mine = group.dataset.method === id;
    group.hidden = !mine;
    group.disabled = !mine;
    if (!mine) continue;
    for (const box of $$("[data-field]", group)) {
      const from = typed.get(box.dataset.field);
      const to = control(box);
      if (from && from !== to && to.value === "") to.value = from.value;
    }
  }
  clearErrors();
}

function setError(name, message) {
  const box = fieldBox(name);
  if (!box) return null;
  const input = control(box);
  box.classList.toggle("wrong", Boolean(message));
  if (message) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
  const line = $(".error", box);
  if (line.textContent !== message) line.textContent = message;
  return input;
}

function clearErrors() {
  for (const box of $$("[data-field]", form)) {
    box.classList.remove("wrong");
    control(box).removeAttribute("aria-invalid");
    $(".error", box).textContent = "";
  }
  $("#summary").hidden = true;
}

function showErrors(errors) {
  clearErrors();
  const items = [];
  // In the order of the form, which is not that of the answer.
  const order = $$("[data-field]", form).map((box) => box.dataset.field);
  const sorted = Object.entries(errors).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  for (const [name, message] of sorted) {
    const input = setError(name, message);
    const item = document.createElement("li");
    if (input) {
      const link = document.createElement("a");
      link.href = "#" + input.id;
      link.textContent = message;
      link.addEventListener("click", (event) => { event.preventDefault(); input.focus(); });
      item.append(link);
    } else {
      item.textContent = message;
    }
    items.push(item);
  }
  $("#summary ul").replaceChildren(...items);
  $("#summary").hidden = false;
  $("#summary").focus();
}

// clean takes off what people paste along: blanks, a scheme, the parts shown around the field.
function clean(input) {
  const box = input.closest(".control");
  if (!box?.dataset.suffix && !box?.dataset.prefix) return;
  let text = input.value.trim();
  const { prefix = "", suffix = "" } = box.dataset;
  if (suffix) {
    text = text.replace(/^https?:\/\//i, "");
    const at = text.toLowerCase().indexOf(suffix.toLowerCase());
    if (at >= 0) text = text.slice(0, at);
    if (!suffix.includes("/")) text = text.split(/[/?#]/)[0];
  }
  if (prefix && text.startsWith(prefix)) text = text.slice(prefix.length);
  if (text !== input.value) input.value = text;
}

const touched = new Set();
let checking = 0;
// While a finger or a button is down nothing may move: a press on Connect leaves the field, and a
// complaint that shows up before it ends would push Connect away from under it.
let pressing = null;
let pressed = () => {};

document.addEventListener("pointerdown", () => {
  pressing = new Promise((ended) => { pressed = () => setTimeout(ended); });
});
for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, () => pressed());

async function check(name) {
  touched.add(name);
  const mine = ++checking;
  try {
    const errors = await ask(config.check, new URLSearchParams(new FormData(form)));
    await pressing;
    if (mine !== checking) return;
    for (const field of touched) setError(field, errors[field] ?? "");
  } catch {
    // The answers are checked again when the form is sent.
  }
}

function busy(on) {
  const button = $("#go");
  button.setAttribute("aria-busy", on ? "true" : "false");
  button.disabled = on;
}

async function start(event) {
  event.preventDefault();
  if ($("#go").disabled) return;
  $$(".control input", form).forEach(clean);
  const redirects = "redirects" in chosen().dataset;
  // Within the click: a browser lets a window open only now, not after an answer has come.
  const opened = redirects ? openWindow() : null;
  current = { window: opened };
  busy(true);
  checking++; // what was asked before has its answer here
  clearErrors();
  try {
    const progress = await ask(form.action, new URLSearchParams(new FormData(form)));
    if (progress.status === "pending" && progress.form_url) {
      location.assign(progress.form_url); // it says what to do elsewhere, and waits there
    } else if (progress.status === "pending" && progress.url) {
      current.url = progress.url;
      if (opened) opened.location.replace(progress.url);
      follow(progress.flow);
      stage("");
      show(opened ? "waiting" : "blocked");
    } else if (progress.status === "pending") {
      follow(progress.flow);
      stage("finishing");
      show("waiting");
    } else if (progress.status === "invalid") {
      closeWindow();
      showErrors(progress.errors ?? {});
    } else {
      closeWindow();
      current.flow = progress.flow;
      if (progress.status === "choice" && progress.form_url) location.assign(progress.form_url);
      else arrived(progress);
    }
  } catch (err) {
    closeWindow();
    if (err instanceof NotJSON) return form.submit();
    $('[data-act="retry"]').hidden = false;
    show("failed");
  } finally {
    busy(false);
  }
}

const acts = {
  reopen() {
    closeWindow();
    current.window = openWindow(current.url);
    show(current.window ? "waiting" : "blocked");
  },
  tab() {
    stopFollowing();
    closeWindow();
    location.assign(current.url);
  },
  async cancel() {
    stopFollowing();
    closeWindow();
    const flow = current?.flow;
    current = null;
    show("form");
    if (flow) await ask(config.cancel, new URLSearchParams({ csrf, flow })).catch(() => {});
  },
  retry() {
    stopFollowing();
    current = null;
    if (form) show("form");
    else location.assign(config.again ?? location.href);
  },
  close() { window.close(); },
};

document.addEventListener("click", (event) => {
  const act = event.target.closest("[data-act]");
  if (act) acts[act.dataset.act]();
  const eye = event.target.closest("[data-reveal]");
  if (eye) {
    const input = document.getElementById(eye.dataset.reveal);
    const hidden = input.type === "password";
    input.type = hidden ? "text" : "password";
    eye.setAttribute("aria-pressed", String(hidden));
  }
  const link = event.target.closest("#summary a");
  if (link && !event.defaultPrevented) {
    event.preventDefault();
    document.getElementById(link.hash.slice(1))?.focus();
  }
});

if (form) {
  form.addEventListener("submit", start);
  form.addEventListener("change", (event) => {
    if (event.target.name === "method") chooseMethod();
  });
  form.addEventListener("focusout", (event) => {
    const box = event.target.closest("[data-field]");
    if (!box || event.target !== control(box)) return;
    clean(event.target);
    if (event.target.value !== "" || touched.has(box.dataset.field)) check(box.dataset.field);
  });
  chooseMethodOnReturn();
}

// The browser restores radio buttons when one comes back to the page, but not which fields they show.
function chooseMethodOnReturn() {
  const group = $(".method:not([hidden])", form);
  if (group && group.dataset.method !== chosen().value) chooseMethod();
}

const summary = $("#summary");
if (summary && !summary.hidden) summary.focus();

if (wait) follow(wait.dataset.flow);

function tick() {
  for (const time of $$("[data-countdown]")) {
    const left = Math.round((Date.parse(time.dataset.countdown) - Date.now()) / 1000);
    if (left >= 0 && left < 3600) time.textContent = Math.floor(left / 60) + ":" + String(left % 60).padStart(2, "0");
  }
}
if ($("[data-countdown]")) setInterval(tick, 1000);

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && current?.flow && !$('[data-panel="waiting"]')?.hidden) acts.cancel();
});
