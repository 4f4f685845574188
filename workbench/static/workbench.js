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
    if (target.matches("input:not([type=checkbox]), select, textarea")) target.focus();
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
        const first = event.target.form.querySelector("button:not([type=button]):not(:disabled)");
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

  /* a form that is checked by the server while it is filled in */
  for (const form of document.querySelectorAll("form[data-recheck]")) {
    const shown = document.getElementById("recheck");
    let waiting = 0;
    let newest = 0;
    const check = async () => {
      newest += 1;
      const mine = newest;
      const body = new FormData(form);
      body.delete("reason");
      const answer = await fetch(form.dataset.recheck, { method: "POST", body, headers: { "X-CSRF-Token": body.get("csrf") } });
      const text = await answer.text();
      if (mine !== newest) return;
      shown.innerHTML = answer.ok ? text : "<p class='bad'>无法检查, 请稍后再试。</p>";
      for (const slot of answer.ok ? form.querySelectorAll("[data-beside]") : []) {
        slot.replaceChildren(...shown.querySelectorAll(`[data-of="${slot.dataset.beside}"]`));
      }
    };
    const soon = (event) => {
      if (event.target.name === "reason") return;
      clearTimeout(waiting);
      waiting = setTimeout(check, 350);
    };
    form.addEventListener("input", soon);
    for (const button of form.querySelectorAll("[data-fill]")) {
      button.addEventListener("click", () => {
        const field = document.getElementById(button.dataset.fill);
        field.value = button.dataset.text;
        field.dispatchEvent(new Event("input", { bubbles: true }));
      });
    }
  }

  for (const all of document.querySelectorAll("input[data-all]")) {
    all.addEventListener("change", () => {
      for (const box of document.querySelectorAll(`input[name="${all.dataset.all}"]`)) box.checked = all.checked;
    });
  }
})();
