// The Traffic page draws itself anew whenever the server has new numbers.

import { element } from "./page.js";

const live = element("live");
const pause = element("pause");

/** Replaces what is shown, and leaves open what was open. */
function show(html) {
  const open = [...live.querySelectorAll("details[open]")].map(({ id }) => id);
  const focused = live.contains(document.activeElement) ? document.activeElement.closest("details")?.id : undefined;
  live.innerHTML = html;
  for (const id of open) element(id)?.setAttribute("open", "");
  if (focused) element(focused)?.querySelector("summary").focus();
}

const events = new EventSource(live.dataset.events);
events.addEventListener("traffic", ({ data }) => {
  if (pause.getAttribute("aria-pressed") === "false") show(data);
});
pause.addEventListener("click", () => {
  const isPaused = pause.getAttribute("aria-pressed") === "true";
  pause.setAttribute("aria-pressed", String(!isPaused));
});
addEventListener("pagehide", () => events.close());
