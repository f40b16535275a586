// What every page does: the session's token with each request of htmx, and the choice of colours.

const token = document.querySelector('meta[name="csrf-token"]').content;

document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  ctx.request.headers["x-csrf-token"] = token;
  // A field that is looked at alone takes nothing else of its form along.
  const only = ctx.sourceElement.dataset.only;
  if (only) {
    for (const name of [...ctx.request.body.keys()]) {
      if (name !== only) ctx.request.body.delete(name);
    }
  }
});

document.getElementById("theme").addEventListener("change", (event) => {
  const theme = event.target.value;
  document.documentElement.dataset.theme = theme;
  // The server makes the next page in these colours, so that none flashes in others.
  document.cookie = `claimgate_theme=${theme}; path=/; max-age=31536000; samesite=strict`;
});
