// @ts-check
// The tabs of a player: one visit, all visits, the data bus, the runs of sub-workflows. All text is text.
import { fill, h, want } from "../lib/kit.js";

const TABS = [["visit", "Visit"], ["visits", "Attempts"], ["data", "Data"], ["runs", "Sub-runs"]];

/** @param {{tabs: HTMLElement, tab: HTMLElement, panel: any, model: any}} given */
export function panelOf({ tabs, tab, panel, model }) {
  if (!tabs.childElementCount) {
    const open = (/** @type {string} */ name) => want(model, "open_tab", { tab: name });
    fill(tabs, TABS.map(([name]) => h("button", { type: "button", role: "tab", "data-tab": name, onclick: () => open(name) })));
    tabs.addEventListener("keydown", (event) => {
      const at = TABS.findIndex(([name]) => name === /** @type {HTMLElement} */ (event.target).dataset.tab);
      const by = { "ArrowRight": 1, "ArrowLeft": -1 }[event.key];
      if (at < 0 || !by) return;
      const [name] = TABS[(at + by + TABS.length) % TABS.length];
      /** @type {HTMLElement} */ (tabs.querySelector(`[data-tab=${name}]`)).focus();
      open(name);
      event.preventDefault();
    });
  }
  for (const [name, words] of TABS) {
    const button = /** @type {HTMLElement} */ (tabs.querySelector(`[data-tab=${name}]`));
    const count = { visits: panel.attempts, runs: panel.children }[name];
    button.textContent = count ? `${words} ${count.toLocaleString("en")}` : words;
    button.setAttribute("aria-selected", String(name === panel.tab));
    button.tabIndex = name === panel.tab ? 0 : -1;
    button.hidden = name === "runs" && !panel.children && panel.tab !== "runs";
  }
  const focus = tab.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.key : undefined;
  const opened = new Set([...tab.querySelectorAll("details[open]")].map((one) => /** @type {HTMLElement} */ (one).dataset.key));
  const typed = /** @type {HTMLTextAreaElement | null} */ (tab.querySelector("textarea[data-at]"));
  if (typed?.dataset.dirty && typed.dataset.run === panel.run && panel.visit && !panel.chosen && panel.visit.at !== Number(typed.dataset.at)) {
    want(model, "choose", { at: Number(typed.dataset.at) }); // the next visit does not take the place of what is being typed
    return;
  }
  const scrolled = tab.dataset.tab === panel.tab ? tab.querySelector(".okit-scroll")?.scrollTop ?? 0 : 0;
  tab.dataset.tab = panel.tab;
  tab.setAttribute("aria-label", TABS.find(([name]) => name === panel.tab)?.[1] ?? "");
  if (panel.visit) visit(tab, panel, model);
  else if (panel.visits) visits(tab, panel.visits, model);
  else if (panel.data) data(tab, panel.data, model);
  else if (panel.runs) runs(tab, panel.runs, model);
  else fill(tab, h("p", { class: "okit-soft" }, "Nothing was done yet. Step makes the next visit, Run all of them."));
  for (const one of tab.querySelectorAll("details")) one.open = opened.has(one.dataset.key ?? "");
  keep(tab, typed);
  const list = tab.querySelector(".okit-scroll");
  if (list) list.scrollTop = scrolled;
  if (focus) /** @type {HTMLElement | null} */ (tab.querySelector(`[data-key="${CSS.escape(focus)}"]`))?.focus();
}

/** What a person has typed stays, while the run goes on. @param {HTMLElement} tab @param {HTMLTextAreaElement | null} typed */
function keep(tab, typed) {
  const now = /** @type {HTMLTextAreaElement | null} */ (tab.querySelector("textarea[data-at]"));
  if (!typed?.dataset.dirty || now?.dataset.at !== typed.dataset.at || now.dataset.run !== typed.dataset.run) return;
  now.dataset.dirty = "true";
  now.value = typed.value;
  now.setSelectionRange(typed.selectionStart, typed.selectionEnd);
}

/** @param {string} name @param {any} value @param {string} [kind] */
const part = (name, value, kind) => h("div", { class: "okit-part" }, h("h4", null, name), h("pre", { tabindex: 0, "aria-label": name, class: kind ?? null }, value.text));

