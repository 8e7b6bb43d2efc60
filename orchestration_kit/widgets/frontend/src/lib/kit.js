// @ts-check
// What every widget needs of a page: safe elements, intentions, the theme, and a word when the kernel is gone.
// Text from data goes in through textContent and setAttribute only; there is no innerHTML anywhere.

/**
 * Make an element. `on*` functions become listeners, `class` and other names attributes, `null` and `false` nothing.
 * @param {string} tag @param {Record<string, any> | null} [props] @param {...any} children texts, nodes, lists of them
 * @returns {HTMLElement}
 */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (typeof value === "function") node.addEventListener(name.slice(2).toLowerCase(), value);
    else if (name === "value") /** @type {any} */ (node).value = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, String(value));
  }
  put(node, ...children);
  return node;
}

/** Put children at the end of a node. @param {Node} node @param {...any} children */
export function put(node, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child == null || child === false) continue;
    node.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** Replace what is in a node. @param {Element} node @param {...any} children */
export function fill(node, ...children) {
  node.replaceChildren();
  put(node, ...children);
}

/** Tell Python what the person wants. @param {any} model @param {string} intent @param {object} [args] */
export function want(model, intent, args) {
  model.send({ intent, args: args ?? {} });
}

/** "light" or "dark": what an element really stands on. @param {Element} el */
export function themeAt(el) {
  for (let at = /** @type {Element | null} */ (el); at; at = at.parentElement) {
    const [r, g, b, a = 1] = (getComputedStyle(at).backgroundColor.match(/[\d.]+/g) ?? []).map(Number);
    if (a > 0.5 && r !== undefined) return 0.299 * r + 0.587 * g + 0.114 * b < 128 ? "dark" : "light";
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/**
 * Make an anywidget module of `draw(model, root, signal)`: `root` is an element of its own, and whatever listens
 * stops when `signal` is aborted. What `draw` raises is shown in the cell.
 * @param {string} name @param {(context: {model: any, root: HTMLElement, signal: AbortSignal}) => any} draw
 */
export function widget(name, draw) {
  return {
    async render({ model, el }) {
      const ending = new AbortController();
      const { signal } = ending;
      const root = h("section", { class: `okit okit-${name}`, "aria-label": name });
      const said = h("p", { class: "okit-notice", role: "status", hidden: true });
      const lost = h("p", { class: "okit-lost", role: "alert", hidden: true });
      el.replaceChildren(lost, root, said);
      // Keys typed in here are not meant for the notebook: without this, "dd" deletes the cell.
      el.addEventListener("focusin", (event) => event.target.setAttribute("data-lm-suppress-shortcuts", "true"), { signal });
      const shade = () => {
        const theme = themeAt(el.parentElement ?? el);
        for (const node of [root, said, lost]) node.dataset.theme = theme;
        if (model.get("theme") !== theme) {
          model.set("theme", theme);
          model.save_changes();
        }
      };
      const notice = () => {
        const { level, text } = model.get("notice") ?? {};
        said.hidden = !text;
        said.dataset.level = level ?? "info";
        said.setAttribute("role", level === "error" ? "alert" : "status");
        said.textContent = text ?? "";
      };
      const connection = (isLost = isDisconnected(el)) => {
        lost.hidden = !isLost;
        lost.textContent = isLost ? `The kernel of this ${name} is gone. What you see is how things stood. ` + (LOST[name] ?? "Run the cell again to go on.") : "";
        root.toggleAttribute("inert", isLost);
        if (isLost) root.dispatchEvent(new CustomEvent("okit-lost"));
      };
      on(model, "change:notice", notice, signal);
      on(model, "comm_live_update", () => connection(true), signal); // JupyterLab tells of a restart so, and sets no class
      const watch = new MutationObserver(shade);
      for (const node of [document.body, document.documentElement]) watch.observe(node, { attributes: true });
      const dead = new MutationObserver(() => isDisconnected(el) && connection());
      for (let at = el; at && at !== document.body; at = at.parentElement) dead.observe(at, { attributes: true, attributeFilter: ["class"] });
      signal.addEventListener("abort", () => (watch.disconnect(), dead.disconnect()));
      try {
        await draw({ model, root, signal });
        notice();
      } catch (error) {
        fill(root, h("pre", { class: "okit-broken", role: "alert" }, `This ${name} could not be shown: ${error?.stack ?? error}`));
      }
      requestAnimationFrame(shade);
      return () => ending.abort();
    },
  };
}

/** What to do when the kernel is gone, by widget. @type {Record<string, string>} */
const LOST = {
  approval: "The question is not lost where the run has a journal: run the cell again, or approvals(journal).",
  comparison: "Run the cell again: runs of a journal are still there.",
  composer: "What you composed is kept in this page: run the cell again and take it over there.",
  monitor: "Run the cell again: what is in a journal is still there.",
  player: "A run with a journal is not lost: run the cells again, with hub.resume(run_id) or Run.resume(run_id, hub), and its player goes on.",
};

/** Whether the page has lost the kernel of a widget. @param {Element} el */
function isDisconnected(el) {
  return el.closest(".jupyter-widgets-disconnected") !== null;
}

/** Listen to a model until `signal` is aborted. @param {any} model @param {string} event @param {(...args: any[]) => void} call @param {AbortSignal} signal */
export function on(model, event, call, signal) {
  model.on(event, call);
  signal.addEventListener("abort", () => model.off(event, call));
}
