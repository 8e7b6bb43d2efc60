// @ts-check
// A picture painted by Python, in the page: safe, live, to be zoomed and dragged, and walked through by keyboard.
//
//   const picture = diagram({ signal, onSelect: (id) => want(model, "look_at", { node: id }) });
//   put(root, picture.element);
//   picture.show(svg);        // LivePicture.full(): a whole <svg>, as text
//   picture.swap(groups);     // LivePicture.changes(): { id of a group: its <g>, as text }
//   picture.at(["review"]);   // where a run stands: a play head beside these nodes; followed while `follow` is on
//   picture.select("review"); // from outside; onSelect is called for what the person does
//
// This is the one way in which SVG from Python comes into a page: parsed as XML, and only what `ALLOWED` lists is
// copied, element by element. It equals `ALLOWED` in visual/svg.py; a test holds the two together.
import { fill, h } from "./kit.js";
import "./diagram.css";

/** Elements, each with its attributes. @type {Record<string, string[]>} */
export const ALLOWED = {
  "svg": ["xmlns", "width", "height", "viewBox", "role", "aria-labelledby", "class", "style", "font-family", "text-anchor"],
  "title": ["id"],
  "desc": ["id"],
  "g": ["id", "class", "data-step", "data-state", "data-kind", "data-source", "data-target", "data-traversals"],
  "rect": ["x", "y", "width", "height", "rx", "fill", "stroke", "stroke-width", "stroke-dasharray"],
  "path": ["d", "fill", "stroke", "stroke-width", "stroke-dasharray"],
  "text": ["x", "y", "font-size", "font-weight", "fill"],
};
const SVG = "http://www.w3.org/2000/svg";
/** Ids would clash where a page shows a picture twice, and the page says how large it is. @type {Record<string, string[]>} */
const LEFT_OUT = { svg: ["xmlns", "aria-labelledby", "style", "width", "height"], title: ["id"], desc: ["id"], g: ["id"] };
const READABLE = 0.74, LARGEST = 1, FURTHEST = 4, MOST_HIGH = 500;

/** @typedef {{x: number, y: number, k: number}} View  what stands top left, and pixels a point */

/**
 * @param {{signal: AbortSignal, label?: string, follows?: boolean, onSelect?: (id: string) => void, onView?: (view: View) => void, high?: number}} options
 */
