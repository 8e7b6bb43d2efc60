// @ts-check
// Shows a run and takes what a person wants of it to Python, which decides.
import { diagram, icon, unpack } from "./lib/diagram.js";
import { fill, h, on, put, want, widget } from "./lib/kit.js";
import { panelOf } from "./player/panel.js";
import { askedOf, editor } from "./player/cards.js";
import "./player.css";

/** What can be done: the intent, a shape, a word, and what it means. */
const BUTTONS = [
  ["step", "M3,3L10,8L3,13Z M11,3h2v10h-2Z", "Step", "Make the next visit"],
  ["run_on", "M4,2.5L13.5,8L4,13.5Z", "Run", "Run to the end, or until somebody is asked"],
  ["pause", "M4,3h3v10h-3Z M9.5,3h3v10h-3Z", "Pause", "Begin no further visit"],
  ["stop", "M3.5,3.5h9v9h-9Z", "Stop", "End the run as cancelled"],
  [],
  ["retry", "M8,2.5a5.5,5.5 0 1 1 -5.3,4l1.7,0.5a3.7,3.7 0 1 0 3.6,-2.7v2.2L4.6,3.4L8,0.4Z", "Retry", "Make the visit that failed last once more"],
  ["skip", "M1.5,9C3,4 10,3.2 12.2,7.3L14.6,6.2L13.6,11.5L8.8,9L11,8.1C9,5.4 4.6,5.8 3.2,9.6Z", "Skip", "Do not call the next worker; what is in the input box is put out"],
  ["back", "M6,2.2V5C11,5 14,8 14,13C12.4,10 10,8.6 6,8.6V11.4L1.2,6.8Z", "Back", "Go to the beginning of the visit that is looked at, in a fork"],
];
const WITH_INPUT = new Set(["step", "run_on", "skip"]);
const TWICE_MS = 350;

