// What several pages do: copy, download, tell what happened.

export const element = (id) => document.getElementById(id);

/** Shows a text in an element, or hides it when there is none. */
export function tell(target, text) {
  target.textContent = text ?? "";
  target.hidden = !text;
}

/** Makes an element with text. */
export function make(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** Copies a text, and says so on the button for a while. */
export async function copy(button, text) {
  const label = (button.dataset.label ??= button.textContent);
  let done = "Copied";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    done = "Select and copy by hand";
  }
  button.textContent = done;
  setTimeout(() => (button.textContent = label), 2000);
}

/** Hands a text over as a file. */
export function download(text, fileName) {
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
  link.download = fileName;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Buttons with data-copy or data-download act on the text of the element that they name. */
export function serveButtons(root) {
  root.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-copy], button[data-download]");
    if (!button) return;
    const { copy: from, download: of, fileName } = button.dataset;
    if (from) copy(button, element(from).textContent);
    if (of) download(element(of).textContent, fileName);
  });
}

const UNITS = [["year", 31_536_000], ["month", 2_592_000], ["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]];

/** A time of a token in words: when it is, and how far from now. */
export function timeInWords(seconds, now = Date.now() / 1000) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return "beyond all calendars";
  const distance = seconds - now;
  const [unit, length] = UNITS.find(([, length]) => Math.abs(distance) >= length) ?? ["second", 1];
  const relative = new Intl.RelativeTimeFormat("en", { numeric: "always" }).format(Math.round(distance / length), unit);
  return `${date.toISOString().replace(".000Z", "Z")}, ${relative}`;
}

const HELD = "claimgate.signingKey";

/** The private key at hand, which this tab alone knows and forgets when it is closed. */
export const keyAtHand = {
  get: () => JSON.parse(sessionStorage.getItem(HELD) ?? "null"),
  set: (jwk) => sessionStorage.setItem(HELD, JSON.stringify(jwk)),
  forget: () => sessionStorage.removeItem(HELD),
};

/** The JWK set that a new custom domain begins with. */
export const jwksForDomain = {
  set: (jwks) => sessionStorage.setItem("claimgate.jwks", jwks),
  /** Gives it once. */
  take() {
    const jwks = sessionStorage.getItem("claimgate.jwks");
    sessionStorage.removeItem("claimgate.jwks");
    return jwks;
  },
};
