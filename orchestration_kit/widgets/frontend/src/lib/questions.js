// @ts-check
// One question of a run: what is asked, what it is bound to, what follows, a form, approve or reject. Decides nothing.
import { formFor } from "./form.js";
import { fill, h } from "./kit.js";
import { span } from "./time.js";

/**
 * @typedef {{key: string, run: string, workflow: string, goal: string, path: string, about: string, prompt: string, hash: string, asked_at: number,
 *   deadline: number | null, shown: Shown[], more: number, schema: any, ways: Record<"approve" | "reject" | "timeout", Way[]>, bar: string}} Question
 * @typedef {{name: string, kind: string, text: string, fields?: [string, string][], cut: number}} Shown
 * @typedef {{when: string, steps: {step: string, about: string}[], end: string}} Way
 */

/**
 * @param {Question} question
 * @param {{answer: (intent: "approve" | "reject", args: any) => void, canGoOn: boolean, signal: AbortSignal}} options
 */
export function questionCard(question, { answer, canGoOn, signal }) {
  const { run, path, hash, schema } = question;
  const id = `q${Math.random().toString(36).slice(2, 9)}`;
  const isPlain = schema == null || (schema.type === "boolean" && !schema.properties);
  const form = isPlain ? null : formFor(schema, undefined, { signal, label: "Your answer" });
  const reason = /** @type {HTMLTextAreaElement} */ (h("textarea", { id: `${id}-reason`, rows: 1, "aria-describedby": `${id}-why` }));
  const why = h("p", { class: "okit-form-error", id: `${id}-why`, role: "alert", hidden: true });
  const goOn = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", id: `${id}-on`, checked: true }));
  const when = h("p", { class: "okit-ask-when" });

  /** @param {"approve" | "reject"} intent @param {any} args */
  const send = (intent, args) => {
    busy(true);
    answer(intent, { key: question.key, go_on: canGoOn && goOn.checked, ...args });
  };
  const approve = /** @type {HTMLButtonElement} */ (h("button", { type: "button", class: "okit-ask-yes", onclick: () => {
    if (!form) send("approve", {});
    else if (form.errors().length === 0) send("approve", { value: form.value() ?? null });
  } }, h("span", { "aria-hidden": "true" }, "✓ "), "Approve"));
  const reject = /** @type {HTMLButtonElement} */ (h("button", { type: "button", class: "okit-ask-no", onclick: () => {
    why.hidden = reason.value.trim() !== "";
    why.textContent = "Say why: the reason goes on record.";
    if (why.hidden) send("reject", { reason: reason.value });
    else reason.focus();
  } }, h("span", { "aria-hidden": "true" }, "✕ "), "Reject"));
  /** @param {boolean} yes */
  const busy = (yes) => {
    for (const button of [approve, reject]) button.disabled = yes || question.bar !== "";
    node.toggleAttribute("aria-busy", yes);
  };

  const facts = [["Run", run], ["Workflow", question.workflow], ["Step", path], ["Goal", question.goal]].filter(([, text]) => text);
  const node = h("article", { class: "okit-ask", "aria-labelledby": `${id}-prompt`, "data-path": path, "data-run": run },
    h("header", null, h("span", { class: "okit-ask-mark" }, h("span", { "aria-hidden": "true" }, "… "), "waits for you"), when),
    h("h3", { id: `${id}-prompt`, class: "okit-ask-prompt" }, question.prompt || "(its wording is in code that is not on record)"),
    question.about && h("p", { class: "okit-ask-about" }, question.about),
    h("dl", { class: "okit-ask-facts" }, facts.map(([name, text]) => h("div", null, h("dt", null, name), h("dd", null, text)))),
    h("section", { "aria-label": "What you decide on" }, h("h4", null, "What you decide on"), question.shown.map(shown),
      question.more > 0 && h("p", { class: "okit-ask-cut" }, `${question.more} more values are not shown here: see run.waiting.`)),
    h("section", { "aria-label": "What happens then" }, h("h4", null, "What happens then"), outlook(question)),
    h("section", { class: "okit-ask-answer", "aria-label": "Your answer" }, h("h4", null, "Your answer"),
      form?.node,
      question.bar && h("p", { class: "okit-ask-bar" }, question.bar),
      h("div", { class: "okit-ask-buttons" }, approve,
        h("div", { class: "okit-ask-reject" }, h("label", { for: `${id}-reason` }, "Reason, if you reject"), reason, why), reject),
      canGoOn && h("div", { class: "okit-form-tick" }, goOn, h("label", { for: `${id}-on` }, "and go on with the run")),
      h("p", { class: "okit-ask-bound" }, "Your answer holds for exactly this question, ", h("code", null, hash.slice(0, 12)), " and no other: if what is shown changes, it is asked anew.")));
  busy(false);
  const tick = () => fill(when, clock(question));
  tick();
  return {
    node, busy, tick,
    /** @param {Record<string, string>} problems by JSON Pointer */
    complain(problems) {
      busy(false);
      if (form) form.showErrors(problems);
    },
    focus: () => approve.focus(),
  };
}

