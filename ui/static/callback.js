// The end of a flow, in the window that was opened or in the tab itself. It tells the page that waits,
// if there is one, and otherwise whoever opened the dialog. Nothing depends on it: the waiting page
// also asks the server.
document.documentElement.classList.add("js");

const result = document.getElementById("result");
const { outcome, flow, connection, status, code, reference } = result.dataset;
const origin = document.body.dataset.openerOrigin;
const back = document.querySelector("a[data-return]");

document.getElementById("page-title").focus();

for (const button of document.querySelectorAll("[data-close]")) {
  button.addEventListener("click", () => {
    window.close();
    // A tab that no script has opened stays; then the person has to close it.
    setTimeout(() => { button.hidden = true; show("alone"); }, 300);
  });
}

// A page that waits for this flow answers within the blink of an eye.
function somebodyWaits() {
  if (!flow || typeof BroadcastChannel === "undefined") return Promise.resolve(false);
  return new Promise((resolve) => {
    const channel = new BroadcastChannel("dowel-connect-" + flow);
    const giveUp = setTimeout(() => { channel.close(); resolve(false); }, 700);
    channel.onmessage = (event) => {
      if (event.data?.type !== "waiting") return;
      clearTimeout(giveUp);
      channel.close();
      resolve(true);
    };
    channel.postMessage({ type: "finished" });
  });
}

function show(when) {
  for (const line of document.querySelectorAll(`[data-when="${when}"]`)) line.hidden = false;
}

// tellOpener names the one origin that was registered; a message for anybody else is dropped by the
// browser.
function tellOpener() {
  const host = window.opener ?? (window.parent === window ? null : window.parent);
  if (!host || !origin) return false;
  const message = outcome === "done"
    ? { type: "dowel:connected", connection, status }
    : { type: "dowel:failed", code, reference };
  host.postMessage(message, origin);
  return true;
}

if (await somebodyWaits()) {
  show("popup");
  if (back) back.hidden = true;
  // The waiting page says all that is said here.
  setTimeout(() => window.close(), 2000);
} else if (outcome === "done") {
  const told = tellOpener();
  if (told && window.opener) {
    show("popup");
    setTimeout(() => window.close(), 2000);
  } else if (back && window.parent === window) {
    setTimeout(() => back.click(), 2000);
  } else {
    show("alone");
  }
} else {
  tellOpener();
}
