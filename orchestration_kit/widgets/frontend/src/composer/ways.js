// @ts-check
// The kinds of ways out of a step: their sign, and in words when a run takes them.
/** @type {Record<string, {sign: string, words: string}>} */
export const WAYS = {
  body: { sign: "⇉", words: "opens a branch" },
  success: { sign: "✓", words: "after success" },
  branch: { sign: "?", words: "if a condition holds" },
  failure: { sign: "✗", words: "after a failure" },
  timeout: { sign: "◷", words: "where nothing came in time" },
  budget: { sign: "$", words: "where the budget is spent" },
  compensate: { sign: "↶", words: "undone by, when the run fails later on" },
};
export const START = "#start";
export const DRAGGED = "application/x-orchestration-kit";
