// @ts-check
// Shows two runs side by side and keeps the two pictures in step; what differs is worked out in Python.
import { diagram, unpack } from "./lib/diagram.js";
import { fill, h, on, put, want, widget } from "./lib/kit.js";
import "./comparison.css";

const SIDES = /** @type {const} */ (["a", "b"]);

export default widget("comparison", ({ model, root, signal }) => {
  const verdict = h("h4"), facts = h("div", { class: "okit-soft" }), parting = h("div", { class: "okit-box" });
  const again = h("button", { type: "button", title: "Compare the runs as they are now", onclick: () => want(model, "look_again") }, "Compare again");
  const table = h("div"), detail = h("div", { class: "okit-box okit-plain", hidden: true, "aria-live": "polite" }), totals = h("div");
  /** @type {Record<string, any>} */ const pictures = {}, /** @type {Record<string, any>} */ heads = {};
  for (const side of SIDES) {
    const other = side === "a" ? "b" : "a";
    heads[side] = h("div", { class: "okit-line" });
    pictures[side] = diagram({
      signal, label: `Run ${side.toUpperCase()}`, onSelect: (node) => want(model, "choose", { node }),
      follows: false,
      onView: (view) => { pictures[other].view = view; }, high: 460,
    });
  }
  put(root, h("div", { class: "okit-line" }, verdict, again), facts, parting,
    h("div", { class: "okit-pair okit-pictures" }, SIDES.map((side) => h("div", null, heads[side], pictures[side].element))), table, detail, totals);

  function paintShown() {
    const shown = model.get("shown") ?? {};
    verdict.textContent = `Comparison: ${shown.verdict}`;
    fill(facts, (shown.facts ?? []).map((/** @type {string} */ one) => h("p", null, one)));
    for (const side of SIDES) {
      const one = shown.sides?.[side] ?? {};
      fill(heads[side], h("span", { class: "okit-letter" }, side.toUpperCase()), h("b", null, one.run), h("span", { class: "okit-soft" }, one.words));
      pictures[side].note(shown.notes ?? {});
    }
    const parts = shown.parts;
    parting.hidden = !parts;
    if (parts) {
      fill(parting, h("p", null, "◆ They part at ", h("button", { type: "button", class: "okit-link", onclick: () => want(model, "choose", { at: parts.at }) }, parts.words)),
        parts.rows.length ? sides(["where", "A", "B"], parts.rows) : null);
    }
    const rows = shown.totals ?? [];
    fill(totals, rows.length ? h("table", { "aria-label": "Totals" },
      h("thead", null, h("tr", null, ["measure", "A", "B", "B less A"].map((name, at) => h("th", { scope: "col", class: at ? "okit-num" : null }, name)))),
      h("tbody", null, rows.map((/** @type {string[]} */ row) => h("tr", null, row.map((cell, at) => h("td", { class: at ? "okit-num" : null }, cell)))))) : null);
  }

  /** @param {string[]} names @param {any[]} rows */
  const sides = (names, rows) => h("table", null, h("thead", null, h("tr", null, names.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", null, rows.map((row) => h("tr", null, h("td", null, row.where), h("td", null, h("code", null, row.a)), h("td", null, h("code", null, row.b))))));

  function paintTable() {
    const list = model.get("table") ?? {}, chosen = model.get("detail")?.at;
    const focus = table.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.key : "";
    const top = table.querySelector(".okit-scroll")?.scrollTop ?? 0;
    const turn = (/** @type {string} */ key, /** @type {string} */ words, /** @type {number} */ first) => h("button", { type: "button", "data-key": key, onclick: () => want(model, "turn_page", { first }) }, words);
    const size = list.rows?.length ?? 0;
    const only = h("input", { type: "checkbox", "data-key": "only", checked: list.only, onchange: (/** @type {any} */ event) => want(model, "turn_page", { only: event.target.checked }) });
    fill(table,
      h("div", { class: "okit-line" }, h("h4", null, "Attempts"), h("label", null, only, " only what differs"),
        list.first > 0 ? turn("before", "Earlier", Math.max(0, list.first - 60)) : null,
        list.first + size < list.total ? turn("after", "Later", list.first + size) : null,
        h("span", { class: "okit-soft" }, size ? `${list.first + 1} to ${list.first + size} of ${list.total}` : "none")),
      h("div", { class: "okit-scroll", tabindex: 0, role: "region", "aria-label": "Aligned attempts" }, h("table", null,
        h("thead", null, h("tr", null, ["", "visit", "A", "B", "differs", "time", "cost"].map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", null, (list.rows ?? []).map((/** @type {any} */ row) => h("tr", { "data-sign": row.sign, "aria-current": row.at === chosen ? "true" : null },
          h("td", null, row.sign), h("td", { class: "okit-visit" }, h("button", { type: "button", class: "okit-link", "data-key": `at${row.at}`, onclick: () => want(model, "choose", { at: row.at }) }, row.path)),
          h("td", null, h("code", null, row.a)), h("td", null, h("code", null, row.b)), h("td", null, row.differs), h("td", { class: "okit-num" }, row.took), h("td", { class: "okit-num" }, row.cost)))))));
    /** @type {HTMLElement} */ (table.querySelector(".okit-scroll")).scrollTop = top;
    if (focus) /** @type {HTMLElement | null} */ (table.querySelector(`[data-key="${CSS.escape(focus)}"]`))?.focus({ preventScroll: true });
  }

  function paintDetail() {
    const one = model.get("detail") ?? {};
    detail.hidden = !one.sides;
    for (const side of SIDES) pictures[side].select(one.node ?? "");
    if (one.sides) {
      fill(detail, h("div", { class: "okit-line" }, h("h4", null, one.path), h("button", { type: "button", onclick: () => want(model, "choose", {}) }, "Close")),
        one.rows.length ? sides(["where", "A", "B"], one.rows) : null,
        h("div", { class: "okit-pair" }, SIDES.map((side) => {
          const made = one.sides[side], letter = h("span", { class: "okit-letter" }, side.toUpperCase());
          if (!made) return h("div", null, h("p", null, letter, " never made it"));
          const name = side.toUpperCase();
          return h("div", null, h("p", null, letter, h("span", { class: "okit-soft" }, ` ${made.told}`)), made.error ? h("pre", { class: "okit-bad" }, made.error) : null,
            h("span", { class: "okit-soft" }, "input"), h("pre", { tabindex: 0, "aria-label": `input in ${name}` }, made.input),
            h("span", { class: "okit-soft" }, "output"), h("pre", { tabindex: 0, "aria-label": `output in ${name}` }, made.output));
        })));
    }
    paintTable();
  }

  async function paintPictures() {
    const packed = model.get("pictures") ?? {};
    const texts = await Promise.all(SIDES.map((side) => (packed[side] ? unpack(packed[side]) : "")));
    if (signal.aborted) return;
    SIDES.forEach((side, at) => texts[at] && pictures[side].show(texts[at]));
    paintDetail();
    const parts = model.get("shown")?.parts;
    if (parts && !model.get("detail")?.sides) pictures.a.reveal(parts.node);
  }

  on(model, "change:shown", paintShown, signal);
  on(model, "change:table", paintTable, signal);
  on(model, "change:detail", paintDetail, signal);
  on(model, "change:pictures", paintPictures, signal);
  paintShown();
  paintTable();
  return paintPictures();
});
