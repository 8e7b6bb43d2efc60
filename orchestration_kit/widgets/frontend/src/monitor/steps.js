// @ts-check
// Figures per step, as a table beside the graph.
import { fill, h } from "../lib/kit.js";
import { clock, dollars } from "./table.js";

/** @param {(id: string) => void} pick */
export function stepTable(pick) {
  const body = h("tbody");
  const heads = ["Step", "Here now", "Visits", "Failed", "Median", "95 %", "Cost"];
  const node = h("div", { class: "okit-mon-scroll okit-mon-steps", tabindex: "0", role: "region", "aria-label": "Figures by step" },
    h("table", { class: "okit-mon-table" }, h("thead", null, h("tr", null, heads.map((word) => h("th", { scope: "col" }, word)))), body));
  let selected = "";
  /** @type {Map<string, HTMLElement>} */ const lines = new Map();
  const mark = () => lines.forEach((line, step) => line.toggleAttribute("data-selected", step === selected));
  return {
    node,
    /** @param {Record<string, any>[]} steps */
    show(steps) {
      const had = node.contains(document.activeElement) ? document.activeElement?.textContent : null;
      lines.clear();
      fill(body, steps.map((one) => {
        const line = h("tr", null,
          h("th", { scope: "row" }, h("button", { type: "button", class: "okit-mon-link", title: one.step, onclick: () => ((selected = one.step), mark(), pick(one.step)) }, one.step)),
          h("td", { class: "okit-mon-number" }, one.here ? `${one.here}${one.waiting ? ` (… ${one.waiting})` : ""}` : ""),
          h("td", { class: "okit-mon-number" }, one.visits ? one.visits.toLocaleString() : ""),
          h("td", { class: "okit-mon-number", title: one.failures ? `${one.failures} of ${one.attempts} attempts` : null }, one.failures ? `✗ ${(100 * one.rate).toFixed(one.rate < 0.1 ? 1 : 0)} %` : ""),
          h("td", { class: "okit-mon-number" }, one.p50 === null ? "" : clock(one.p50)),
          h("td", { class: "okit-mon-number" }, one.p95 === null ? "" : clock(one.p95)),
          h("td", { class: "okit-mon-number" }, one.cost === null ? "" : dollars(one.cost)));
        lines.set(one.step, line);
        return line;
      }));
      mark();
      if (had) [...body.querySelectorAll("button")].find((one) => one.textContent === had)?.focus();
    },
    /** @param {string} id */
    select(id) {
      selected = id;
      mark();
      lines.get(id)?.scrollIntoView({ block: "nearest" });
    },
  };
}
