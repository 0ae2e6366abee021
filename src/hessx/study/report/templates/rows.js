"use strict";
// The rows themselves: every number of the page leads here.

const DETAILS = ["problem", "method", "backend", "dtype", "feature", "seed", "rate", "gtol", "limit"];

function outcomeCell(row) {
  return make("span", { className: grade(row), textContent: row.outcome, title: row.message || row.exception });
}

function methodCell(name) {
  const link = make("a", { href: `#method-${name}`, textContent: name, title: study.methods[name].title });
  return make("span", {}, swatch(study.methods[name].color), link);
}

function rowColumns(rows) {
  const message = (row) => (grade(row) === "good" ? "" : row.exception || row.message);
  const text = { value: (row) => row.method, cell: (row) => methodCell(row.method), title: "method", kind: "text" };
  const varied = ["backend", "dtype", "feature", "seed", "rate", "gtol", "limit"].filter((name) => new Set(rows.map((row) => row[name])).size > 1);
  return [
    text,
    { ...column("problem", "problem", "text"), cell: (row) => make("a", { href: `#problem-${row.problem}`, textContent: row.problem }) },
    ...varied.map((name) => column(name, name, typeof rows[0][name] === "string" ? "text" : "number")),
    { ...column("outcome", "outcome", "text"), cell: outcomeCell },
    ...present([
      column("iterations", "iterations"),
      column("evaluations", "evaluations"),
      column("products", "products"),
      column("passes", "passes", "number", { hint: "evaluations and products, of samples by their share of the rows" }),
      column("fetches", "fetches", "number", { hint: "transfers from the device to the host by hessx" }),
      column("value", "value", "long"),
      column("grad_norm", "|gradient|"),
      column("accuracy", "accuracy", "share"),
      column("seconds", "time", "duration"),
      column("solver_seconds", "outside f", "duration"),
      column("memory", "memory", "bytes", { hint: "rise of the peak of resident memory" }),
      column("rises", "rises", "number", { hint: "accepted steps that raised the value" }),
      column("tuning", "tuning", "number", { hint: "evaluations that the search for the rate took beside" }),
    ], rows),
    { title: "why it ended", kind: "wrap", value: message, cell: message },
  ];
}

class RowsTable extends Table {
  line(row) {
    const line = super.line(row);
    line.id = `row-${row.index}`;
    if (this.only) line.className = "lit";
    return line;
  }

  // Show the rows of a link, "3" or "1-8.12", and nothing else.
  show(ranges) {
    const indices = ranges.split(".").flatMap((range) => {
      const [first, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
    this.search.value = "";
    for (const select of Object.values(this.selects)) select.value = "";
    this.only = new Set(indices.map((index) => this.records[index]).filter(Boolean));
    this.draw();
    this.clear.hidden = false;
    document.getElementById("rows").scrollIntoView();
  }
}

function rowsTable(root) {
  const rows = study.rows;
  return new RowsTable(root, {
    columns: rowColumns(rows), records: rows,
    choices: {
      problem: (row) => row.problem, method: (row) => row.method,
      family: (row) => study.methods[row.method].family, tag: (row) => study.problems[row.problem].tags,
      backend: (row) => row.backend, feature: (row) => row.feature, outcome: (row) => row.outcome,
    },
    words: (row) => [...DETAILS.map((name) => row[name]), row.outcome, row.message, row.exception,
      study.methods[row.method].title, study.methods[row.method].family].join(" "),
  });
}

// The runs of a method, in its part of the page, once that is opened.
function methodRows(root) {
  const records = study.rows.filter((row) => row.method === root.dataset.method);
  const columns = rowColumns(records).slice(1); // the method itself
  for (const part of columns) {
    if (part.kind !== "") continue;
    const { cell } = part;
    part.cell = (row) => make("a", { href: `#row-${row.index}`, textContent: cell(row) });
  }
  const table = new Table(root, { columns, records, words: () => "", limit: 60 });
  table.search.remove();
}

// Methods by problems, one quantity in each cell: that of the run on the problem as it is.
const QUANTITIES = {
  cost: ["evaluations + products", (row) => row.passes, number],
  iterations: ["iterations", (row) => row.iterations, number],
  evaluations: ["evaluations", (row) => row.evaluations, number],
  products: ["products", (row) => row.products, number],
  fetches: ["fetches", (row) => row.fetches, number],
  seconds: ["time", (row) => row.seconds, duration],
  memory: ["memory", (row) => row.memory, bytes],
  gap: ["value above the least", (row) => row.value === null ? null : Math.max(row.value - study.problems[row.problem].best, 0), number],
  grad_norm: ["|gradient|", (row) => row.grad_norm, number],
};

function matrix(root) {
  const lines = new Map();
  const standing = (row) => (row.stands ? 0 : 1);
  for (const row of [...study.rows].sort((a, b) => standing(a) - standing(b))) {
    if (row.feature !== "plain") continue;
    const key = `${row.method}|${row.backend}|${row.dtype}`;
    if (!lines.has(key)) lines.set(key, { method: row.method, backend: row.backend, dtype: row.dtype, cells: {} });
    lines.get(key).cells[row.problem] ??= row; // the first seed's
  }
  const names = Object.keys(study.methods); // the best first
  const records = [...lines.values()].sort((a, b) => names.indexOf(a.method) - names.indexOf(b.method));
  const quantity = make("select", { ariaLabel: "quantity" });
  for (const [name, [title]] of Object.entries(QUANTITIES)) quantity.append(new Option(title, name));
  const tag = make("select", { ariaLabel: "tag" }, new Option("all problems", ""));
  for (const name of [...new Set(Object.values(study.problems).flatMap((p) => p.tags))].sort()) tag.append(new Option(name, name));
  const of = (record, problem) => {
    const row = record.cells[problem];
    const figure = row && QUANTITIES[quantity.value][1](row);
    const finished = /^(converged|completed)/.test(row?.outcome ?? "");
    return finished || ["gap", "grad_norm"].includes(quantity.value) ? figure : null;
  };
  const cell = (record, problem) => {
    const row = record.cells[problem];
    if (!row) return make("span", { className: "soft", textContent: "·", title: study.missing[`${record.method}|${problem}`] ?? "not run" });
    const figure = of(record, problem);
    const shown = figure === null ? row.outcome.replace(/^limit: |:.*/g, "") : QUANTITIES[quantity.value][2](figure);
    return make("a", { href: `#row-${row.index}`, className: grade(row), textContent: shown, title: `${row.outcome} ${row.message}` });
  };
  const backends = new Set(records.map((record) => record.backend)).size > 1;
  const columns = () => [
    { title: "method", kind: "text", value: (record) => record.method, cell: (record) => methodCell(record.method) },
    ...(backends ? [column("backend", "backend", "text")] : []),
    ...Object.entries(study.problems).filter(([, p]) => !tag.value || p.tags.includes(tag.value)).map(([name, problem]) => ({
      title: name, hint: problem.title, value: (record) => of(record, name), cell: (record) => cell(record, name),
    })),
  ];
  const table = new Table(root, {
    columns: columns(), records, limit: Infinity, unit: "methods",
    choices: { family: (record) => study.methods[record.method].family, backend: (record) => record.backend,
      outcome: (record) => Object.values(record.cells).map((row) => row.outcome) },
    words: (record) => `${record.method} ${record.backend} ${study.methods[record.method].title} ${study.methods[record.method].family}`,
  });
  for (const select of [quantity, tag]) {
    select.addEventListener("change", () => { table.columns = columns(); table.order = null; table.draw(); });
  }
  table.tools.prepend(quantity, tag);
  return table;
}
