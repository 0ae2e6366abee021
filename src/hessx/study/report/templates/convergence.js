"use strict";
// Convergence: one line a run; with several seeds the median, and the band from least to largest.

const QUANTITY = { gap: "value above the least known", grad_norm: "largest entry of the gradient" };

function spent(curve, across) {
  if (across !== "cost") return curve[across];
  return curve.evaluation.map((count, i) => count + (curve.product[i] ?? 0));
}

// The least y up to x, of a run that has come to its end before x too.
function at(points, x) {
  let last = null;
  for (const [where, y] of points) {
    if (where > x) break;
    last = y;
  }
  return last;
}

function band(runs) {
  const grid = [...new Set(runs.flatMap((points) => points.map(([x]) => x)))].sort((a, b) => a - b);
  const step = Math.max(1, Math.floor(grid.length / 120));
  const xs = grid.filter((_, i) => i % step === 0 || i === grid.length - 1);
  const columns = xs.map((x) => runs.map((points) => at(points, x)).filter((y) => y !== null).sort((a, b) => a - b));
  const pick = (share) => columns.map((ys) => ys[Math.round(share * (ys.length - 1))] ?? null);
  return { xs, low: pick(0), middle: pick(0.5), high: pick(1) };
}

function runsOf(problem) {
  const groups = new Map();
  for (const row of study.rows) {
    if (row.problem !== problem || row.feature !== drawn.feature || !study.curves[row.index]) continue;
    if (row.feature === "plain" && !row.stands) continue;
    if (!drawn.methods.has(row.method) || !drawn.backends.has(row.backend)) continue;
    const key = [row.method, row.backend, row.dtype, row.rate].join("|");
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(row);
  }
  return [...groups.values()];
}

// All that is drawn, but of what grows without bound the beginning.
function within(traces, start) {
  const seen = traces.flatMap(({ y }) => y).filter((y) => y > 0);
  if (!seen.length) return {};
  const low = Math.log10(seen.reduce((a, b) => Math.min(a, b))), high = Math.log10(Math.min(seen.reduce((a, b) => Math.max(a, b)), 1e3 * start));
  const margin = 0.05 * Math.max(high - low, 1);
  return { range: [low - margin, high + margin] };
}

PICTURES.convergence = (plot) => {
  const { problem, quantity } = plot.dataset;
  const groups = runsOf(problem);
  // on a logarithmic axis what has cost nothing yet stands at 1
  const free = groups.flat().some((row) => spent(study.curves[row.index], drawn.across)[0] === 0);
  const shift = drawn.scale === "log" && drawn.across !== "second" && free ? 1 : 0;
  const heights = (curve) => curve[quantity];
  const starts = groups.flat().map((row) => heights(study.curves[row.index])[0]).filter(Number.isFinite);
  const start = Math.max(Number.MIN_VALUE, ...starts);
  const floor = 1e-17 * start;
  const traces = groups.flatMap((rows) => {
    const { color, symbol } = study.methods[rows[0].method];
    const several = study.backends.length > 1 ? ` (${rows[0].backend})` : "";
    const name = rows[0].method + several;
    const points = rows.map((row) => {
      const curve = study.curves[row.index], ys = heights(curve);
      return spent(curve, drawn.across).map((x, i) => [x + shift, ys[i] === null ? null : Math.max(ys[i], floor)]);
    });
    const line = { color, width: 1.8, dash: study.dashes[rows[0].backend] };
    const hovertemplate = `%{y:.3g} at ${AXES[drawn.across]} %{x:.4~g}<extra>${name}</extra>`;
    const marker = { size: 5, symbol, maxdisplayed: 20 };
    const meta = { link: `#rows-${rows.map((row) => row.index).join(".")}` };
    if (rows.length === 1) {
      return [{ name, x: points[0].map(([x]) => x), y: points[0].map(([, y]) => y), mode: "lines+markers", line, marker, hovertemplate, meta }];
    }
    const { xs, low, middle, high } = band(points);
    return [
      { name, x: [...xs, ...xs.toReversed()], y: [...high, ...low.toReversed()], fill: "toself", mode: "none", fillcolor: `${color}33`, hoverinfo: "skip", showlegend: false },
      { name, x: xs, y: middle, mode: "lines+markers", line, marker, hovertemplate, meta },
    ];
  });
  const title = AXES[drawn.across] + (shift ? " + 1" : "");
  const xaxis = drawn.scale === "log" ? logAxis(title) : axis(title);
  return { traces, layout: layoutOf(QUANTITY[quantity], { xaxis, yaxis: logAxis("", within(traces, start)) }) };
};
