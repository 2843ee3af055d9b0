// The list of connectors: narrowed while one types, walked with the arrow keys.
document.documentElement.classList.add("js");

const search = document.getElementById("search");
const count = document.getElementById("count");
const items = [...document.querySelectorAll("#offers li")];
const total = items.length;
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const links = () => items.filter((item) => !item.hidden).map((item) => item.querySelector("a"));

function narrow() {
  const wanted = fold(search.value.trim());
  for (const item of items) item.hidden = !fold(item.dataset.name).includes(wanted);
  const shown = links().length;
  document.getElementById("none").hidden = shown > 0;
  count.textContent = count.dataset.pattern.replace("{n}", shown).replace("{total}", total);
}

// A list that the server has narrowed already has to be asked for again.
if (!new URLSearchParams(location.search).get("q")) {
  search.addEventListener("input", narrow);
  search.form.addEventListener("submit", (event) => {
    event.preventDefault();
    links()[0]?.focus();
  });
  document.getElementById("clear").addEventListener("click", (event) => {
    event.preventDefault();
    search.value = "";
    narrow();
    search.focus();
  });
  if (search.value) narrow();
}

const keys = {
  ArrowDown: (list, at) => list[at + 1] ?? list.at(-1),
  ArrowUp: (list, at) => (at <= 0 ? search : list[at - 1]),
  Home: (list) => list[0],
  End: (list) => list.at(-1),
};

document.addEventListener("keydown", (event) => {
  const move = keys[event.key];
  const inList = event.target.closest("#offers");
  if (!move || (!inList && !(event.target === search && event.key === "ArrowDown"))) return;
  const list = links();
  const next = move(list, list.indexOf(document.activeElement));
  if (!next) return;
  event.preventDefault();
  next.focus();
});
