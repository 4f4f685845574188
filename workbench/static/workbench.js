"use strict";
/* Keyboard flow. Rows are tr[data-row] with a link; anything with data-key answers its key; g and a letter go to a page. */
(() => {
  const rows = [...document.querySelectorAll("tr[data-row]")];
  const help = document.getElementById("keys");
  let at = -1;
  let going = false;

  const select = (next) => {
    if (!rows.length) return;
    if (at >= 0) rows[at].classList.remove("at");
    at = Math.max(0, Math.min(rows.length - 1, next));
    rows[at].classList.add("at");
    rows[at].scrollIntoView({ block: "nearest" });
    const link = rows[at].querySelector("a");
    if (link) link.focus({ preventScroll: true });
  };

  const act = (target) => {
    if (!target) return false;
    if (target.matches("input, select, textarea")) target.focus();
    else target.click();
    return true;
  };

  const keyed = (key, from) => [...from.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key && !each.disabled);

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input:not([type=checkbox]), textarea, select");
    if (event.key === "Escape") {
      if (help && help.open) help.close();
      else if (typing) event.target.blur();
      going = false;
      return;
    }
    if (typing) {
      if (event.key === "Enter" && event.ctrlKey && event.target.form) {
        event.preventDefault();
        const first = event.target.form.querySelector("button:not(:disabled)");
        event.target.form.requestSubmit(first || undefined);
      }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || (help && help.open)) return;
    const { key } = event;
    let done = true;
    if (going) {
      done = act(keyed(`g ${key}`, document));
      going = false;
    } else if (key === "g") going = true;
    else if (key === "j") select(at + 1);
    else if (key === "k") select(at < 0 ? 0 : at - 1);
    else if (key === "?" && help) help.showModal();
    else if (key === "x" && at >= 0) done = act(rows[at].querySelector("input[type=checkbox]"));
    else done = (at >= 0 && act(keyed(key, rows[at]))) || act(keyed(key, document));
    if (done) event.preventDefault();
  });

  for (const button of document.querySelectorAll("[data-help]")) button.addEventListener("click", () => help.showModal());
  for (const button of document.querySelectorAll("dialog [data-close]")) button.addEventListener("click", () => help.close());

  /* a form is sent once */
  for (const form of document.querySelectorAll("form[method=post]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "1";
    });
  }
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form")) delete form.dataset.sent;
  });

  for (const all of document.querySelectorAll("input[data-all]")) {
    all.addEventListener("change", () => {
      for (const box of document.querySelectorAll(`input[name="${all.dataset.all}"]`)) box.checked = all.checked;
    });
  }
})();
