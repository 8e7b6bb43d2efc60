// @ts-check
// Many runs at a glance. Shows what Python sends, and takes to Python what a person wants to see or do.
import "./monitor.css";
import { diagram } from "./lib/diagram.js";
import { fill, h, on, put, want, widget } from "./lib/kit.js";
import { span } from "./lib/time.js";
import { saySeen } from "./lib/watching.js";
import { stepTable } from "./monitor/steps.js";
import { MARKS, runTable } from "./monitor/table.js";

const TYPED_MS = 250;

export default widget("monitor", ({ model, root, signal }) => {
  const may = model.get("may_change");
  let around = /** @type {any} */ ({});

  // --- above the table: how many there are, what to look at, which ones to show

  const counts = h("div", { class: "okit-mon-counts", role: "group", "aria-label": "Show runs by state" });
  const alertList = h("ul", { class: "okit-mon-alertlist" });
  const alertCount = h("summary", null);
  const alerts = /** @type {HTMLDetailsElement} */ (h("details", { class: "okit-mon-alerts", open: true, hidden: true }, alertCount, alertList));
  const said = h("p", { class: "okit-aside", role: "status" });
  let typing = 0;
  const text = /** @type {HTMLInputElement} */ (h("input", { type: "search", placeholder: "run, step, error, tag", "aria-label": "Filter runs by text", oninput: () => {
    clearTimeout(typing);
    typing = window.setTimeout(() => want(model, "show", { text: text.value }), TYPED_MS);
  } }));
  signal.addEventListener("abort", () => clearTimeout(typing)); // a page that is gone has nothing to filter
  const workflow = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": "Workflow", onchange: () => want(model, "show", { workflow: workflow.value }) }));
  const cut = h("span", { class: "okit-mon-cut" });
  const table = runTable({
    may, signal,
    open: (id) => want(model, "open_run", { id }), cancel: (id) => want(model, "cancel", { id }), ask: (id) => want(model, "ask", { id }),
    sort: (sort, descending) => want(model, "show", { sort, descending }),
  });

  // --- below it: what is open, and the graph

  const heading = h("h3", { tabindex: "-1" });
  const box = h("div", null);
  const below = h("section", { class: "okit-mon-panel", "aria-label": "What is open", hidden: true },
    h("header", null, heading, h("button", { type: "button", onclick: () => want(model, "put_away") }, "Close")), box);
  const picture = diagram({ signal, label: "Workflow with figures", onSelect: (id) => steps.select(id) });
  const steps = stepTable((id) => picture.select(id));
  const graphOf = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": "Graph of the workflow", onchange: () => want(model, "graph", { workflow: graphOf.value }) }));
  const graphSaid = h("span", { class: "okit-mon-cut" });
  const graphWhy = h("p", { hidden: true });
  const graph = h("section", { class: "okit-mon-graph", "aria-label": "Graph and figures", hidden: true },
    h("header", null, h("h3", null, "Graph of "), graphOf, graphSaid), graphWhy, h("div", { class: "okit-mon-split" }, picture.element, steps.node));

  put(root, said, h("header", { class: "okit-mon-top" }, h("h2", null, "Runs"), counts), alerts,
    h("div", { class: "okit-mon-filters" }, text, workflow, cut), table.node, below, graph);

  // --- what Python sends

  on(model, "msg:custom", (/** @type {any} */ message) => {
    if (message.around) showAround(message.around);
    if (message.rows || message.order) table.take(message.rows ?? {}, message.order);
    if (message.graph) showGraph(message.graph);
  }, signal);

  /** @param {any} told */
  function showAround(told) {
    around = told;
    const { view, found, shown, followed, total } = told;
    const all = Object.values(told.counts).reduce((sum, one) => sum + one, 0);
    const had = /** @type {any} */ (document.activeElement)?.dataset?.state;
    fill(counts, countButton("", "all", all, view.state === ""), Object.entries(told.counts).map(([state, number]) => countButton(state, state.replaceAll("_", " "), number, view.state === state)));
    if (had !== undefined && !root.contains(document.activeElement)) /** @type {any} */ (counts.querySelector(`[data-state="${had}"]`))?.focus();
    if (document.activeElement !== text) text.value = view.text;
    const names = told.workflows;
    options(workflow, [["", "all workflows"], ...names], view.workflow);
    options(graphOf, names, graphOf.value);
    const left = total > followed ? ` of the ${followed.toLocaleString()} newest and running ones (${total.toLocaleString()} on record)` : "";
    cut.textContent = found > shown ? `${shown} of ${found.toLocaleString()} shown${left}` : `${found.toLocaleString()} ${found === 1 ? "run" : "runs"}${left}`;
    table.sorted(view.sort, view.descending);
    table.none(all === 0 ? "No run yet. Runs appear here as they begin." : "No run is like that: clear the filter, or choose another state.");
    alerts.hidden = told.alerts.length === 0;
    const number = told.alerts.length + told.more_alerts;
    const words = `${number} ${number === 1 ? "alert" : "alerts"}`;
    fill(alertCount, h("span", { "aria-hidden": "true" }, "⚠ "), words);
    fill(alertList, told.alerts.map((/** @type {any} */ alert) => h("li", null,
      h("b", null, alert.kind), " ",
      alert.id && h("button", { type: "button", class: "okit-mon-link", onclick: () => want(model, "open_run", { id: alert.id }) }, alert.run), " ",
      h("span", null, alert.text), " ",
      alert.since && h("time", { datetime: new Date(alert.since * 1000).toISOString(), title: new Date(alert.since * 1000).toLocaleString() }, `${span(Date.now() / 1000 - alert.since)} ago`))),
    told.more_alerts > 0 && h("li", null, `and ${told.more_alerts} more`));
    const status = [words, ...Object.entries(told.counts).map(([state, one]) => `${one} ${state.replaceAll("_", " ")}`)].join(", ");
    if (said.textContent !== status) said.textContent = status;
  }

  /** @param {string} state @param {string} word @param {number} number @param {boolean} isOn */
  function countButton(state, word, number, isOn) {
    return h("button", { type: "button", "data-state": state, "aria-pressed": String(isOn), onclick: () => want(model, "show", { state: isOn ? "" : state }) },
      state && h("span", { class: "okit-mon-mark", "aria-hidden": "true" }, MARKS[state]), h("b", null, number.toLocaleString()), ` ${word}`);
  }

  /** @param {any} told */
  function showGraph(told) {
    graph.hidden = !told.workflow;
    graphWhy.hidden = !told.why;
    graphWhy.textContent = told.why ?? "";
    picture.element.hidden = Boolean(told.why);
    if (told.svg) picture.show(told.svg);
    else if (told.groups) picture.swap(told.groups);
    steps.show(told.steps ?? []);
    options(graphOf, around.workflows ?? [], told.workflow);
    const runs = `${(told.runs ?? 0).toLocaleString()} ${told.runs === 1 ? "run" : "runs"} shown`;
    graphSaid.textContent = told.why ? "" : `over the ${runs}${told.pending ? `, ${told.pending} are still being read` : ""}. A step's time is the median of its attempts.`;
  }

  // --- a widget within this one: a player, or an approval box

  /** @type {any} */ let child = null;
  const showBelow = async () => {
    const id = model.get("child"), { title, how, number } = model.get("opened") ?? {};
    child?.remove?.();
    child = null;
    fill(box);
    below.hidden = !title;
    heading.textContent = title ?? "";
    if (!title) return;
    try {
      if (!id) throw new Error("this program knows no models");
      const view = await model.widget_manager.create_view(await model.widget_manager.get_model(id));
      if (model.get("opened")?.number !== number || signal.aborted) return void view.remove();
      child = view;
      put(box, view.el);
    } catch {
      fill(box, h("p", null, how ?? ""));
    }
    below.scrollIntoView({ block: "nearest" });
    heading.focus({ preventScroll: true });
  };
  on(model, "change:opened", showBelow, signal);
  signal.addEventListener("abort", () => child?.remove?.());

  showBelow();
  want(model, "hello");
  saySeen(model, signal);
});

/** Fill a select without disturbing a person who has it open. @param {HTMLSelectElement} select @param {[string, string][]} names @param {string} value */
function options(select, names, value) {
  const now = JSON.stringify(names);
  if (select.dataset.names !== now) {
    fill(select, names.map(([name, word]) => h("option", { value: name }, word)));
    select.dataset.names = now;
  }
  if (document.activeElement !== select || select.value === "") select.value = value;
}