/** @param {Shown} value */
function shown({ name, kind, text, fields, cut }) {
  const body = kind === "fields"
    ? h("table", null, h("tbody", null, (fields ?? []).map(([key, one]) => h("tr", null, h("th", { scope: "row" }, key), h("td", null, one)))))
    : h("pre", { class: `okit-ask-${kind}`, tabindex: text.length > 600 ? "0" : null }, text);
  return h("figure", null, h("figcaption", null, name), body, cut > 0 && h("p", { class: "okit-ask-cut" }, `${cut.toLocaleString()} more characters are not shown here: see run.waiting.`));
}

/** @param {Question} question */
function outlook({ ways }) {
  const told = /** @type {const} */ ([["approve", "✓", "If you approve"], ["reject", "✕", "If you reject"], ["timeout", "◷", "If nobody answers in time"]]);
  const column = (/** @type {readonly ["approve" | "reject" | "timeout", string, string]} */ [kind, mark, title]) =>
    ways[kind].length > 0 && h("div", { class: `okit-ask-way okit-ask-${kind}` },
      h("h5", null, h("span", { "aria-hidden": "true" }, `${mark} `), title),
      ways[kind].map(({ when, steps, end }) => [
        when && h("p", { class: "okit-ask-if" }, when === "otherwise" ? "otherwise" : ["where ", h("code", null, when)]),
        h("ol", null, steps.map(({ step, about }) => h("li", null, h("b", null, step), about && h("span", null, ` ${about}`))), end && h("li", { class: "okit-ask-end" }, end)),
      ]));
  const columns = told.map(column).filter(Boolean);
  return columns.length ? h("div", { class: "okit-ask-ways" }, columns) : h("p", null, "Its workflow is in code that is not on record, so the steps are not known here.");
}

/** When it was asked, and until when. @param {Question} question @returns {any[]} */
function clock({ asked_at, deadline }) {
  const now = Date.now() / 1000;
  const left = deadline === null ? null : deadline - now;
  const until = deadline === null ? "" : new Date(deadline * 1000).toLocaleString();
  return [
    h("time", { datetime: new Date(asked_at * 1000).toISOString(), title: new Date(asked_at * 1000).toLocaleString() }, `asked ${span(now - asked_at)} ago`),
    left !== null && h("b", { class: left < 300 ? "okit-ask-late" : "" }, left > 0 ? ` · times out in ${span(left)} (${until})` : ` · its time was up at ${until}`),
  ];
}

/**
 * A list of questions that keeps what was typed while others come and go.
 * @param {{answer: (intent: "approve" | "reject", args: any) => void, canGoOn: boolean, signal: AbortSignal}} options
 */
export function questionList(options) {
  /** @type {Map<string, ReturnType<typeof questionCard> & {ending: AbortController}>} */
  const cards = new Map();
  const node = h("div", { class: "okit-asks" });
  const timer = setInterval(() => cards.forEach((card) => card.tick()), 1000);
  options.signal.addEventListener("abort", () => (clearInterval(timer), cards.forEach(({ ending }) => ending.abort())));
  return {
    node,
    /** @param {Question[]} questions */
    show(questions) {
      const keys = new Set(questions.map(({ key }) => key));
      const hadFocus = node.contains(document.activeElement);
      for (const [key, card] of cards) {
        if (keys.has(key)) continue;
        card.ending.abort();
        card.node.remove();
        cards.delete(key);
      }
      questions.forEach((question, at) => {
        const { key } = question;
        if (!cards.has(key)) {
          const ending = new AbortController();
          cards.set(key, { ...questionCard(question, { ...options, signal: ending.signal }), ending });
        }
        const { node: card } = /** @type {any} */ (cards.get(key));
        if (node.children[at] !== card) node.insertBefore(card, node.children[at] ?? null);
      });
      if (hadFocus && !node.contains(document.activeElement)) [...cards.values()][0]?.focus();
    },
    /** Nothing is on its way any more. */
    rest: () => cards.forEach((card) => card.busy(false)),
    /** @param {string} key @param {Record<string, string>} problems */
    complain: (key, problems) => cards.get(key)?.complain(problems),
  };
}
