// A day of a suite: its place, spent, wasted, refunded, bought again, saved, blocked.
const { days, suites } = JSON.parse(document.getElementById("data").textContent);
const form = document.getElementById("filter"), suite = document.getElementById("suite"), time = document.getElementById("days");
const rows = [...document.querySelectorAll("#by-day tbody tr")];
const cells = ["spent", "wasted", "refunded", "again"];
const whole = new Map(rows.map((row) => [row, [...row.cells].map((cell) => cell.textContent)]));

function filter() {
  const from = time.value ? days - time.value : 0, sum = [0, 0, 0, 0, 0, 0], byDay = new Map();
  suites.forEach((all, place) => {
    if (suite.value && place !== Number(suite.value)) return;
    for (const [day, ...figures] of all) {
      if (day < from) continue;
      const so = byDay.get(day) || [0, 0, 0, 0, 0, 0];
      byDay.set(day, so.map((n, i) => n + figures[i]));
      figures.forEach((n, i) => (sum[i] += n));
    }
  });
  const filtered = suite.value || time.value;
  for (const row of rows) {
    const day = Number(row.dataset.day), figures = byDay.get(day) || [0, 0, 0, 0];
    row.hidden = day < from;
    cells.forEach((name, i) => (row.querySelector(`[data-of=${name}]`).textContent = filtered ? figures[i] : whole.get(row)[i + 2]));
  }
  for (const row of document.querySelectorAll("tr[data-suite]")) row.hidden = suite.value !== "" && row.dataset.suite !== suite.value;
  for (const bar of document.querySelectorAll("#per-day [data-from]")) bar.classList.toggle("out", bar.dataset.to < from || (suite.value !== "" && !within(byDay, bar)));
  const [spent, wasted, , again, saved, blocked] = sum;
  document.getElementById("filtered").textContent = filtered
    ? `${spent} spent, ${wasted} of them wasted, ${again} bought again on purpose, ${saved} saved, ${blocked} runs blocked`
    : "";
}

function within(byDay, bar) {
  for (let day = Number(bar.dataset.from); day <= bar.dataset.to; day++) if (byDay.has(day)) return true;
  return false;
}

if (form) {
  form.hidden = false;
  form.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  if (suite.value || time.value) filter();
}
