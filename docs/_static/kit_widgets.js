// @ts-check
// Shows widgets as they were saved in a notebook: their own code, their saved state, no kernel. Nothing is fetched from elsewhere.
const HERE = /** @type {HTMLScriptElement} */ (document.currentScript).src;
/** What a widget says so soon after a touch is what a person wants done; the rest is its own business. */
const TOUCH_MS = 500;

/** The model of anywidget, over a state that nobody changes any more. @param {Record<string, any>} state @param {HTMLElement} figure */
function modelOf(state, figure) {
  /** @type {Map<string, Set<Function>>} */ const heard = new Map();
  const tell = (/** @type {string} */ event, /** @type {any[]} */ ...args) => heard.get(event)?.forEach((listener) => listener(...args));
  return {
    get: (/** @type {string} */ name) => state[name],
    set: (/** @type {string} */ name, /** @type {any} */ value) => ((state[name] = value), tell(`change:${name}`)),
    save_changes() {},
    on: (/** @type {string} */ event, /** @type {Function} */ listener) => void (heard.get(event) ?? heard.set(event, new Set()).get(event))?.add(listener),
    off: (/** @type {string} */ event, /** @type {Function} */ listener) => void heard.get(event)?.delete(listener),
    send(/** @type {any} */ message) {
      if (message?.intent === "bundle") bundle().then(({ given, parts }) => tell("msg:custom", { bundle: given }, parts.map(bytes)));
      else if (Date.now() - Number(figure.dataset.touched ?? 0) < TOUCH_MS) point(figure);
    },
    widget_manager: {},
  };
}

/** Say where it would work. @param {HTMLElement} figure */
function point(figure) {
  figure.classList.remove("kit-asked");
  void figure.offsetWidth; // so that a second click is answered too
  figure.classList.add("kit-asked");
}

/** @param {string} text */
const bytes = (text) => new DataView(new TextEncoder().encode(text).buffer);

/** What the composer gets from Python: what it knows, its code and its style. @returns {Promise<{given: object, parts: string[]}>} */
function bundle() {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("made/composer.js", HERE).href;
    script.onload = () => resolve(/** @type {any} */ (window).kitBundle);
    script.onerror = reject;
    document.head.append(script);
  });
}

/** @param {HTMLElement} figure */
async function show(figure) {
  const kept = /** @type {HTMLScriptElement} */ (figure.querySelector("script"));
  const stage = /** @type {HTMLElement} */ (figure.querySelector(".kit-stage"));
  const { _esm: code, _css: style, ...state } = JSON.parse(/** @type {string} */ (kept.textContent));
  const sheet = document.createElement("style");
  sheet.textContent = style ?? "";
  for (const event of ["pointerdown", "keydown"]) figure.addEventListener(event, () => (figure.dataset.touched = String(Date.now())), true);
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    const { default: given } = await import(url);
    const widget = typeof given === "function" ? await given() : given;
    const root = document.createElement("div");
    stage.replaceChildren(sheet, root);
    const model = modelOf(state, figure);
    await widget.initialize?.({ model });
    await widget.render({ model, el: root });
    figure.dataset.shown = "yes";
  } catch (error) {
    stage.textContent = `This widget could not be shown: ${error}`;
  } finally {
    URL.revokeObjectURL(url);
  }
}

const all = () => document.querySelectorAll(".kit-widget").forEach((figure) => show(/** @type {HTMLElement} */ (figure)));
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all);
else all();
