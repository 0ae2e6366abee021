"use strict";
// Profiles, and accuracy against cost.

function setting(plot, name) {
  // what the switches of the section say
  return plot.closest("section").querySelector(`[name=${name}]`)?.value;
}

PICTURES.profile = (plot) => {
  const { kind } = plot.dataset;
  const unit = setting(plot, "unit"), level = Number(setting(plot, "level"));
  const profiles = study.profiles[kind][unit][level];
  const shown = Object.entries(profiles).filter(([name]) => drawn.methods.has(name));
  const end = 1.3 * Math.max(2, ...shown.flatMap(([, [x]]) => x));
  const traces = shown.flatMap(([name, [x, share, low, high]]) => {
    const { color } = study.methods[name];
    // from nothing, up a step at each x, and level to the end
    const stretched = (y) => [0, ...y, y.at(-1) ?? 0];
    const xs = [kind === "performance" ? 1 : (x[0] ?? 1), ...x, end];
    const line = { color, width: 1.8, shape: "hv" };
    const edge = (y) => ({ x: xs, y: stretched(y), mode: "lines", line: { ...line, width: 0 }, hoverinfo: "skip", showlegend: false });
    const bands = low ? [edge(low), { ...edge(high), fill: "tonexty", fillcolor: `${color}18` }] : [];
    return [...bands, { name, x: xs, y: stretched(share), mode: "lines", line, meta: { link: `#method-${name}` },
      hovertemplate: `%{y:.0%} within %{x:.3~g}<extra>${name}</extra>` }];
  });
  const titles = { performance: "multiple of the cheapest method's cost", data: study.units[unit] };
  return { traces, layout: layoutOf(`share of problems solved: ${kind} profile`, {
    xaxis: logAxis(titles[kind], { range: [kind === "performance" ? 0 : undefined, Math.log10(end)], autorange: kind === "performance" ? false : true }),
    yaxis: axis("", { range: [-0.02, 1.04], tickformat: ".0%" }) }) };
};

// Points of all methods, those that are drawn in colour, and the front that no other beats.
PICTURES.pareto = (plot) => {
  const where = setting(plot, "where"), unit = setting(plot, "unit");
  const { points, accuracy } = study.accuracy[where];
  const at = points[unit].filter(([, cost]) => cost !== null && cost > 0);
  const front = at.filter(([, , , efficient]) => efficient).sort((a, b) => a[1] - b[1]);
  const text = ([name, cost, height]) => `${name}<br>${number(height)} ${accuracy}<br>${number(cost)}`;
  const scatter = (chosen, extra) => ({ x: chosen.map((p) => p[1]), y: chosen.map((p) => p[2]), text: chosen.map(text),
    hovertemplate: "%{text}<extra></extra>", customdata: chosen.map((p) => p[4]), mode: "markers", ...extra });
  const inColor = at.filter(([name]) => drawn.methods.has(name)).sort((a, b) => a[1] - b[1]);
  const traces = [
    scatter(at.filter(([name]) => !drawn.methods.has(name)), { marker: { size: 6, color: css("--soft"), opacity: 0.4 } }),
    { x: front.map((p) => p[1]), y: front.map((p) => p[2]), mode: "lines", line: { color: css("--soft"), width: 1.2, dash: "dot", shape: "hv" }, hoverinfo: "skip" },
    scatter(inColor, { mode: "markers+text", text: inColor.map(([name]) => name), hovertext: inColor.map(text), hovertemplate: "%{hovertext}<extra></extra>",
      textposition: inColor.map((_, i) => ["bottom center", "top center", "middle right"][i % 3]), textfont: { size: 10.5 }, cliponaxis: false,
      marker: { size: 10, color: inColor.map(([name]) => study.methods[name].color) } }),
  ];
  const title = where === "all" ? "multiple of the cheapest method's cost, mean" : `${study.units[unit]} in all`;
  return { traces, layout: layoutOf(`${accuracy}; dotted: the Pareto front`, { xaxis: logAxis(title), yaxis: axis("") }) };
};
