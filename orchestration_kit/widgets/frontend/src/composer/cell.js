// @ts-check
// Puts code into a new cell of the notebook, below the one that an element stands in.
// JupyterLab and Notebook run commands for elements that name them (their "command linker"); that is their public way
// for what a cell shows, and needs no global. What has no such notebook around it, has no such cell either.

const PATIENCE_MS = 3000;

/** Whether there is a notebook that can take a cell. @param {Element} el */
export function hasNotebook(el) {
  return el.closest(".jp-Notebook") !== null;
}

/** Insert a cell with this text; true once it is there. @param {Element} el @param {string} text */
export async function insertCell(el, text) {
  const notebook = el.closest(".jp-Notebook");
  const cell = el.closest(".jp-Cell");
  if (!notebook || !cell) return false;
  const before = new Set(notebook.querySelectorAll(".jp-Cell"));
  // The notebook inserts below the cell that is active: this one.
  cell.dispatchEvent(new MouseEvent("mousedown", { bubbles: true, button: 0 }));
  cell.dispatchEvent(new MouseEvent("mouseup", { bubbles: true, button: 0 }));
  command(el, "notebook:insert-cell-below", {});
  const made = await until(() => {
    const active = notebook.querySelector(".jp-Cell.jp-mod-active");
    return active && !before.has(active) && active.querySelector(".cm-content") ? active : null;
  }, notebook);
  if (!made) return false;
  command(el, "notebook:replace-selection", { text });
  const first = text.trimStart().split("\n")[0];
  return (await until(() => made.textContent?.includes(first), made)) != null;
}

/** Have the notebook program run a command. @param {Element} el @param {string} name @param {object} args */
function command(el, name, args) {
  const link = document.createElement("span");
  link.hidden = true;
  link.dataset.commandlinkerCommand = name;
  link.dataset.commandlinkerArgs = JSON.stringify(args);
  el.appendChild(link);
  link.click();
  link.remove();
}

/** Wait until something is true of what is in an element. @template T @param {() => T | null | undefined | false} look @param {Element} el @returns {Promise<T | null>} */
function until(look, el) {
  return new Promise((resolve) => {
    const found = look();
    if (found) return resolve(found);
    const end = (/** @type {any} */ value) => (watch.disconnect(), clearTimeout(timer), resolve(value));
    const watch = new MutationObserver(() => {
      const now = look();
      if (now) end(now);
    });
    const timer = setTimeout(() => end(null), PATIENCE_MS);
    watch.observe(el, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ["class"] });
  });
}