export default widget("player", ({ model, root, signal }) => {
  /** @type {Record<string, any>} */ let shown = {};
  /** @type {Record<string, any>} */ let panel = {};

  const state = h("span", { class: "okit-state", role: "status" });
  const about = h("span", { class: "okit-soft" });
  const name = h("span", { class: "okit-name" });
  const origin = h("button", { type: "button", class: "okit-link", onclick: () => want(model, "open_parent") });
  const runs = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": "Run that is shown", onchange: () => want(model, "open_run", { run: runs.value }) }));
  const bar = h("div", { class: "okit-bar", role: "toolbar", "aria-label": "What can be done" });
  const figures = h("div", { class: "okit-figures" });
  const cards = h("div", { class: "okit-side" });
  const live = h("div", { class: "okit-card", hidden: true });
  const tabs = h("div", { class: "okit-tabs", role: "tablist", "aria-label": "What is looked at" });
  const tab = h("div", { class: "okit-tab", role: "tabpanel" });
  const still = h("style");
  const picture = diagram({ signal, onSelect: (node) => want(model, "choose", { node }) });
  const next = editor({ onInput: () => paintButtons() });
  const side = h("div", { class: "okit-side" }, cards, next.element, live, tabs, tab);
  put(root, still, h("div", { class: "okit-top" }, state, name, about, origin, runs), bar, figures,
    h("div", { class: "okit-body" }, picture.element, side));

  // --- buttons

  /** @type {Map<string, HTMLElement>} */ const buttons = new Map();
  const clicked = new Map();
  for (const [intent, sign, word] of BUTTONS) {
    if (!intent) put(bar, h("span", { class: "okit-gap" }));
    else {
      const button = h("button", { type: "button", onclick: (/** @type {MouseEvent} */ event) => press(intent, event.detail) }, icon(sign), h("span", null, word));
      buttons.set(intent, button);
      put(bar, button);
    }
  }

  /** @param {string} intent @param {number} count which click it is of several in a row */
  function press(intent, count) {
    const now = performance.now();
    if (count > 1 && now - (clicked.get(intent) ?? -1e6) < TWICE_MS) return; // a double click is one
    clicked.set(intent, now);
    /** @type {Record<string, any>} */ const args = {};
    if (WITH_INPUT.has(intent) && shown.coming) Object.assign(args, { at: shown.coming.path }, next.edited());
    if (intent === "back" && panel.visit && panel.chosen) args.at = panel.visit.at;
    want(model, intent, args);
  }

  function paintButtons() {
    const edited = next.edited() !== null;
    for (const [intent, , word, about] of BUTTONS) {
      const button = intent && buttons.get(intent);
      if (!button) continue;
      const why = shown.buttons?.[intent === "run_on" ? "run" : intent] ?? "";
      button.setAttribute("aria-disabled", String(why !== ""));
      button.title = why || (edited && WITH_INPUT.has(intent) && intent !== "skip" ? `${about}, with the input as you changed it, in a fork` : about);
      const says = intent === "run_on" && shown.resumes ? "Resume" : word;
      const text = /** @type {HTMLElement} */ (button.lastChild);
      if (text.textContent !== says) text.textContent = says;
    }
    buttons.get("step")?.classList.toggle("okit-main", !shown.buttons?.step);
    buttons.get("pause")?.classList.toggle("okit-main", !shown.buttons?.pause);
  }

  // --- how the run stands

  function paintShown() {
    shown = model.get("shown") ?? {};
    const told = `${shown.mark ?? ""} ${shown.words ?? ""}`;
    if (state.textContent !== told) fill(state, h("span", { class: "okit-sign", "aria-hidden": "true" }, shown.mark), ` ${shown.words}`);
    state.dataset.state = shown.state;
    name.textContent = shown.workflow;
    about.textContent = shown.goal;
    origin.hidden = !shown.lineage;
    origin.textContent = shown.lineage;
    origin.title = "Show the run that this one came from";
    const list = shown.runs ?? [];
    runs.hidden = list.length < 2;
    if (runs.dataset.list !== JSON.stringify(list)) {
      runs.dataset.list = JSON.stringify(list);
      fill(runs, list.map((/** @type {any} */ one) => h("option", { value: one.run, selected: one.here }, one.words)));
    }
    const { done = 0, of = 0, text = "" } = shown.progress ?? {};
    fill(figures, h("span", null, bar_(done, Math.max(of, 1), text), ` ${text}`),
      (shown.used ?? []).map((/** @type {any} */ one) => h("span", null, `${one.label} `, h("b", null, one.text), one.share == null ? null : [" ", bar_(one.share, 1, `${one.label}: ${one.text}`)])),
      h("span", { class: "okit-soft" }, shown.run));
    const rule = shown.still ? `.${shown.still} { display: none; }` : "";
    if (still.textContent !== rule) still.textContent = rule;
    askedOf(cards, shown, model);
    next.show(shown.coming, shown.state !== "running");
    const piece = shown.pieces?.[0];
    live.hidden = !piece;
    if (piece) fill(live, h("h4", null, `${piece.path} says so far`), h("pre", null, piece.text));
    picture.at(shown.at ?? [], shown.last);
    paintButtons();
  }

  /** @param {number} value @param {number} most @param {string} label */
  const bar_ = (value, most, label) => h("progress", { value, max: most, "aria-label": label, class: most === 1 && value > 0.85 ? "okit-near" : null });

  function paintPanel() {
    panel = model.get("panel") ?? {};
    panelOf({ tabs, tab, panel, model });
    picture.select(panel.tab === "visit" && panel.chosen ? panel.visit?.node ?? "" : "");
  }

  let asked = 0;
  async function paintPicture() {
    const mine = ++asked, svg = model.get("picture") ? await unpack(model.get("picture")) : "";
    if (mine === asked && svg && !signal.aborted) {
      picture.show(svg);
      picture.at(shown.at ?? [], shown.last);
    }
  }

  root.addEventListener("okit-lost", () => {
    if (root.querySelector(".okit-gone")) return;
    const how = shown.journal
      ? `The run is in the journal. Run the cells that make the orchestrator again; then hub.get_run(${JSON.stringify(shown.run)}).player() shows it, and Run.resume(${JSON.stringify(shown.run)}, hub) goes on.`
      : "The run was in memory only, and is gone with the kernel. Run the cells again to make another.";
    root.prepend(h("p", { class: "okit-lost okit-gone" }, how));
  }, { signal });
  on(model, "change:shown", paintShown, signal);
  on(model, "change:panel", paintPanel, signal);
  on(model, "change:picture", paintPicture, signal);
  on(model, "msg:custom", (/** @type {any} */ message) => message?.groups && picture.swap(message.groups), signal);
  paintShown();
  paintPanel();
  want(model, "hello");
  return paintPicture();
});
