// The Traffic page draws itself anew whenever the server has new numbers.

import { element } from "./page.js";

const live = element("live");
const pause = element("pause");

/** Replaces what is shown, and leaves as they are what was open, how far tables were scrolled, and the focus. */
function show(html) {
  const open = [...live.querySelectorAll("details[open]")].map(({ id }) => id);
  const scrolled = [...live.querySelectorAll(".scroll")].map(({ id, scrollLeft }) => [id, scrollLeft]);
  const active = live.contains(document.activeElement) ? document.activeElement : undefined;
  const focused = active?.id || active?.closest("details")?.id;
  live.innerHTML = html;
  for (const id of open) element(id)?.setAttribute("open", "");
  for (const [id, left] of scrolled) element(id)?.scrollTo({ left });
  if (focused) (element(focused)?.querySelector(":scope > summary") ?? element(focused))?.focus({ preventScroll: true });
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
