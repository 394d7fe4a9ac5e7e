"use strict";
for (const head of document.querySelectorAll("thead button")) {
  head.addEventListener("click", () => {
    const th = head.parentElement, table = th.closest("table"), body = table.tBodies[0];
    const up = th.getAttribute("aria-sort") === "descending";
    const value = (row) => row.cells[th.cellIndex].textContent;
    const order = (a, b) => (isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b);
    const rows = [...body.rows].sort((a, b) => (up ? 1 : -1) * order(value(a), value(b)));
    for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
    th.setAttribute("aria-sort", up ? "ascending" : "descending");
    body.append(...rows);
  });
}
