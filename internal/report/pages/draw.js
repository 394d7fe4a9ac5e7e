// The charts of what is chosen are drawn as those that were written.
function make(name, attributes, text) {
  const e = document.createElementNS(document.querySelector("svg").namespaceURI, name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  if (text !== undefined) e.textContent = text;
  return e;
}

const svg = (id) => document.querySelector(`#${id} svg`);
const at = (n) => Math.round(n * 10) / 10;
const rect = (x, y, width, height) => `M${at(x)} ${at(y)}h${at(width)}v${at(height)}h${at(-width)}z`;

function redraw(e, was) {
  e.replaceChildren(...was.cloneNode(true).childNodes);
}

const parts = (sum) => [["useful", sum.spent - sum.again - sum.wasted], ["again", sum.again], ["wasted", sum.wasted]];

function spentText(sum) {
  return String(sum.spent) + (sum.again ? `, ${sum.again} of them again on purpose` : "") + (sum.wasted ? `, ${sum.wasted} of them wasted` : "");
}

function shape(svg, className, d, said) {
  const path = make("path", { class: className, d });
  path.append(make("title", {}, said));
  svg.insertBefore(path, svg.querySelector("text"));
}

// drawDays keeps the axis, so that a suite can be compared with all of them.
function drawDays(byDay, first) {
  const to = svg("per-day");
  if (!to) return;
  for (const old of all(to, "path[data-from]")) old.remove();
  const width = (bars.Right - bars.Left) / bars.Places, y = (units) => bars.Bottom - ((bars.Bottom - bars.Top) * units) / bars.High;
  let spent = 0;
  bars.Spans.forEach(([begin, end, name], place) => {
    const sum = zero(), out = end < first;
    for (let day = out ? begin : Math.max(begin, first); day <= end; day++) if (byDay.has(day)) add(sum, names, names.map((n) => byDay.get(day)[n]));
    sum.wasted = wasted(sum);
    if (!out) spent += sum.spent;
    let below = 0;
    for (const [part, units] of parts(sum)) {
      if (units > 0) shape(to, out ? `${part} out` : part, rect(bars.Left + width * (place + 0.1), y(below + units), width * 0.8, y(below) - y(below + units)), `${name}: ${spentText(sum)}`);
      below += units;
    }
  });
  to.querySelector("desc").textContent = `${spent} units were spent in what is chosen.`;
}

// dearest are the groups of a table that spent most of what is chosen. Those that have no
// row are one of them: any could be dearer than what has one.
function dearest(table) {
  return [...(rows[table] || []), foot(table)]
    .filter((row) => row && !row.hidden)
    .map((row) => ({ name: row.cells[0].textContent, ...Object.fromEntries(["spent", "again", "wasted"].map((name) => [name, Number(cell(row, name).textContent)])) }))
    .sort((a, b) => b.spent - a.spent);
}

function short(name) {
  const letters = [...name];
  return letters.length > 40 ? letters.slice(0, 39).join("") + "…" : name;
}

// drawGroups hides the chart of a table that stays whole: it would be of what is not chosen.
function drawGroups(by) {
  const to = svg(`spent-by-${by}`);
  if (to && !tables[by]) to.closest("figure").hidden = true;
  else drawBars(`spent-by-${by}`, dearest(`by-${by}`));
}

function drawBars(id, groups) {
  const to = svg(id);
  if (!to) return;
  const row = 34, left = 4, width = 392, places = all(to, ".track").length, most = Math.max(1, ...groups.map((g) => g.spent));
  for (const old of all(to, "path, text")) old.remove();
  groups.slice(0, places).forEach((group, place) => {
    const y = place * row;
    let x = left;
    to.append(make("text", { x: left, y: y + 14 }, short(group.name)), make("text", { class: "end", x: left + width, y: y + 14 }, number(group.spent)));
    to.prepend(make("path", { class: "track", d: rect(left, y + 19, width, 10) }));
    for (const [part, units] of parts(group)) {
      if (units > 0) shape(to, part, rect(x, y + 19, (width * units) / most, 10), `${group.name} ${spentText(group)}`);
      x += (width * Math.max(units, 0)) / most;
    }
  });
  to.querySelector("desc").textContent = groups.slice(0, places).map((g) => `${g.name} ${spentText(g)}`).join("; ");
}

// veil covers what is before the time that was chosen; what is left is that of all suites.
function veil(first) {
  const to = svg("burn-down"), width = ((left.Right - left.Left) * first) / left.Places;
  if (to && first > 0) to.insertBefore(make("path", { class: "veil", d: rect(left.Left, left.Top, width, left.Bottom - left.Top) }), to.querySelector("text"));
}

if (form) {
  form.hidden = false;
  form.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  if (suite.value || time.value) filter();
}
