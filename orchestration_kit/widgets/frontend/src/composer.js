// @ts-check
// Draws a composer with the large bundle, which it gets from Python when it is first needed: no notebook holds it.
import { h, put, want, widget } from "./lib/kit.js";
import "./lib/kit.css";

/** What was loaded, by model: two views of one composer load it once. @type {WeakMap<object, Promise<any>>} */
const loaded = new WeakMap();

/** @param {any} model @param {AbortSignal} signal */
function load(model, signal) {
  let app = loaded.get(model);
  if (app) return app;
  app = new Promise((resolve, reject) => {
    const hear = (/** @type {any} */ content, /** @type {DataView[]} */ buffers) => {
      if (!content?.bundle) return;
      model.off("msg:custom", hear);
      open(content.bundle, buffers).then(resolve, reject);
    };
    model.on("msg:custom", hear);
    signal.addEventListener("abort", () => (model.off("msg:custom", hear), loaded.delete(model)));
    want(model, "bundle");
  });
  app.catch(() => loaded.delete(model));
  loaded.set(model, app);
  return app;
}

/** @param {object} given @param {DataView[]} buffers */
async function open(given, [code, style]) {
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    const { draw } = await import(url);
    return { draw, given, style: new TextDecoder().decode(style) };
  } finally {
    URL.revokeObjectURL(url);
  }
}

export default widget("composer", async ({ model, root, signal }) => {
  put(root, h("p", { role: "status" }, "The composer is loading."));
  const { draw, given, style } = await load(model, signal);
  if (signal.aborted) return;
  const stage = h("div", { class: "okc-stage" });
  root.replaceChildren(h("style", null, style), stage);
  draw({ model, root, stage, signal, given });
});
