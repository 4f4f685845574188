/* What a page lacks for whoever reads it with a screen reader, a keyboard or weak eyes (WCAG 2.1 A and AA, a part). */
() => {
  const faults = [];
  const say = (rule, node) => faults.push(`${rule}: ${node.outerHTML.slice(0, 140)}`);
  const shown = (node) => !!node.getClientRects().length && getComputedStyle(node).visibility !== "hidden";
  const text = (node) => (node.getAttribute("aria-label") || node.innerText || node.textContent || "").trim();

  if (!document.documentElement.lang) say("the page has no language", document.documentElement);
  if (!document.title.trim()) say("the page has no title", document.head);
  if (document.querySelectorAll("main").length !== 1) say("not one main landmark", document.body);
  for (const nav of document.querySelectorAll("nav")) if (!nav.getAttribute("aria-label")) say("nav without name", nav);
  const headings = [...document.querySelectorAll("h1, h2, h3, h4")].filter(shown);
  if (headings.filter((each) => each.tagName === "H1").length !== 1) say("not one h1", document.body);
  let level = 0;
  for (const heading of headings) {
    const own = Number(heading.tagName[1]);
    if (own > level + 1) say("heading level skipped", heading);
    if (!text(heading)) say("empty heading", heading);
    level = own;
  }
  for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    const named = field.getAttribute("aria-label") || [...(field.labels || [])].some((label) => text(label));
    if (!named) say("field without label", field);
  }
  for (const each of document.querySelectorAll("a[href], button")) if (shown(each) && !text(each)) say("no name", each);
  for (const each of document.querySelectorAll("svg")) if (!each.getAttribute("aria-label")) say("picture without name", each);
  for (const each of document.querySelectorAll("th")) if (shown(each) && !text(each) && !each.querySelector("[aria-label]")) say("empty table header", each);
  for (const each of document.querySelectorAll("[tabindex]")) if (each.tabIndex > 0) say("order of tabs forced", each);
  const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) say("id twice", document.getElementById(id));

  const parts = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.map((value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (let each = node; each; each = each.parentElement) {
      const style = getComputedStyle(each);
      const [r, g, b, a = 1] = parts(style.backgroundColor);
      if (a === 1 && style.backgroundColor !== "rgba(0, 0, 0, 0)") return [r, g, b];
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || seen.has(node) || !shown(node) || node.closest("script, style, title")) continue;
    seen.add(node);
    const style = getComputedStyle(node);
    const colour = node.closest("svg") ? style.fill : style.color;
    const [r, g, b, a = 1] = parts(colour);
    const back = behind(node);
    const front = [r, g, b].map((value, place) => a * value + (1 - a) * back[place]);
    const [high, low] = [light(front), light(back)].sort((x, y) => y - x);
    const contrast = (high + 0.05) / (low + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    if (contrast < (large ? 3 : 4.5) && !node.closest(":disabled")) say(`contrast ${contrast.toFixed(2)}`, node);
  }
  return faults;
}
