"use strict";
// All begins here.

let study;
const tables = {};

function follow() {
  const [, kind, rest] = location.hash.match(/^#(rows?|method)-(.+)$/) ?? [];
  if (kind?.startsWith("row")) tables.rows.show(rest);
  if (kind === "method") {
    const page = document.getElementById(`method-${decodeURIComponent(rest)}`);
    if (page) { page.open = true; page.scrollIntoView(); }
  }
}

(async () => {
  study = await unpacked("study");
  study.rows = rowsOf(study.rows);
  // of runs with several rates the one that stands for its method
  for (const index of study.standing) study.rows[index].stands = true;
  setControls();
  const makers = { rows: rowsTable, matrix, hessianRows: hessianTable };
  for (const root of document.querySelectorAll("[data-table]")) {
    const name = root.dataset.table;
    tables[name] = (makers[name] ?? madeTable)(root);
  }
  for (const root of document.querySelectorAll("[data-method]")) {
    root.parentElement.addEventListener("toggle", () => {
      if (!root.hasChildNodes() && paper === null) methodRows(root);
    });
  }
  for (const switched of document.querySelectorAll("section .switches")) switched.addEventListener("input", drawAgain);
  watchPlots();
  addEventListener("hashchange", follow);
  addEventListener("click", ({ target }) => {
    // the same link once more is no change of the address
    if (target.closest?.("a")?.hash === location.hash && location.hash) follow();
  });
  follow();
  document.documentElement.dataset.ready = "yes";
})();
