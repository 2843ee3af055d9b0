// The console: sections that follow what happens, countdowns, and filters that apply themselves.
document.documentElement.classList.add("js");

const every = 2000;
const toggle = document.querySelector("[data-live]");
const sections = () => [...document.querySelectorAll("[data-refresh]")];
// The page's own address: a form that did not work has left another one.
const self = document.querySelector("[data-self]")?.dataset.self ?? location.href;
let live = true;

/* Countdowns tick by themselves; the server's clock is known from the first reading. */

function tick() {
  for (const time of document.querySelectorAll("[data-countdown]")) {
    const left = Math.round((Date.parse(time.dataset.countdown) - Date.now()) / 1000);
    if (left < 0 || left >= 3600) continue;
    time.textContent = Math.floor(left / 60) + ":" + String(left % 60).padStart(2, "0");
  }
}

/* A section is replaced when it has changed, unless somebody is at work in it. */

function replace(section, next) {
  if (!next) return;
  const fresh = next.innerHTML;
  if (section.dataset.was === fresh || section.contains(document.activeElement)) return;
  const known = new Set([...section.querySelectorAll(".event")].map((event) => event.id));
  section.dataset.was = fresh;
  section.replaceChildren(...next.childNodes);
  if (known.size === 0) return;
  for (const event of section.querySelectorAll(".event")) {
    if (!known.has(event.id)) event.classList.add("fresh");
  }
}

async function refresh() {
  try {
    const response = await fetch(self, { headers: { Accept: "text/html" }, credentials: "same-origin", cache: "no-store" });
    // Signed out, or gone: what is shown is the last that was known.
    if (!response.ok || response.redirected) return stop();
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const section of sections()) replace(section, page.getElementById(section.id));
    tick();
  } catch {
    // The server may be starting again; the next round will tell.
  }
}

function stop() {
  live = false;
  toggle?.setAttribute("aria-pressed", "false");
}

async function follow() {
  if (live && !document.hidden) await refresh();
  setTimeout(follow, every);
}

if (sections().length > 0) setTimeout(follow, every);
toggle?.addEventListener("click", () => {
  live = !live;
  toggle.setAttribute("aria-pressed", String(live));
});
tick();
setInterval(tick, 1000);

for (const form of document.querySelectorAll("[data-submit-on-change]")) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select")) form.requestSubmit();
  });
}

document.querySelector('.note[role="status"], .note[role="alert"]')?.scrollIntoView({ block: "nearest" });
