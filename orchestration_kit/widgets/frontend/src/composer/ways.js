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

const HANDLE = 18;

/** Where the handle of a way is, as a share of the box: success in the middle. @param {string[]} ways @param {number} at */
export function shareOf(ways, at) {
  const middle = ways.indexOf("success");
  const most = Math.max(middle, ways.length - 1 - middle, 1);
  return 0.5 + ((at - middle) * 0.42) / Math.max(most, 2);
}

/** The handles of a box, so that lines can be drawn before anything was measured. @param {any} box */
export function handlesOf({ ways, width, height, kind }) {
  if (kind === "entry") return ways.map((way, at) => ({ id: way, type: "source", position: "bottom", x: width / 2 - 9 + at * 24, y: height - 9, width: HANDLE, height: HANDLE }));
  const out = ways.map((way, at) => ({ id: way, type: "source", position: "bottom", x: width * shareOf(ways, at) - HANDLE / 2, y: height - HANDLE / 2, width: HANDLE, height: HANDLE }));
  return [{ id: null, type: "target", position: "top", x: 0, y: 0, width, height }, ...out];
}
