"use strict";
// Plots are drawn when they come into view, and again when a switch or the theme changes.

// Each picture: (element) => {traces, layout}; the element's data say which one it is.
const PICTURES = {};

let paper = null; // while it is printed: what the theme was before
const waiting = new Set(); // to be drawn when they come into view

function css(name) {
  // the value of a variable, as the theme has it now
  const probe = document.body.appendChild(make("i"));
  probe.style.color = `var(${name})`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function axis(title, extra = {}) {
  return { title: { text: title, font: { size: 12 } }, gridcolor: css("--line"), linecolor: css("--line"),
    zeroline: false, automargin: true, tickfont: { size: 11 }, exponentformat: "power", ...extra };
}

function logAxis(title, extra = {}) {
  return axis(title, { type: "log", nticks: 8, minor: { ticks: "" }, ...extra });
}

function layoutOf(title, { legend, ...extra } = {}) {
  return {
    title: { text: title, font: { size: 13 }, x: 0.01, xanchor: "left", y: 0.98, yanchor: "top" },
    font: { family: "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif", size: 12, color: css("--ink") },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: 56, r: 10, t: 32, b: 42 },
    showlegend: legend !== undefined || paper !== null, legend: legend ?? { orientation: "h", y: -0.25, font: { size: 10 } },
    hovermode: "closest",
    hoverlabel: { bgcolor: css("--tint"), bordercolor: css("--line"), font: { color: css("--ink") } },
    ...extra,
  };
}

function draw(plot) {
  waiting.delete(plot);
  const picture = PICTURES[plot.dataset.plot](plot);
  Plotly.react(plot, picture.traces, picture.layout, { displayModeBar: false })
    .then(() => {
      plot.dataset.traces = picture.traces.length;
      if (plot.dataset.leads) return;
      plot.dataset.leads = "yes";
      plot.on("plotly_click", ({ points }) => {
        const { customdata: row, data: { meta } } = points[0];
        const link = Number.isInteger(row) ? `#row-${row}` : meta?.link;
        if (link) location.hash = link;
      });
    });
}

function isNear(plot) {
  const { top, bottom, width } = plot.getBoundingClientRect();
  return width > 0 && bottom > -600 && top < innerHeight + 600;
}

function drawNear() {
  for (const plot of waiting) if (isNear(plot)) draw(plot);
}

// Switches that change together draw once.
let due = false;
function drawAgain() {
  if (due) return;
  due = true;
  setTimeout(() => {
    due = false;
    document.querySelectorAll(".plot").forEach((plot) => waiting.add(plot));
    drawNear();
  });
}

function watchPlots() {
  document.querySelectorAll(".plot").forEach((plot) => waiting.add(plot));
  addEventListener("scroll", drawNear, { passive: true });
  // the first time it is told is when it begins to watch
  new ResizeObserver(() => {
    document.querySelectorAll(".js-plotly-plot").forEach((plot) => Plotly.Plots.resize(plot));
    drawNear();
  }).observe(document.querySelector("main"));
}

// On paper all is open, light, and names its colours.
addEventListener("beforeprint", () => {
  const { style } = document.documentElement;
  paper = { scheme: style.colorScheme };
  style.colorScheme = "light";
  document.querySelectorAll("details").forEach((details) => { details.open = true; });
  document.querySelectorAll(".plot").forEach(draw);
});
addEventListener("afterprint", () => {
  document.documentElement.style.colorScheme = paper.scheme;
  paper = null;
  drawAgain();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAgain);
