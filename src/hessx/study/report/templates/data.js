"use strict";
// What the page is made of, and how its numbers are written.

async function unpacked(id) {
  const text = document.getElementById(id).textContent;
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

// One object a row, and its place in the table as `index`.
function rowsOf(columns) {
  const names = Object.keys(columns);
  return columns[names[0]].map((_, index) => {
    const row = { index };
    for (const name of names) row[name] = columns[name][index];
    return row;
  });
}

function number(x, digits = 3) {
  if (x === null || x === undefined) return "";
  const size = Math.abs(x);
  if (Number.isInteger(x) && size < 1e7) return String(x);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? x.toExponential(digits - 1) : String(Number(x.toPrecision(digits)));
}

function duration(x) {
  if (x === null || x === undefined) return "";
  return x >= 1 ? `${x.toFixed(2)} s` : `${Number((x * 1e3).toPrecision(3))} ms`;
}

function bytes(x) {
  if (x === null || x === undefined) return "";
  const k = Math.min(Math.floor(Math.log2(Math.max(x, 1)) / 10), 4);
  return `${Number((x / 1024 ** k).toPrecision(3))} ${["B", "KiB", "MiB", "GiB", "TiB"][k]}`;
}

const FORMATS = {
  text: (x) => x ?? "",
  number,
  long: (x) => number(x, 6),
  share: (x) => (x === null || x === undefined ? "" : x.toFixed(2)),
  duration,
  bytes,
};

// "good", "late" or "bad": the colour of an outcome.
function grade(row) {
  if (row.outcome.startsWith("converged")) return "good";
  return /^(limit|completed)/.test(row.outcome) ? "late" : "bad";
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function swatch(color) {
  const element = make("span", { className: "swatch" });
  element.style.background = color;
  return element;
}
