// @ts-check
// What keys mean in the composer. Text fields keep their own undo, copy and delete.

const REGIONS = ["palette", "canvas", "form", "problems"];

/** The command of a key, if any. @param {any} event @returns {string | [string, any] | null} */
export function commandOf(event) {
  const { target, key } = event;
  const isTyping = target.matches?.('input:not([type="checkbox"]):not([type="file"]), textarea');
  const isTyped = isTyping && (target.dataset.dirty !== undefined || target.readOnly || !target.closest(".okc-form"));
  const onCanvas = Boolean(target.closest?.(".okc-canvas")) && !target.closest(".okc-quick");
  const isControl = event.ctrlKey || event.metaKey;
  if (key === "F6") return ["regions", event.shiftKey ? -1 : 1];
  if (isControl && !event.altKey) {
    const letter = key.toLowerCase();
    if (letter === "z" && !isTyped) return event.shiftKey ? "redo" : "undo";
    if (letter === "y" && !isTyped) return "redo";
    if (letter === "l" && event.shiftKey) return "tidy";
    if (onCanvas && !isTyping) return { c: "copy", x: "cut", v: "paste", a: "all" }[letter] ?? null;
    return null;
  }
  if (key === "Escape" && target.closest?.(".okc-form")) return "back";
  if (!onCanvas || isTyping) return null;
  if (key === "Delete" || key === "Backspace") return "remove";
  const isChosen = target.matches?.(".react-flow__node.selected");
  if (key === "F2" && isChosen) return "rename";
  if (key === "Enter" && isChosen) return "edit";
  return null;
}

/** Put the focus into the next part of the composer. @param {HTMLElement} stage @param {number} by */
export function turnRegion(stage, by) {
  const here = document.activeElement?.closest("[data-region]")?.getAttribute("data-region");
  for (let turn = 1; turn <= REGIONS.length; turn += 1) {
    const at = here ? REGIONS.indexOf(here) : by > 0 ? -1 : REGIONS.length;
    const name = REGIONS[(at + by * turn + 2 * REGIONS.length) % REGIONS.length];
    const region = stage.querySelector(`[data-region="${name}"]`);
    const target = region?.querySelector(".react-flow__node.selected") ?? region?.querySelector(".react-flow__node[tabindex]") ?? region?.querySelector("input, select, textarea, button:not(:disabled), summary");
    if (target) return /** @type {HTMLElement} */ (target).focus();
  }
}
