// The callback of a provider that answers in the fragment of the address. What it says is taken out of
// the address, and so out of the history, before anything else; then the form brings it to us.
document.documentElement.classList.add("js");

const form = document.getElementById("fragment");
form.elements.query.value = location.search.slice(1);
form.elements.fragment.value = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
form.submit();
