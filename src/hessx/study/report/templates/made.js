"use strict";
// Tables that were made beside the rows: every number of theirs is a link to the rows behind it.

function rowsLink(rows, text) {
  return make("a", { href: `#rows-${rows}`, textContent: text });
}

function madeTable(root) {
  const { unit, columns, records } = study.tables[root.dataset.table];
  return new Table(root, {
    unit, records,
    columns: columns.filter(([name]) => records.some((record) => record[name] !== null && record[name] !== "")).map(([name, title, format, hint]) => {
      if (format === "method") return { ...column(name, title, "text"), cell: (record) => methodCell(record[name]) };
      if (format === "wrap") return { ...column(name, title, "text"), kind: "wrap", hint };
      const plain = column(name, title, format, { hint });
      if (format === "text" && name !== columns[0][0]) return plain;
      return { ...plain, cell: (record) => (record.rows.length ? rowsLink(record.rows, FORMATS[format](record[name])) : FORMATS[format](record[name])) };
    }),
    choices: Object.fromEntries(columns.filter(([name]) => ["family", "kind", "problem", "backend", "feature"].includes(name)).map(([name, title]) => [title, (record) => record[name] ?? ""])),
    words: (record) => Object.values(record).filter((value) => typeof value === "string").join(" "),
  });
}
