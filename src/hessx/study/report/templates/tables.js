"use strict";
// Tables that are sorted by a click on a head and filtered by text and by choice.

class Table {
  // columns: {title, value(record) to sort by, cell(record) to show, kind, hint}
  // choices: {label: (record) => text or list of texts}
  constructor(root, { columns, records, choices = {}, words, limit = 200, unit = "rows" }) {
    Object.assign(this, { root, columns, records, choices, words, limit, unit });
    this.only = null; // records of a link, else null
    this.order = null;
    this.tools = make("div", { className: "tools" });
    this.scroll = make("div", { className: "scroll tall", tabIndex: 0 });
    this.search = make("input", { type: "search", placeholder: "filter", ariaLabel: "filter by text" });
    this.search.addEventListener("input", () => this.draw());
    this.tools.append(this.search);
    this.selects = {};
    for (const [label, of] of Object.entries(choices)) this.addChoice(label, of);
    this.count = make("span", { className: "count" });
    this.all = make("button", { type: "button", textContent: "show all" });
    this.all.addEventListener("click", () => { this.limit = Infinity; this.draw(); });
    this.clear = make("button", { type: "button", textContent: "clear" });
    this.clear.addEventListener("click", () => this.reset());
    this.tools.append(this.count, this.all, this.clear);
    root.replaceChildren(this.tools, this.scroll);
    this.draw();
  }

  addChoice(label, of) {
    const values = [...new Set(this.records.flatMap((record) => of(record)))].filter((v) => v !== "").sort();
    if (values.length < 2) return;
    const select = make("select", { ariaLabel: label }, new Option(`any ${label}`, ""));
    for (const value of values) select.append(new Option(value, value));
    select.addEventListener("change", () => this.draw());
    select.dataset.choice = label;
    this.selects[label] = select;
    this.tools.append(select);
  }

  reset() {
    this.only = null;
    this.search.value = "";
    for (const select of Object.values(this.selects)) select.value = "";
    this.draw();
  }

  // The records that pass all filters, in order.
  chosen() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const picked = Object.entries(this.selects).filter(([, select]) => select.value);
    const found = this.records.filter((record) => {
      if (this.only && !this.only.has(record)) return false;
      const text = words.length ? this.words(record).toLowerCase() : "";
      return words.every((word) => text.includes(word))
        && picked.every(([label, select]) => [this.choices[label](record)].flat().includes(select.value));
    });
    if (!this.order) return found;
    const { column, down } = this.order;
    const missing = (x) => x === null || x === undefined || x === "";
    return found.map((record) => [column.value(record), record]).sort(([a], [b]) => {
      if (missing(a) || missing(b)) return missing(a) - missing(b); // last, whichever the order
      const sign = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
      return down ? -sign : sign;
    }).map(([, record]) => record);
  }

  sortBy(column) {
    const same = this.order?.column === column;
    this.order = { column, down: same && !this.order.down };
    this.draw();
  }

  head(column) {
    const button = make("button", { type: "button", textContent: column.title, title: column.hint ?? "" });
    button.addEventListener("click", () => this.sortBy(column));
    const head = make("th", { scope: "col", className: column.kind ?? "" }, button);
    if (this.order?.column === column) head.ariaSort = this.order.down ? "descending" : "ascending";
    return head;
  }

  line(record) {
    const line = make("tr");
    for (const column of this.columns) {
      const cell = make("td", { className: column.kind ?? "" });
      cell.append(column.cell(record));
      line.append(cell);
    }
    return line;
  }

  draw() {
    const found = this.chosen();
    const body = make("tbody");
    const seen = found.slice(0, this.limit);
    seen.forEach((record) => body.append(this.line(record)));
    const heads = make("tr");
    this.columns.forEach((column) => heads.append(this.head(column)));
    this.scroll.replaceChildren(make("table", {}, make("thead", {}, heads), body));
    this.count.textContent = `${found.length} of ${this.records.length} ${this.unit}`
      + (found.length > seen.length ? `, ${seen.length} shown` : "");
    this.all.hidden = found.length === seen.length;
    this.clear.hidden = found.length === this.records.length;
  }
}

// A column of a field that is written by one of FORMATS.
function column(name, title, format = "number", { of, hint } = {}) {
  const value = of ?? ((record) => record[name]);
  const kind = format === "text" ? "text" : "";
  return { name, title, kind, hint, value, cell: (record) => FORMATS[format](value(record)) };
}

// What no record has is no column.
function present(columns, records) {
  return columns.filter(({ value }) => records.some((record) => ![null, undefined, ""].includes(value(record))));
}
