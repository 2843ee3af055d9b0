// A list of connectors: narrowed and put in order while one types, kept in the address, walked with the
// arrow keys. The server draws every entry and hides what the address leaves out; from then on it is
// not asked again. The rules are those of find.go.
document.documentElement.classList.add("js");

const form = document.getElementById("find");
const list = document.getElementById("found");
const count = document.getElementById("count");
const none = document.getElementById("none");
const clears = [...document.querySelectorAll("[data-clear]")];
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const tokens = (text) => (text ?? "").split(" ").filter(Boolean);
const names = ["q", "category", "kind", "signin", "sort"];

const entries = [...list.children].map((item) => ({
  item,
  link: item.querySelector("a"),
  sorted: [item.dataset.text.split("|", 1)[0], item.dataset.text],
  text: fold(item.dataset.text),
  name: fold(item.dataset.text.split("|", 1)[0]),
  category: tokens(item.dataset.category),
  kind: tokens(item.dataset.kind),
  signin: "signin" in item.dataset,
  used: Number(item.dataset.used ?? 0),
  verified: Number(item.dataset.verified ?? 0),
}));
let inOrder = entries; // as the server has drawn it

/* What the form says, and back. */

function read() {
  const data = new FormData(form);
  return Object.fromEntries(names.map((name) => [name, String(data.get(name) ?? "").trim()]));
}

function address(state) {
  const query = String(new URLSearchParams(names.filter((name) => state[name]).map((name) => [name, state[name]])));
  return location.pathname + (query && "?" + query);
}

function fill(params) {
  for (const control of form.elements) {
    const value = params.get(control.name) ?? "";
    if (control.type === "radio" || control.type === "checkbox") control.checked = control.value === value;
    else if (names.includes(control.name)) control.value = value;
  }
}

/* Narrowing and order. */

function finds(state) {
  const words = fold(state.q).split(/\s+/).filter(Boolean);
  return (entry) =>
    words.every((word) => entry.text.includes(word)) &&
    (!state.category || entry.category.includes(state.category)) &&
    (!state.kind || entry.kind.includes(state.kind)) &&
    (!state.signin || entry.signin);
}

function order(state) {
  const query = fold(state.q).split(/\s+/).filter(Boolean).join(" ");
  const fit = (entry) => (!query || entry.name.startsWith(query) ? 0 : entry.name.includes(" " + query) ? 1 : 2);
  const first = {
    used: (a, b) => b.used - a.used,
    verified: (a, b) => b.verified - a.verified,
  }[state.sort] ?? ((a, b) => fit(a) - fit(b));
  const compare = (a, b) => (a === b ? 0 : a < b ? -1 : 1);
  return (a, b) => first(a, b) || compare(a.sorted[0], b.sorted[0]) || compare(a.sorted[1], b.sorted[1]);
}

function apply(state = read()) {
  const found = finds(state);
  let shown = 0;
  for (const entry of entries) {
    const is = found(entry);
    if (is) shown++;
    if (entry.item.hidden === is) entry.item.hidden = !is;
  }
  const next = [...entries].sort(order(state));
  if (next.some((entry, i) => entry !== inOrder[i])) list.append(...next.map((entry) => entry.item));
  inOrder = next;
  none.hidden = shown > 0;
  for (const clear of clears) clear.hidden = !none.contains(clear) && !(state.q || state.category || state.kind || state.signin);
  const text = count.dataset.pattern.replace("{n}", shown).replace("{total}", entries.length);
  if (count.textContent !== text) count.textContent = text;
  rove(links()[0]);
}

/* The address: what one chooses is a step to go back by, what one types is one step together. */

let typing = false;

function note(state, typed) {
  const to = address(state);
  if (to === location.pathname + location.search) return;
  if (typed && typing) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  typing = typed;
}

form.addEventListener("input", (event) => {
  const state = read();
  apply(state);
  note(state, event.target.name === "q");
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  links()[0]?.focus();
});

for (const clear of clears) {
  clear.addEventListener("click", (event) => {
    event.preventDefault();
    fill(new URLSearchParams());
    apply();
    note(read(), false);
    form.elements.q.focus();
  });
}

addEventListener("popstate", () => {
  typing = false;
  fill(new URLSearchParams(location.search));
  apply();
});

/* The list is one stop for Tab; within it the arrow keys lead on. */

const links = () => inOrder.filter((entry) => !entry.item.hidden).map((entry) => entry.link);
let current;

function rove(link) {
  if (current) current.tabIndex = -1;
  current = link;
  if (current) current.tabIndex = 0;
}

const topOf = (link) => link.getBoundingClientRect().top;
const columns = (all) => {
  const next = all.findIndex((link) => topOf(link) > topOf(all[0]));
  return next < 0 ? all.length : next;
};
const along = document.documentElement.dir === "rtl" ? -1 : 1;
const keys = {
  ArrowRight: (all, at) => all[at + along],
  ArrowLeft: (all, at) => all[at - along],
  ArrowDown: (all, at) => all[at + columns(all)] ?? all.at(-1),
  ArrowUp: (all, at) => (at < columns(all) ? form.elements.q : all[at - columns(all)]),
  Home: (all) => all[0],
  End: (all) => all.at(-1),
};

list.addEventListener("focusin", (event) => rove(event.target));

list.addEventListener("keydown", (event) => {
  const move = keys[event.key];
  if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = links();
  const next = move(all, all.indexOf(event.target));
  if (!next) return;
  event.preventDefault();
  next.focus();
});

form.elements.q.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown") return;
  event.preventDefault();
  links()[0]?.focus();
});

for (const { link } of entries) link.tabIndex = -1;
rove(links()[0]);
