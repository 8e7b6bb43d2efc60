// @ts-check
// The table of runs: rows keep their place in the page, and only what changed in them is written anew.
import { h } from "../lib/kit.js";
import { span } from "../lib/time.js";

/** @type {Record<string, string>} */
export const MARKS = { initialized: "○", in_progress: "●", waiting: "…", completed: "✓", failed: "✗", blocked: "…", cancelled: "⊘", damaged: "⚠" };
const COLUMNS = [
  ["state", "State"], ["run", "Run"], ["workflow", "Workflow"], ["step", "Step"], ["progress", "Progress"], ["started", "Started"],
  ["time", "Time"], ["tokens", "Tokens"], ["cost", "Cost"], ["errors", "Errors"], ["", "Actions"],
];
const DESCENDING = new Set(["started", "time", "tokens", "cost", "errors", "progress"]);
const SURE_MS = 4_000;

/** @typedef {Record<string, any>} Row */

/**
 * @param {{may: boolean, signal: AbortSignal, open: (id: string) => void, cancel: (id: string) => void, ask: (id: string) => void,
 *   sort: (column: string, descending: boolean) => void}} does
 */
export function runTable({ may, signal, open, cancel, ask, sort }) {
  /** @type {Map<string, {node: HTMLElement, write: (row: Row) => void, tick: () => void, has: () => boolean}>} */
  const known = new Map();
  let order = /** @type {string[]} */ ([]);
  let sortedBy = "started", isDescending = true;
  const heads = new Map();
  const head = h("tr", null, COLUMNS.map(([name, word]) => {
    const cell = name
      ? h("th", { scope: "col", class: `okit-mon-${name}` }, h("button", { type: "button", onclick: () => sort(name, sortedBy === name ? !isDescending : DESCENDING.has(name)) }, word))
      : h("th", { scope: "col", class: "okit-mon-acts" }, h("span", { class: "okit-aside" }, word));
    heads.set(name, cell);
    return cell;
  }));
  const body = h("tbody");
  const empty = h("p", { class: "okit-mon-none", hidden: true });
  const scroller = h("div", { class: "okit-mon-scroll", tabindex: "0", role: "region", "aria-label": "Table of runs" }, h("table", { class: "okit-mon-table" }, h("thead", null, head), body), empty);

  const timer = setInterval(() => known.forEach(({ tick }) => tick()), 1000);
  signal.addEventListener("abort", () => clearInterval(timer));

  /** @param {Row} first */
  function line(first) {
    let row = first;
    const id = row.id;
    const mark = h("span", { class: "okit-mon-mark", "aria-hidden": "true" }), word = h("span", null);
    const name = h("button", { type: "button", class: "okit-mon-link", onclick: () => open(id) }), origin = h("small", null);
    const step = h("td", null), flow = h("td", null), bar = h("span", { class: "okit-mon-fill" }), share = h("span", null);
    const started = h("td", { class: "okit-mon-when" }), time = h("td", { class: "okit-mon-number" }), tokens = h("td", { class: "okit-mon-number okit-mon-tokens" }), cost = h("td", { class: "okit-mon-number okit-mon-cost" });
    const errors = h("b", null), error = h("span", { class: "okit-mon-said" });
    const answer = h("button", { type: "button", class: "okit-main", onclick: () => ask(id) });
    let sure = 0;
    const stop = h("button", { type: "button", onclick: () => {
      clearTimeout(sure);
      if (stop.dataset.sure === undefined) {
        stop.dataset.sure = "";
        sure = window.setTimeout(calm, SURE_MS);
      } else {
        calm();
        cancel(id);
      }
      paintStop();
    } });
    const calm = () => (delete stop.dataset.sure, paintStop());
    const paintStop = () => {
      const asks = stop.dataset.sure !== undefined;
      stop.textContent = asks ? "Really?" : "Cancel";
      stop.setAttribute("aria-label", `${asks ? "Really cancel" : "Cancel"} run ${row.name}`);
    };
    stop.addEventListener("blur", calm, { signal });
    const state = h("span", { class: "okit-mon-pill" }, mark, word);
    const node = h("tr", { "data-run": id }, h("td", null, state), h("td", { class: "okit-mon-run" }, name, origin), flow, step,
      h("td", null, h("span", { class: "okit-mon-bar" }, bar), share), started, time, tokens, cost, h("td", { class: "okit-mon-error" }, errors, error), h("td", { class: "okit-mon-acts" }, answer, stop));
    const tick = () => {
      const now = Date.now() / 1000;
      set(started, `${span(now - row.started)} ago`);
      set(time, clock((row.ended ?? now) - row.started));
    };
    /** @param {Row} next */
    const write = (next) => {
      row = next;
      node.dataset.state = row.word === "driver gone" ? "damaged" : row.state;
      set(mark, row.mark);
      set(word, row.word);
      state.title = [row.reason, row.driver].filter(Boolean).join("; ");
      set(name, row.name);
      name.setAttribute("aria-label", `Open run ${row.name}`);
      set(origin, [row.origin, row.tags].filter(Boolean).join(" · "));
      set(flow, row.workflow);
      set(step, row.step);
      bar.style.width = `${row.of ? Math.round((100 * row.done) / row.of) : 0}%`;
      set(share, row.of ? ` ${row.done}/${row.of}` : ` ${row.done}`);
      share.title = `${row.done} of ${row.of || "?"} steps, ${row.attempts} attempts`;
      started.title = new Date(row.started * 1000).toLocaleString();
      time.title = `busy for ${clock(row.busy)}`;
      set(tokens, row.tokens === null ? "" : many(row.tokens));
      set(cost, row.cost === null ? "" : dollars(row.cost));
      set(errors, row.errors ? `✗ ${row.errors} ` : "");
      set(error, row.error);
      error.title = row.error;
      answer.hidden = !(may && row.asks);
      set(answer, row.asks > 1 ? `Answer (${row.asks})` : "Answer");
      answer.setAttribute("aria-label", `Answer what run ${row.name} asks`);
      stop.hidden = !may || row.over;
      paintStop();
      tick();
    };
    write(row);
    return { node, write, tick, has: () => row.tokens !== null || row.cost !== null };
  }

  return {
    node: scroller,
    /** @param {Record<string, Row>} rows @param {string[]} [next] */
    take(rows, next) {
      for (const [id, row] of Object.entries(rows)) {
        const there = known.get(id);
        if (there) there.write(row);
        else known.set(id, line(row));
      }
      scroller.toggleAttribute("data-tokens", [...known.values()].some(({ has }) => has()));
      if (!next) return;
      order = next;
      const wanted = new Set(order);
      for (const [id, { node }] of known) {
        if (wanted.has(id)) continue;
        node.remove();
        known.delete(id);
      }
      order.forEach((id, at) => {
        const node = known.get(id)?.node;
        if (node && body.children[at] !== node) body.insertBefore(node, body.children[at] ?? null);
      });
      empty.hidden = order.length > 0;
    },
    /** @param {string} column @param {boolean} descending */
    sorted(column, descending) {
      [sortedBy, isDescending] = [column, descending];
      for (const [name, cell] of heads) {
        if (name === column) cell.setAttribute("aria-sort", descending ? "descending" : "ascending");
        else cell.removeAttribute("aria-sort");
      }
    },
    /** @param {string} words */
    none(words) {
      set(empty, words);
      empty.hidden = order.length > 0;
    },
  };
}

/** @param {HTMLElement} node @param {any} text */
function set(node, text) {
  const words = String(text);
  if (node.textContent !== words) node.textContent = words;
}

/** A length of time: `1:02:03`, `4:05`, `3.2 s`. @param {number} seconds */
export function clock(seconds) {
  const s = Math.max(0, seconds);
  if (s < 0.00095) return `${Math.round(s * 1e6)} µs`;
  if (s < 0.0995) return `${Math.round(s * 1000)} ms`;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.floor(s)} s`;
  const [hours, minutes, rest] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, String(Math.floor(s) % 60).padStart(2, "0")];
  return hours ? `${hours.toLocaleString()}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** @param {number} number */
export const many = (number) => (number < 10_000 ? number.toLocaleString() : new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(number));
/** @param {number} usd */
export const dollars = (usd) => (usd >= 0.1 || usd === 0 ? `$${usd.toFixed(2)}` : `$${usd.toPrecision(2)}`);
