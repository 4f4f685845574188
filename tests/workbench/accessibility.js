/* What axe-core does not look at: names and contrast of charts, ids. */
() => {
  const faults = [];
  const say = (rule, node) => faults.push(`${rule}: ${node.outerHTML.slice(0, 140)}`);

  for (const each of document.querySelectorAll("svg")) if (!each.getAttribute("aria-label")) say("picture without name", each);
  const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) say("id twice", document.getElementById(id));

  const parts = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.map((value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (let each = node; each; each = each.parentElement) {
      const [r, g, b, a = 1] = parts(getComputedStyle(each).backgroundColor);
      if (a === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  for (const text of document.querySelectorAll("svg text")) {
    const [r, g, b, a = 1] = parts(getComputedStyle(text).fill);
    const back = behind(text);
    const front = [r, g, b].map((value, place) => a * value + (1 - a) * back[place]);
    const [high, low] = [light(front), light(back)].sort((x, y) => y - x);
    if ((high + 0.05) / (low + 0.05) < 4.5) say(`contrast ${((high + 0.05) / (low + 0.05)).toFixed(2)}`, text);
  }
  return faults;
}