/** @param {HTMLElement} tab @param {any} panel @param {any} model */
function visit(tab, panel, model) {
  const one = panel.visit;
  const look = (/** @type {string} */ key, /** @type {string} */ words, /** @type {string} */ title, /** @type {number | null} */ at, isOff = false) =>
    h("button", { type: "button", "data-key": key, title, "aria-label": title, "aria-disabled": String(isOff), onclick: () => {
      if (isOff) return;
      delete change.dataset.dirty;
      want(model, "choose", at === null ? {} : { at });
    } }, words);
  const again = one.attempt > 1 ? `, attempt ${one.attempt}` : "";
  const change = /** @type {HTMLTextAreaElement} */ (h("textarea", { "data-key": "other", "data-at": one.at, "data-run": panel.run, "aria-label": `Other input for ${one.path}`, rows: 4, spellcheck: "false", value: one.input.text, oninput: () => (change.dataset.dirty = "true") }));
  fill(tab,
    h("div", { class: "okit-row" },
      look("before", "◂", "The attempt before", one.at - 1, one.at === 0), look("after", "▸", "The attempt after", one.at + 1, one.at + 1 >= panel.attempts),
      h("b", null, `${one.mark} ${one.path}${again}`), h("span", { class: "okit-soft" }, [one.words, one.worker, ...one.facts].join(" · ")),
      panel.chosen ? look("last", "Latest", "Look at the latest attempt again", null) : null),
    one.error ? h("div", { class: "okit-part" }, h("pre", { class: "okit-bad", tabindex: 0, "aria-label": "error" }, h("b", null, one.error.type), `: ${one.error.text}`),
      one.traceback ? h("details", { "data-key": "traceback" }, h("summary", null, "Traceback"), h("pre", { tabindex: 0 }, one.traceback)) : null) : null,
    h("div", { class: "okit-two" }, part("input", one.input), one.error && one.output.text === "null" ? null : part(one.error ? "output that was refused" : "output", one.output)),
    h("p", null, "→ ", h("b", null, one.to), h("span", { class: "okit-soft" }, `  ${one.way}`)),
    one.why.length ? h("details", { "data-key": "why" }, h("summary", null, `Conditions that were looked at (${one.why.length})`),
      h("ul", null, one.why.map((/** @type {any} */ why) => h("li", null, h("code", null, why.text), ` ${why.held}`, why.inputs ? h("span", { class: "okit-soft" }, `  ${why.inputs}`) : null)))) : null,
    one.changed.length ? h("p", { class: "okit-soft" }, "Set on the data bus: ", one.changed.map((/** @type {any} */ c) => `${c.key} = ${c.text}`).join("; ")) : null,
    h("div", { class: "okit-row" },
      h("button", { type: "button", "data-key": "back", title: "Make a fork that stands before this visit", onclick: () => want(model, "back", { at: one.at }) }, "↶ Back to here"),
      one.input.whole ? h("details", { "data-key": "change" }, h("summary", null, "with another input"), change,
        h("button", { type: "button", onclick: () => want(model, "back", { at: one.at, text: change.value, how: one.input.how }) }, "↶ Back to here with this input")) : null));
}

/** @param {HTMLElement} tab @param {any} list @param {any} model */
function visits(tab, list, model) {
  const turn = (/** @type {string} */ key, /** @type {string} */ words, /** @type {number | null} */ last) => h("button", { type: "button", "data-key": key, onclick: () => want(model, "turn_page", { last }) }, words);
  fill(tab,
    h("div", { class: "okit-scroll" }, h("table", null,
      h("thead", null, h("tr", null, ["", "visit", "worker", "took", "→"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", null, [...list.rows].reverse().map((/** @type {any} */ row) => h("tr", null,
        h("td", null, h("span", { title: row.words }, `${row.mark} `), h("span", { class: "okit-soft" }, row.words === "ok" ? "" : row.words)),
        h("td", null, h("button", { type: "button", class: "okit-link", "data-key": `at${row.at}`, onclick: () => want(model, "choose", { at: row.at }) }, row.path), row.attempt > 1 ? ` attempt ${row.attempt}` : ""),
        h("td", null, row.worker), h("td", { class: "okit-num" }, row.took), h("td", null, row.to)))))),
    h("div", { class: "okit-row" },
      list.last < list.total ? turn("newest", "Newest", null) : null,
      list.first > 0 ? turn("earlier", "Earlier", list.first) : null,
      h("span", { class: "okit-soft" }, list.total ? `${(list.first + 1).toLocaleString("en")} to ${list.last.toLocaleString("en")} of ${list.total.toLocaleString("en")}, the last first` : "No attempt yet.")));
}

/** @param {HTMLElement} tab @param {any} bus @param {any} model */
function data(tab, bus, model) {
  fill(tab,
    h("div", { class: "okit-scroll" }, h("table", null,
      h("thead", null, h("tr", null, ["entry", "type", "value"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", null, bus.rows.map((/** @type {any} */ row) => h("tr", { "data-new": row.new || null },
        h("td", null, row.name ? h("button", { type: "button", class: "okit-link", "data-key": `key${row.name}`, onclick: () => want(model, "open_key", { key: bus.opened === row.name ? null : row.name }) }, row.key) : row.key,
          row.new ? h("span", { class: "okit-new" }, " changed") : null),
        h("td", { class: "okit-kind" }, row.type), h("td", null, h("code", null, row.text))))))),
    bus.rows.length ? null : h("p", { class: "okit-soft" }, "The data bus is empty."),
    bus.more > 0 ? h("p", { class: "okit-soft" }, `and ${bus.more} more: run.context.data has them all`) : null,
    bus.removed.length ? h("p", null, `Removed by the last visit: ${bus.removed.join(", ")}`) : null,
    bus.opened ? part(bus.opened, bus.value) : null);
}

/** @param {HTMLElement} tab @param {any[]} list @param {any} model */
function runs(tab, list, model) {
  fill(tab, list.length ? h("table", null,
    h("thead", null, h("tr", null, ["visit", "workflow", "state", "attempts", ""].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", null, list.map((run) => h("tr", null, h("td", null, run.path), h("td", null, run.workflow), h("td", null, run.state), h("td", { class: "okit-num" }, run.attempts),
      h("td", null, h("button", { type: "button", "data-key": run.run, onclick: () => want(model, "open_run", { run: run.run }) }, "Open"))))))
    : h("p", { class: "okit-soft" }, "No sub-workflow was run."));
}
