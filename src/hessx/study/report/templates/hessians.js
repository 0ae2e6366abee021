"use strict";
// Approximations beside the true Hessian.

PICTURES.hessian = (plot) => {
  const { problem, title } = plot.dataset;
  const { data, layout } = study.hessians[problem][title];
  const own = layoutOf(title, { legend: { orientation: "h", y: -0.22, font: { size: 11 } } });
  const axes = Object.fromEntries(Object.keys(layout).filter((name) => /^[xy]axis/.test(name))
    .map((name) => [name, { ...axis(""), ...layout[name], title: { ...layout[name].title, font: { size: 12 }, standoff: 4 } }]));
  return { traces: data, layout: { ...layout, ...own, ...axes } };
};

function hessianTable(root) {
  const records = rowsOf(study.hessianRows);
  const titles = { approximation: "B", problem: "problem", steps: "steps by", point: "point", block: "block", n: "n",
    error: "error", error_deviation: "± ", scaled_error: "scaled error", dennis_more: "Dennis-Moré", step_error: "step error", forcing: "forcing",
    secant_error: "secant", model_reduction: "model's fall", reduction: "fall of f", hessian_condition: "cond H", condition: "cond B",
    preconditioned_condition: "cond B⁻¹H", definiteness: "B is", memory: "memory", build: "build", product: "B v", solve: "B⁻¹ v",
    gradients: "gradients", products: "products" };
  const formats = { approximation: "text", problem: "text", steps: "text", block: "text", definiteness: "text", memory: "bytes" };
  const hints = { error: "norm_F(B - H) / norm_F(H)", scaled_error: "of the best multiple of B", dennis_more: "norm((B - H) s) / norm(s)",
    step_error: "norm((B - H) s) / norm(H s)", forcing: "norm(g + H s) / norm(g)", secant_error: "norm(B s - y) / norm(y)",
    build: "in times of one value and gradient", product: "in times of one value and gradient", solve: "in times of one value and gradient" };
  const columns = Object.entries(titles).map(([name, title]) => column(name, title, formats[name] ?? "number", { hint: hints[name] }));
  return new Table(root, { columns: present(columns, records), records, unit: "rows",
    choices: { problem: (r) => r.problem, B: (r) => r.approximation, block: (r) => r.block || "whole", definiteness: (r) => r.definiteness },
    words: (r) => [r.problem, r.approximation, r.steps, r.block, r.definiteness].join(" ") });
}
