"use strict";
// How methods go: paths over level sets, oscillation, order, robustness, places.

PICTURES.trajectory = (plot) => {
  const { x, y, f, paths } = study.trajectories[plot.dataset.problem];
  const { best } = study.problems[plot.dataset.problem];
  const least = Math.min(best ?? Infinity, ...f.flat().filter((value) => value !== null));
  const span = Math.max(...f.flat().filter((value) => value !== null)) - least || 1;
  // level sets of the logarithm, so that the valley is seen
  const height = f.map((line) => line.map((value) => (value === null ? null : Math.log10(value - least + 1e-6 * span))));
  const level = css("--soft");
  const traces = [{ type: "contour", x, y, z: height, showscale: false, ncontours: 22, hoverinfo: "skip",
    contours: { coloring: "lines" }, colorscale: [[0, level], [1, level]], line: { width: 0.6, color: level }, opacity: 0.7 }];
  for (const [index, [xs, ys]] of Object.entries(paths)) {
    const row = study.rows[index];
    if (row.seed !== 0 || !drawn.methods.has(row.method) || !drawn.backends.has(row.backend)) continue;
    const { color, symbol } = study.methods[row.method];
    traces.push({ name: row.method, x: xs, y: ys, mode: "lines+markers", line: { color, width: 1.8 }, marker: { size: 5, symbol, maxdisplayed: 60 },
      text: xs.map((_, i) => `point ${i}`), hovertemplate: `%{text}: (%{x:.4g}, %{y:.4g})<extra>${row.method}</extra>`, meta: { link: `#row-${row.index}` } });
  }
  const within = (side) => ({ range: [side[0], side.at(-1)] });
  return { traces, layout: layoutOf("", { xaxis: axis("x[0]", within(x)), yaxis: axis("x[1]", within(y)) }) };
};

function runPoints(y, title, height) {
  return () => {
    const known = study.oscillation.filter((run) => run.cosine !== null && run[y] !== null);
    const of = (run) => study.rows[run.row];
    const text = (run) => `${of(run).method}<br>${of(run).problem}${of(run).seed ? `, seed ${of(run).seed}` : ""}`;
    const scatter = (runs, marker) => ({ x: runs.map((run) => run.cosine), y: runs.map((run) => run[y]), text: runs.map(text), mode: "markers",
      customdata: runs.map((run) => run.row), hovertemplate: "%{text}<br>%{x:.3g}, %{y:.3g}<extra></extra>", marker });
    const shown = known.filter((run) => drawn.methods.has(of(run).method));
    const others = known.filter((run) => !drawn.methods.has(of(run).method));
    return {
      traces: [scatter(others, { size: 5, color: css("--soft"), opacity: 0.35 }),
        scatter(shown, { size: 8, color: shown.map((run) => study.methods[of(run).method].color), symbol: shown.map((run) => study.methods[of(run).method].symbol) })],
      layout: layoutOf(title, { xaxis: axis("mean cosine of the angle between successive steps", { range: [-1.05, 1.05] }), yaxis: height() }),
    };
  };
}
PICTURES.rising = runPoints("rising", "share of the steps that raised f", () => axis("", { rangemode: "tozero" }));
PICTURES.order = runPoints("order", "fitted order of convergence", () => logAxis(""));

// Shares of runs that were solved all the same, methods by features.
PICTURES.robustness = (plot) => {
  const { records } = study.tables.robustness;
  const methods = Object.keys(study.methods).filter((name) => drawn.methods.has(name) && records.some((r) => r.method === name)).reverse();
  const features = [...new Set(records.map((record) => record.feature))];
  const find = (method, feature) => records.find((record) => record.method === method && record.feature === feature);
  const share = methods.map((method) => features.map((feature) => find(method, feature)?.share ?? null));
  const text = methods.map((method) => features.map((feature) => {
    const record = find(method, feature);
    return record ? `${record.solved} / ${record.runs}` : "";
  }));
  plot.style.height = `${Math.max(220, 90 + 26 * methods.length)}px`;
  return {
    traces: [{ type: "heatmap", x: features, y: methods, z: share, text, texttemplate: "%{text}", zmin: 0, zmax: 1, showscale: false, xgap: 2, ygap: 2,
      colorscale: [[0, css("--bad")], [0.5, css("--late")], [1, css("--good")]], opacity: 0.75, hovertemplate: "%{y}, %{x}: %{text}<extra></extra>" }],
    layout: layoutOf("solved to 1e-3, of the methods that are drawn", { xaxis: axis("", { type: "category" }), yaxis: axis("", { type: "category" }), margin: { l: 110, r: 10, t: 32, b: 42 } }),
  };
};

PICTURES.ranks = () => {
  const traces = Object.entries(study.ranks).filter(([name]) => drawn.methods.has(name)).map(([name, ranks]) => {
    const { color, symbol } = study.methods[name];
    return { name, x: study.ladder, y: ranks, mode: "lines+markers", line: { color, width: 1.8 }, marker: { symbol, size: 7 },
      meta: { link: `#method-${name}` }, hovertemplate: `place %{y} at %{x}<extra>${name}</extra>` };
  });
  const xaxis = logAxis("tolerance: (f - f_best) / (f0 - f_best)", { autorange: "reversed" });
  return { traces, layout: layoutOf("place among all methods", { xaxis, yaxis: axis("", { autorange: "reversed" }) }) };
};
