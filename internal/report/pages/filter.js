// What happened on a day of a suite, after the place of the day.
const names = ["spent", "repeated", "refused", "failed", "unknown", "refunded", "again", "saved", "replayed", "retried", "blocked"];
const causes = names.slice(1, 5), columns = ["runs", "spent", "wasted", "refunded", "again"];
const { days, bands, from, words, suites, tables, blocked, Bars: bars, Left: left } = JSON.parse(document.getElementById("data").textContent);
const form = document.getElementById("filter"), suite = document.getElementById("suite"), time = document.getElementById("days");
const all = (of, selector) => [...of.querySelectorAll(selector)];
// The page as it was written, which is what nothing chosen shows.
const written = new Map(all(document, "#wasted dd, #again dd, #saved dd, [data-command] code, #waste [data-of=units], #blocked td, [id^=by-] td, figure svg").map((e) => [e, e.cloneNode(true)]));
const rows = Object.fromEntries(all(document, "table").map((t) => [t.id, [...t.tBodies[0].rows]]));
const zero = () => Object.fromEntries([...names, ...columns, "lately", "before"].map((name) => [name, 0]));
const add = (sum, figures, of) => figures.forEach((name, i) => (sum[name] += of[i]));
const wasted = (sum) => causes.reduce((n, name) => n + sum[name], 0);
const number = (n) => n.toLocaleString("en-US");

function filter() {
  const filtered = suite.value !== "" || time.value !== "", first = time.value ? Math.max(days - time.value, 0) : 0;
  for (const [e, was] of written) e.tagName === "svg" ? redraw(e, was) : e.replaceChildren(...was.cloneNode(true).childNodes);
  for (const e of all(document, "#unfiltered, .unfiltered")) e.hidden = !filtered;
  for (const e of all(document, "tr, figure")) e.hidden = false;
  for (const e of all(document, "tr[data-suite]")) e.hidden = suite.value !== "" && e.dataset.suite !== suite.value;
  for (const e of all(document, "tr[data-day]")) e.hidden = Number(e.dataset.day) < first;
  document.getElementById("filtered").textContent = "";
  if (filtered) choose(first);
  for (const table of all(document, "table")) order(table, rows[table.id], filtered);
}

// choose shows what is left of a suite, and from a day on.
function choose(first) {
  const sum = zero(), byDay = new Map();
  suites.forEach((of, place) => {
    if (suite.value && place !== Number(suite.value)) return;
    for (const [day, ...figures] of of) {
      if (!byDay.has(day)) byDay.set(day, zero());
      add(byDay.get(day), names, figures);
      if (day >= first) add(sum, names, figures);
    }
  });
  const chosen = [suite, time].filter((of) => of.value).map((of) => of.selectedOptions[0].textContent).join(", ");
  document.getElementById("filtered").textContent =
    `${chosen}: ${number(sum.spent)} spent, ${number(wasted(sum))} of them wasted, ${number(sum.again)} bought again on purpose, ${number(sum.saved)} saved, ${number(sum.blocked)} runs blocked`;
  say("wasted", wasted(sum), `bought nothing new; ${sum.retried} second tries of one run`);
  say("again", sum.again, "by verify, refresh or mode live: no waste");
  say("saved", sum.saved, `${sum.replayed} requests replayed`);
  for (const row of rows["waste"] || []) row.hidden = !(cell(row, "units").textContent = sum[row.dataset.cause]);
  chooseDays(byDay, first);
  for (const [by, cells] of Object.entries(tables)) chooseGroups(by, cells);
  chooseBlocked();
  for (const e of all(document, "[data-command]")) command(e.querySelector("code"), e.dataset.command === "suite");
  drawDays(byDay, first);
  drawGroups("suite");
  drawGroups("test");
  drawBars("savings", [{ name: "bought", spent: sum.spent, again: sum.again, wasted: wasted(sum) }, { name: "saved", spent: sum.saved, again: 0, wasted: 0 }]);
  if (time.value) veil(first);
}

const cell = (row, name) => row.querySelector(`[data-of=${name}]`);

function say(id, units, remark) {
  const [figure, quiet] = all(document, `#${id} dd`);
  figure.textContent = units;
  quiet.textContent = remark;
}

function fill(row, sum) {
  for (const name of [...columns, "lately", "before"]) {
    const to = cell(row, name);
    if (to && to.textContent !== "–") to.textContent = sum[name];
  }
}

const shown = (sum) => columns.some((name) => sum[name] !== 0);
const foot = (table) => document.querySelector(`#${table} tfoot tr`);

function chooseDays(byDay, first) {
  const others = zero(), listed = new Set();
  const figures = (day) => {
    const sum = { ...(byDay.get(day) || zero()) };
    sum.wasted = wasted(sum);
    return sum;
  };
  for (const row of rows["by-day"] || []) {
    listed.add(Number(row.dataset.day));
    fill(row, figures(Number(row.dataset.day)));
  }
  for (const day of byDay.keys()) if (day >= first && !listed.has(day)) add(others, columns, columns.map((name) => figures(day)[name]));
  if (foot("by-day")) fill(foot("by-day"), others), (foot("by-day").hidden = !shown(others));
}

// chooseGroups adds up the cells of a table that are of the suite and in bands of the time.
function chooseGroups(by, cells) {
  const table = `by-${by}`, sums = new Map(), last = time.value ? bands.indexOf(Number(time.value)) : bands.length;
  for (const [row, of, lately, before, ...figures] of cells) {
    if (suite.value && of !== Number(suite.value)) continue;
    if (!sums.has(row)) sums.set(row, zero());
    const sum = sums.get(row);
    add(sum, ["lately", "before"], [lately, before]);
    for (let i = 0; i < figures.length; i += columns.length + 1) if (figures[i] <= last) add(sum, columns, figures.slice(i + 1, i + 1 + columns.length));
  }
  rows[table].forEach((row, place) => {
    const sum = sums.get(place) || zero();
    fill(row, sum);
    row.hidden = !shown(sum);
  });
  if (foot(table)) fill(foot(table), sums.get(-1) || zero()), (foot(table).hidden = !shown(sums.get(-1) || zero()));
}

function chooseBlocked() {
  const last = time.value ? bands.indexOf(Number(time.value)) : bands.length;
  (rows["blocked"] || []).forEach((row, place) => {
    const sum = [0, 0];
    for (const [of, band, times, units] of blocked) if (of === place && band <= last) (sum[0] += times), (sum[1] += units);
    cell(row, "times").textContent = sum[0];
    cell(row, "units").textContent = sum[1];
    row.hidden = row.hidden || sum[0] === 0;
  });
}

// command makes what is typed the one for what is chosen: of a flag the last one counts.
function command(code, withSuite) {
  const more = [];
  if (withSuite && suite.value) more.push("--suite", words[suite.value]);
  if (time.value && from[time.value]) more.push("--since", from[time.value]);
  for (const word of more) {
    const span = document.createElement("span");
    span.textContent = word;
    code.append(" ", span);
  }
}