export function diagram({ signal, label = "Workflow", follows = true, onSelect, onView, high = MOST_HIGH }) {
  const canvas = h("div", { class: "okit-canvas" });
  const button = (/** @type {string} */ shape, /** @type {string} */ title, /** @type {() => void} */ onclick) =>
    h("button", { type: "button", title, "aria-label": title, onclick }, icon(shape));
  const following = button("M7,1h2v2.1A5,5 0 0 1 12.9,7H15v2h-2.1A5,5 0 0 1 9,12.9V15H7v-2.1A5,5 0 0 1 3.1,9H1V7h2.1A5,5 0 0 1 7,3.1Z M8,5a3,3 0 1 0 0.01,0Z", "Follow the running step", () => follow(!isFollowing));
  const tools = h("div", { class: "okit-zoom", role: "toolbar", "aria-label": "Zoom" },
    button("M7,2h2v5h5v2H9v5H7V9H2V7h5Z", "Zoom in", () => zoom(1.25)), button("M2,7h12v2H2Z", "Zoom out", () => zoom(0.8)),
    button("M2,2h5v2H4v3H2Z M9,2h5v5h-2V4H9Z M2,9h2v3h3v2H2Z M12,9h2v5H9v-2h3Z", "Fit, as far as it can be read", () => fit()), follows ? following : null);
  const element = h("div", { class: "okit-diagram" }, canvas, tools);

  /** @type {SVGSVGElement | null} */ let svg = null;
  /** Groups by their id. @type {Map<string, Element>} */ const groups = new Map();
  /** Nodes to walk through, by step: what stands for it, and where. @type {Map<string, {key: string, box: DOMRect}>} */ const nodes = new Map();
  /** @type {View} */ let view = { x: 0, y: 0, k: 1 };
  let wide = 1, tall = 1, isFollowing = true, hasView = false, selected = "", current = "", behind = "", shape = "", frame = 0;
  /** @type {string[]} */ let standing = [];
  /** @type {Record<string, string>} */ let marks = {};

  /** Show another picture. @param {string} text */
  function show(text) {
    const [copy] = safe(text);
    if (!(copy instanceof SVGSVGElement)) return;
    const had = canvas.contains(document.activeElement) ? current : "", before = shape;
    shape = copy.getAttribute("viewBox") ?? "0 0 1 1";
    [wide, tall] = shape.split(/\s+/).slice(2).map(Number);
    copy.setAttribute("role", "group");
    copy.setAttribute("aria-label", copy.querySelector("title")?.textContent ?? label);
    copy.querySelector("title")?.remove(); // else it pops up wherever the pointer rests
    svg = copy;
    canvas.replaceChildren(copy);
    groups.clear();
    nodes.clear();
    for (const group of copy.querySelectorAll("g")) {
      groups.set(/** @type {any} */ (group).key, group);
      takeIn(group);
    }
    measure();
    if (!nodes.has(current)) current = nodes.keys().next().value ?? "";
    rove(current);
    if (shape !== before || !hasView) fit();
    else paint();
    place();
    if (had) focus(had);
  }

  /** Put groups in the place of those with the same id. @param {Record<string, string>} changed */
  function swap(changed) {
    for (const [key, text] of Object.entries(changed ?? {})) {
      const old = groups.get(key), [group] = safe(text);
      if (!old || !group) continue;
      const hasFocus = old === document.activeElement;
      groups.set(key, group);
      old.replaceWith(group);
      takeIn(group);
      if (hasFocus) /** @type {any} */ (group).focus({ preventScroll: true });
    }
  }

  /** Let a node be reached and pressed. @param {Element} group */
  function takeIn(group) {
    const id = group.getAttribute("data-step");
    if (id === null) return;
    const title = group.querySelector("title")?.textContent ?? id;
    group.setAttribute("role", "button");
    group.setAttribute("aria-label", title.replaceAll("\n", ", "));
    group.setAttribute("aria-pressed", String(id === selected));
    group.setAttribute("tabindex", id === current ? "0" : "-1");
    if (!nodes.has(id)) nodes.set(id, { key: /** @type {any} */ (group).key, box: new DOMRect() });
  }

  function measure() {
    for (const at of nodes.values()) {
      const shape = /** @type {any} */ (groups.get(at.key)?.querySelector("rect"));
      const [x, y, w, t] = ["x", "y", "width", "height"].map((name) => Number(shape?.getAttribute(name) ?? 0));
      at.box = new DOMRect(x, y, w, t);
    }
  }

  // --- zoom and pan

  const size = () => ({ w: canvas.clientWidth || 600, t: canvas.clientHeight || 240 });

  function fit() {
    const { w } = size();
    const k = Math.min(Math.max(Math.min(w / wide, high / tall), READABLE), LARGEST);
    canvas.style.height = `${Math.min(Math.max(tall * k + 2, 96), high)}px`;
    view = { k, x: (wide - w / k) / 2, y: 0 };
    if (wide * k > w) view.x = 0;
    hasView = canvas.clientWidth > 0;
    reveal(standing[0] ?? (selected || behind), false);
    told();
  }

  /** @param {number} by @param {{x: number, y: number}} [around] */
  function zoom(by, around) {
    const { w, t } = size(), least = Math.min(w / wide, t / tall, READABLE) * 0.9;
    const k = Math.min(Math.max(view.k * by, least), FURTHEST);
    const px = around?.x ?? w / 2, py = around?.y ?? t / 2;
    view = { k, x: view.x + px / view.k - px / k, y: view.y + py / view.k - py / k };
    told();
  }

  function told() {
    paint();
    onView?.({ ...view });
  }

  function paint() {
    const { w, t } = size();
    svg?.setAttribute("viewBox", `${view.x} ${view.y} ${w / view.k} ${t / view.k}`);
  }

  /** Bring a node into sight; into the middle where it was out of sight. @param {string} id */
  function reveal(id, smooth = true) {
    const box = nodes.get(id)?.box;
    if (!box || !svg) return;
    const { w, t } = size(), pad = 24, shown = { w: w / view.k, t: t / view.k };
    let { x, y } = view;
    if (box.x < x + pad || box.right > x + shown.w - pad) x = wide <= shown.w ? (wide - shown.w) / 2 : box.x + box.width / 2 - shown.w / 2;
    if (box.y < y + pad || box.bottom > y + shown.t - pad) y = tall <= shown.t ? (tall - shown.t) / 2 : box.y + Math.min(box.height / 2, shown.t / 3) - shown.t / 2;
    if (wide > shown.w) x = Math.min(Math.max(x, -8), wide - shown.w + 8);
    if (tall > shown.t) y = Math.min(Math.max(y, -8), tall - shown.t + 8);
    glide({ ...view, x, y }, smooth && !matchMedia("(prefers-reduced-motion: reduce)").matches);
  }

  /** @param {View} to @param {boolean} smooth */
  function glide(to, smooth) {
    cancelAnimationFrame(frame);
    const from = view, began = performance.now();
    const move = (/** @type {number} */ now) => {
      // The time of a frame is when it was due: on a busy page it lies before this began.
      const part = smooth ? Math.min(Math.max(now - began, 0) / 180, 1) : 1, eased = part * (2 - part);
      view = { k: to.k, x: from.x + (to.x - from.x) * eased, y: from.y + (to.y - from.y) * eased };
      paint();
      if (part < 1) frame = requestAnimationFrame(move);
      else onView?.({ ...view });
    };
    if (Math.abs(to.x - from.x) + Math.abs(to.y - from.y) + Math.abs(to.k - from.k) > 0.01) move(smooth ? began : began + 1e6);
  }

  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the notebook scrolls
    event.preventDefault();
    const at = canvas.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * 0.002), { x: event.clientX - at.x, y: event.clientY - at.y });
  }, { signal, passive: false });

  /** @type {{x: number, y: number, view: View} | null} */ let grip = null;
  let hasMoved = false;
  canvas.addEventListener("pointerdown", (event) => {
    const at = canvas.getBoundingClientRect();
    const isCorner = at.right - event.clientX < 18 && at.bottom - event.clientY < 18; // where it is resized
    if (event.button === 0 && !isCorner) grip = { x: event.clientX, y: event.clientY, view };
    hasMoved = false;
  }, { signal });
  canvas.addEventListener("pointermove", (event) => {
    if (!grip) return;
    const dx = event.clientX - grip.x, dy = event.clientY - grip.y;
    if (!hasMoved && Math.abs(dx) + Math.abs(dy) < 5) return;
    if (!hasMoved) canvas.setPointerCapture(event.pointerId);
    hasMoved = true;
    canvas.dataset.panning = "";
    follow(false);
    view = { k: view.k, x: grip.view.x - dx / view.k, y: grip.view.y - dy / view.k };
    told();
  }, { signal });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, () => {
      grip = null;
      delete canvas.dataset.panning;
    }, { signal });
  }

  // --- pick a node

  canvas.addEventListener("click", (event) => {
    const id = /** @type {Element} */ (event.target).closest("g[data-step]")?.getAttribute("data-step");
    if (id != null && !hasMoved) pick(id);
  }, { signal });
  canvas.addEventListener("focusin", (event) => {
    const id = /** @type {Element} */ (event.target).getAttribute("data-step");
    if (id !== null) rove(id), reveal(id);
  }, { signal });
  canvas.addEventListener("keydown", (event) => {
    const id = /** @type {Element} */ (event.target).getAttribute?.("data-step");
    if (id == null || event.ctrlKey || event.metaKey || event.altKey) return;
    const ids = [...nodes.keys()];
    /** @type {Record<string, () => void>} */ const does = {
      "Enter": () => pick(id), " ": () => pick(id),
      "ArrowRight": () => focus(beside(id, 1, 0)), "ArrowLeft": () => focus(beside(id, -1, 0)),
      "ArrowDown": () => focus(beside(id, 0, 1)), "ArrowUp": () => focus(beside(id, 0, -1)),
      "Home": () => focus(ids[0]), "End": () => focus(ids[ids.length - 1]),
      "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), "0": fit,
    };
    if (!does[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    does[event.key]();
  }, { signal });

  /** The nearest node in a direction. @param {string} id @param {number} dx @param {number} dy */
  function beside(id, dx, dy) {
    const from = nodes.get(id)?.box;
    let best = id, least = Infinity;
    if (!from) return id;
    for (const [other, { box }] of nodes) {
      const x = box.x + box.width / 2 - from.x - from.width / 2, y = box.y + box.height / 2 - from.y - from.height / 2;
      const along = x * dx + y * dy, aside = Math.abs(x * dy) + Math.abs(y * dx);
      if (other !== id && along > 1 && along + 2.5 * aside < least) [best, least] = [other, along + 2.5 * aside];
    }
    return best;
  }

  const groupOf = (/** @type {string} */ id) => /** @type {any} */ (groups.get(nodes.get(id)?.key ?? ""));

  /** @param {string} id */
  function focus(id) {
    rove(id);
    groupOf(id)?.focus({ preventScroll: true });
  }

  /** Let Tab come to this node. @param {string} id */
  function rove(id) {
    groupOf(current)?.setAttribute("tabindex", "-1");
    current = id;
    groupOf(id)?.setAttribute("tabindex", "0");
  }

  /** @param {string} id */
  function pick(id) {
    select(id);
    onSelect?.(id);
  }

  /** @param {string} id */
  function select(id) {
    groupOf(selected)?.setAttribute("aria-pressed", "false");
    selected = id;
    groupOf(id)?.setAttribute("aria-pressed", "true");
    if (id && nodes.has(id)) rove(id), reveal(id);
  }

  // --- where a run stands

  /** @param {string[]} ids @param {string} [last] what to look at where it stands nowhere: where it came to last */
  function at(ids, last = "") {
    const isElsewhere = String(ids) !== String(standing) || last !== behind;
    standing = [...ids];
    behind = last;
    place();
    if (isFollowing && isElsewhere) reveal(ids[0] ?? last);
  }

  /** Words beside nodes, by step: short, and the same for all. @param {Record<string, string>} words */
  function note(words) {
    marks = words;
    place();
  }

  /** Draw the play heads and notes: ours, beside the picture. */
  function place() {
    if (!svg) return;
    for (const old of svg.querySelectorAll(".okit-head, .okit-mark")) old.remove();
    for (const id of standing) {
      const box = nodes.get(id)?.box;
      if (!box) continue;
      const head = document.createElementNS(SVG, "path"), y = box.y + Math.min(box.height / 2, 22);
      head.setAttribute("class", "okit-head");
      head.setAttribute("d", `M${box.x - 15},${y - 8}L${box.x - 2},${y}L${box.x - 15},${y + 8}Z`);
      svg.appendChild(head);
    }
    for (const [id, words] of Object.entries(marks)) {
      const box = nodes.get(id)?.box;
      if (!box) continue;
      const mark = document.createElementNS(SVG, "text");
      mark.setAttribute("class", "okit-mark");
      mark.setAttribute("x", String(box.right + 5));
      mark.setAttribute("y", String(box.y + 12));
      mark.textContent = words;
      svg.appendChild(mark);
    }
  }

  /** @param {boolean} yes */
  function follow(yes) {
    isFollowing = yes;
    following.setAttribute("aria-pressed", String(yes));
    if (yes) reveal(standing[0] ?? behind);
  }

  const watch = new ResizeObserver(() => (hasView || !svg ? paint() : fit()));
  watch.observe(canvas);
  signal.addEventListener("abort", () => (watch.disconnect(), cancelAnimationFrame(frame)));
  follow(follows);

  return {
    element, show, swap, at, note, select, reveal, follow, fit, focus, zoom,
    /** Where it stands in the picture; sets no onView off. */
    get view() { return { ...view }; },
    set view(other) { cancelAnimationFrame(frame), (view = { ...other }), paint(); },
    /** Say why there is nothing to see. @param {string} text */
    say(text) { fill(canvas, h("p", null, text)); svg = null; },
  };
}

/**
 * Elements that hold nothing but what `ALLOWED` lists, copied from a text; each knows the id it had as `key`.
 * @param {string} text an `<svg>`, or groups of one @returns {SVGElement[]}
 */
export function safe(text) {
  const isWhole = /^\s*<svg[\s>]/.test(text);
  const parsed = new DOMParser().parseFromString(isWhole ? text : `<svg xmlns="${SVG}">${text}</svg>`, "image/svg+xml");
  const top = parsed.documentElement;
  if (top.namespaceURI !== SVG || parsed.querySelector("parsererror")) return [];
  return /** @type {SVGElement[]} */ ((isWhole ? [top] : [...top.children]).map(copied).filter(Boolean));
}

/** @param {Element} node @returns {SVGElement | null} */
function copied(node) {
  const allowed = node.namespaceURI === SVG && Object.hasOwn(ALLOWED, node.localName) ? ALLOWED[node.localName] : null;
  if (!allowed) return null;
  const copy = /** @type {SVGElement} */ (document.createElementNS(SVG, node.localName));
  for (const { name, value } of node.attributes) {
    const isPaint = name === "fill" || name === "stroke";
    if (allowed.includes(name) && !LEFT_OUT[node.localName]?.includes(name) && !(isPaint && /[(:]/.test(value))) copy.setAttribute(name, value);
  }
  /** @type {any} */ (copy).key = node.id;
  for (const child of node.childNodes) {
    const inner = child instanceof Text ? document.createTextNode(child.data) : child instanceof Element ? copied(child) : null;
    if (inner) copy.appendChild(inner);
  }
  return copy;
}

/** A shape in a box of 16, in the colour of the text. @param {string} shape */
export function icon(shape) {
  const svg = document.createElementNS(SVG, "svg"), path = document.createElementNS(SVG, "path");
  for (const [name, value] of Object.entries({ class: "okit-icon", viewBox: "0 0 16 16", "aria-hidden": "true" })) svg.setAttribute(name, value);
  path.setAttribute("d", shape);
  path.setAttribute("fill-rule", "evenodd");
  svg.appendChild(path);
  return svg;
}

/** The text that `packed()` of widgets/live.py made small. @param {string} small @returns {Promise<string>} */
export async function unpack(small) {
  const bytes = Uint8Array.from(atob(small), (char) => char.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
}
