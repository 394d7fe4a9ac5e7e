"use strict";
// order sorts the rows of a table by the column that a reader chose; else by what was spent
// of what is chosen, or as they were written.
function order(table, rows, filtered) {
  const th = table.querySelector("[aria-sort]") || (filtered && table.id !== "by-day" && table.querySelector("[data-of=spent]"));
  const sign = th && th.ariaSort === "ascending" ? 1 : -1;
  const value = (row) => row.cells[th.cellIndex].textContent;
  const compare = (a, b) => (isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b);
  table.tBodies[0].append(...(th ? [...rows].sort((a, b) => sign * compare(value(a), value(b))) : rows));
}

for (const head of document.querySelectorAll("thead button")) {
  head.addEventListener("click", () => {
    const th = head.parentElement, table = th.closest("table");
    const up = th.ariaSort === "descending";
    for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
    th.setAttribute("aria-sort", up ? "ascending" : "descending");
    order(table, table.tBodies[0].rows);
  });
}
