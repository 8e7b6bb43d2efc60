// @ts-check
// What a person is asked, and the input of the next visit: cards with fields, which are not touched while they are used.
import { fill, h, put, want } from "../lib/kit.js";

/**
 * A value as a person may change it: `edited()` is null while it is as it was.
 * @param {{onInput: () => void}} options
 */
export function editor({ onInput }) {
  const title = h("h4");
  const area = /** @type {HTMLTextAreaElement} */ (h("textarea", { rows: 3, spellcheck: "false", oninput: changed, onchange: changed }));
  const how = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": "How the input is given", onchange: changed }, h("option", { value: "json" }, "as JSON"), h("option", { value: "text" }, "as text")));
  const undo = h("button", { type: "button", onclick: reset }, "Undo the change");
  const note = h("p", { class: "okit-soft" });
  const row = h("div", { class: "okit-row" }, how, undo);
  const element = h("div", { class: "okit-card" }, title, area, row, note);
  /** @type {any} */ let given = null;

  function edited() {
    const isChanged = given?.input.whole && (area.value !== given.input.text || how.value !== given.input.how);
    return isChanged ? { text: area.value, how: how.value } : null;
  }

  function changed() {
    const isChanged = edited() !== null;
    element.dataset.kind = isChanged ? "edited" : "";
    undo.hidden = !isChanged;
    note.textContent = isChanged
      ? `Changed: Step or Run will go on in a fork from ${given.path}; this run stays as it is.`
      : given?.input.whole === false ? "Too large, or no plain data: to change it, fork in code: run.fork(at=…, input=…)." : "";
    note.hidden = !note.textContent;
    onInput();
  }

  function reset() {
    if (!given) return;
    area.value = given.input.text;
    how.value = given.input.how;
    area.rows = Math.min(Math.max(given.input.text.split("\n").length, 2), 9);
    changed();
  }

  return {
    element, edited,
    /** @param {any} coming @param {boolean} isIdle */
    show(coming, isIdle) {
      element.hidden = !coming;
      const isSame = coming && given && coming.path === given.path && coming.input.text === given.input.text && coming.input.how === given.input.how;
      if (!coming) given = null;
      else {
        const worker = coming.worker ? ` by ${coming.worker}` : "";
        fill(title, h("span", { class: "okit-soft" }, coming.joins ? "Joins next: " : "Next: "), coming.words, h("span", { class: "okit-soft" }, worker));
        area.setAttribute("aria-label", `Input of ${coming.path}`);
        area.readOnly = !coming.input.whole || coming.joins || !isIdle;
        row.hidden = !coming.input.whole || coming.joins;
        if (!isSame) {
          given = coming;
          reset();
        }
      }
    },
  };
}

/**
 * The questions that a run waits for. Fields stay as they are while the questions are the same.
 * @param {HTMLElement} into @param {any} shown @param {any} model
 */
export function askedOf(into, shown, model) {
  const asked = shown.asked ?? [];
  const same = JSON.stringify(asked);
  if (into.dataset.asked === same) return;
  into.dataset.asked = same;
  into.hidden = asked.length === 0;
  fill(into, asked.map((/** @type {any} */ one) => card(one, model)));
}

/** @param {any} one @param {any} model */
function card(one, model) {
  const value = /** @type {HTMLTextAreaElement} */ (h("textarea", { rows: 2, "aria-label": one.kind === "event" ? "What comes with the event, as JSON" : "Value that is approved, as JSON", placeholder: one.kind === "event" ? "what comes with it, as JSON (or nothing)" : "value as JSON (or nothing for a plain yes)", spellcheck: "false" }));
  const reason = /** @type {HTMLInputElement} */ (h("input", { type: "text", "aria-label": "Reason", placeholder: "why not", size: 24 }));
  const given = () => (value.value.trim() ? { text: value.value, how: "json" } : {});
  const element = h("div", { class: "okit-card", "data-kind": "asked", role: "group", "aria-label": `Question of ${one.path}` },
    h("h4", null, `… ${one.prompt || one.path}`),
    one.shown.map((/** @type {any} */ part) => h("div", { class: "okit-part" }, h("h4", null, part.name), h("pre", { tabindex: 0, "aria-label": part.name }, part.text))),
    one.schema ? h("details", null, h("summary", null, "It has to fit this schema"), h("pre", null, one.schema)) : null,
    one.until ? h("p", { class: "okit-soft" }, one.until) : null);
  if (one.kind === "approval") {
    put(element, one.schema ? value : null, h("div", { class: "okit-row" },
      h("button", { type: "button", class: "okit-main", onclick: () => want(model, "approve", { request: one.request, ...given() }) }, "✓ Approve"),
      h("button", { type: "button", onclick: () => want(model, "reject", { request: one.request, reason: reason.value }) }, "✗ Reject"), reason));
  } else if (one.kind === "event") {
    put(element, value, h("div", { class: "okit-row" },
      h("button", { type: "button", class: "okit-main", onclick: () => want(model, "send_event", { event: one.event, ...given() }) }, `Send ${one.event}`)));
  }
  return element;
}
