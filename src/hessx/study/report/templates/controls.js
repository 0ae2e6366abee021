"use strict";
// What is drawn: methods, backends, feature, and the axes of convergence.

const AXES = { cost: "evaluations + products", iteration: "iterations", evaluation: "evaluations",
  product: "products", fetch: "fetches", second: "seconds" };

const drawn = { methods: new Set(), backends: new Set(), feature: "plain", across: "cost", scale: "log" };

function families() {
  const found = new Map();
  for (const [name, { family }] of Object.entries(study.methods)) {
    if (!found.has(family)) found.set(family, []);
    found.get(family).push(name);
  }
  return found;
}

// The methods that are drawn, each a button that takes it off.
function chips() {
  const bar = document.getElementById("drawn");
  for (const chip of bar.querySelectorAll(".chip")) chip.remove();
  for (const name of Object.keys(study.methods).filter((name) => drawn.methods.has(name))) {
    const chip = make("button", { type: "button", className: "chip", title: `${study.methods[name].title}: take off` });
    chip.append(swatch(study.methods[name].color), name);
    chip.addEventListener("click", () => { drawn.methods.delete(name); changed(); });
    bar.append(chip);
  }
}

function changed() {
  chips();
  for (const box of document.querySelectorAll("#panel input[name=method]")) box.checked = drawn.methods.has(box.value);
  drawAgain();
}

function group(title, ...children) {
  return make("div", { className: "group" }, make("b", { textContent: title }), ...children);
}

function box(type, name, value, checked, change, ...label) {
  const input = make("input", { type, name, value, checked });
  input.addEventListener("change", () => { change(input); changed(); });
  return make("label", {}, input, " ", ...label);
}

function pick(title, name, options, value, change) {
  const select = make("select", { name, ariaLabel: title });
  for (const [key, text] of options) select.append(new Option(text, key, false, key === value));
  select.addEventListener("change", () => { change(select.value); changed(); });
  return group(title, select);
}

function button(text, press) {
  const element = make("button", { type: "button", textContent: text });
  element.addEventListener("click", () => { press(); changed(); });
  return element;
}

function setControls() {
  drawn.methods = new Set(study.shown);
  drawn.backends = new Set([study.backends[0]]);
  const panel = document.getElementById("panel"), choose = document.getElementById("choose");
  const take = (names) => { drawn.methods = new Set(names); };
  const toggle = (kind) => (input) => drawn[kind][input.checked ? "add" : "delete"](input.value);
  panel.append(
    pick("By", "across", Object.entries(AXES), drawn.across, (value) => { drawn.across = value; }),
    pick("Axis", "scale", [["log", "logarithmic"], ["linear", "linear"]], drawn.scale, (value) => { drawn.scale = value; }),
  );
  if (study.backends.length > 1) {
    panel.append(group("Backends", ...study.backends.map((name) => box("checkbox", "backend", name, drawn.backends.has(name), toggle("backends"), name))));
  }
  const features = [...new Set(study.rows.map((row) => row.feature))];
  if (features.length > 1) {
    panel.append(pick("Problem", "feature", features.map((name) => [name, name]), drawn.feature, (value) => { drawn.feature = value; }));
  }
  panel.append(group("Methods", button(`best ${study.shown.length}`, () => take(study.shown)),
    button("all", () => take(Object.keys(study.methods))), button("none", () => take([]))));
  for (const [family, names] of families()) {
    panel.append(group(family, button("only", () => take(names)), ...names.map((name) => {
      const label = box("checkbox", "method", name, drawn.methods.has(name), toggle("methods"), swatch(study.methods[name].color), name);
      label.title = study.methods[name].title;
      return label;
    })));
  }
  choose.addEventListener("click", () => { panel.hidden = !panel.hidden; choose.ariaExpanded = String(!panel.hidden); });
  document.getElementById("theme").addEventListener("click", () => {
    const { style } = document.documentElement;
    const now = style.colorScheme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    style.colorScheme = now === "dark" ? "light" : "dark";
    drawAgain();
  });
  chips();
}
