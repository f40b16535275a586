// Rows of a form that can be added, removed and put in another order.

for (const group of document.querySelectorAll("[data-rows]")) {
  const list = group.querySelector("[data-list]");
  const blank = group.querySelector("template");

  group.querySelector("[data-add]").addEventListener("click", () => {
    list.append(blank.content.cloneNode(true));
    list.lastElementChild.querySelector("input:not([type=hidden]), select").focus();
  });

  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    const row = button?.closest("[data-row]");
    if (!row) return;
    if (button.matches("[data-remove]")) {
      const next = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      (next?.querySelector("[data-remove]") ?? group.querySelector("[data-add]")).focus();
    } else if (button.matches("[data-up]")) {
      row.previousElementSibling?.before(row);
      button.focus();
    } else if (button.matches("[data-down]")) {
      row.nextElementSibling?.after(row);
      button.focus();
    }
  });
}
