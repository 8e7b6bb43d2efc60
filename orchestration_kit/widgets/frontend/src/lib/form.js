// @ts-check
// Turns a JSON Schema into a plain accessible form, and what was filled in back into a JSON value. Python has the
// last word on what is valid (`showErrors`); what is told here is what a person sees at once.
//
//   const form = formFor(schema, value, { signal });
//   put(root, form.node);                   // "input" events bubble from it, for adding and removing too
//   form.errors()                           // [{path, message}]; also shown beside the fields, the first is focused
//   form.value()                            // undefined where nothing was filled in
//   form.showErrors({"/items/0": "..."})    // paths are JSON Pointers; what has no field is shown at the end
import { fill, h, put } from "./kit.js";

/** @typedef {{path: string, message: string}} Problem */
/** @typedef {{node: HTMLElement, path: string, value: () => any, problems: () => Problem[], parts?: () => Field[], complain?: (message: string) => void}} Field */
/** @typedef {{root: any, prefix: string, next: () => number, signal: AbortSignal}} Shared */
/** @typedef {{path: string, label: string, isNeeded: boolean, depth: number}} Place */

const DEEPEST = 12; // nested deeper than that, a part is edited as JSON text
const MOST_ITEMS = 500;
const NEEDED = "Please fill this in.";

/** @param {any} schema @param {any} value @param {{signal: AbortSignal, label?: string}} options */
export function formFor(schema, value, { signal, label }) {
  let count = 0;
  const prefix = `f${Math.random().toString(36).slice(2, 9)}`;
  const shared = { root: schema, prefix, next: () => ++count, signal };
  const top = fieldOf(schema, value, { path: "", label: label ?? titleOf(schema) ?? "Value", isNeeded: true, depth: 0 }, shared);
  const rest = h("p", { class: "okit-form-error", role: "alert", hidden: true });
  const node = h("div", { class: "okit-form" }, top.node, rest);
  /** @param {Record<string, string>} messages */
  const showErrors = (messages) => {
    const left = new Map(Object.entries(messages));
    /** @param {Field} field */
    const tell = (field) => {
      field.complain?.(left.get(field.path) ?? "");
      if (field.complain) left.delete(field.path);
      field.parts?.().forEach(tell);
    };
    tell(top);
    rest.hidden = left.size === 0;
    fill(rest, [...left].map(([path, message]) => (path ? `${path}: ${message} ` : `${message} `)));
    /** @type {HTMLElement | null} */ (node.querySelector("[aria-invalid=true]"))?.focus();
  };
  const errors = () => {
    const found = top.problems();
    showErrors(Object.fromEntries(found.map(({ path, message }) => [path, message])));
    return found;
  };
  return { node, value: top.value, errors, showErrors };
}

/** A JSON Pointer (RFC 6901) one step longer. @param {string} path @param {string | number} key */
const below = (path, key) => `${path}/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;
/** @param {any} schema @returns {string | undefined} */
const titleOf = (schema) => (typeof schema?.title === "string" ? schema.title : undefined);
/** @param {any} value */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
/** @param {HTMLElement} node */
const changed = (node) => node.dispatchEvent(new Event("input", { bubbles: true }));
/** @param {any} one @param {any} other */
const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** Follow a `$ref` within the schema, and merge what stands beside it or in a single `allOf`. @param {any} schema @param {any} root @returns {any} */
function resolved(schema, root, hops = 0) {
  if (!isObject(schema) || hops > 20) return schema;
  const { $ref, allOf, ...own } = schema;
  let base = null;
  if (typeof $ref === "string" && $ref.startsWith("#")) {
    const keys = $ref.slice(1).split("/").slice(1).map((key) => decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~"));
    base = keys.reduce((at, key) => (at && Object.hasOwn(at, key) ? at[key] : undefined), root);
  } else if (Array.isArray(allOf) && allOf.length === 1 && $ref === undefined) base = allOf[0];
  else return schema;
  return isObject(base) ? { ...resolved(base, root, hops + 1), ...own } : {};
}

/** The kinds of value that a schema takes, each a schema; null is one of them. @param {any} schema @returns {any[]} */
function choicesOf(schema) {
  const { oneOf, anyOf, ...own } = schema;
  const listed = oneOf ?? anyOf;
  if (Array.isArray(listed) && listed.length > 0) return listed;
  return Array.isArray(schema.type) ? schema.type.map((/** @type {string} */ type) => ({ ...own, title: undefined, type })) : [];
}

/** @param {any} given @param {any} value @param {Place} place @param {Shared} shared @returns {Field} */
function fieldOf(given, value, place, shared) {
  const schema = resolved(given, shared.root);
  if (!isObject(schema) || place.depth > DEEPEST) return jsonField(schema ?? {}, value, place, shared);
  const start = value === undefined ? schema.default : value;
  if (Object.hasOwn(schema, "const")) return constantField(schema, place, shared);
  if (Array.isArray(schema.enum)) return selectField(schema, schema.enum, start, place, shared);
  const choices = choicesOf(schema).map((one) => resolved(one, shared.root));
  if (choices.length > 0) {
    const real = choices.filter((one) => one?.type !== "null");
    const outer = { ...schema, anyOf: undefined, oneOf: undefined };
    if (real.length === 1 && real.length < choices.length) return nullable({ ...outer, ...real[0], title: schema.title, description: schema.description ?? real[0].description }, start, place, shared);
    if (real.length === choices.length && real.every((one) => isObject(one) && Object.hasOwn(one, "const"))) return selectField(schema, real.map((one) => one.const), start, place, shared, real.map(titleOf));
    return choiceField(schema, choices, start, place, shared);
  }
  switch (schema.type) {
    case "string": return textField(schema, start, place, shared);
    case "number":
    case "integer": return numberField(schema, start, place, shared);
    case "boolean": return booleanField(schema, start, place, shared);
    case "null": return constantField({ ...schema, const: null }, place, shared);
    case "array": return isObject(schema.items) && !schema.prefixItems ? arrayField(schema, start, place, shared) : jsonField(schema, start, place, shared);
    case undefined:
    case "object": return isObject(schema.properties) ? optional(objectField, schema, start, place, shared) : jsonField(schema, start, place, shared);
    default: return jsonField(schema, start, place, shared);
  }
}

/** One control with its label, what it is for, and what is wrong. @param {any} schema @param {Place} place @param {Shared} shared @param {(attributes: any) => HTMLElement} make @param {string} [hint] */
function control(schema, place, shared, make, hint) {
  const id = `${shared.prefix}-${shared.next()}`;
  const said = [schema.description, hint].filter((one) => typeof one === "string" && one).join(" ");
  const error = h("p", { class: "okit-form-error", id: `${id}-error`, hidden: true });
  const input = make({ id, "aria-required": place.isNeeded ? "true" : null, "aria-describedby": said ? `${id}-hint ${id}-error` : `${id}-error` });
  const label = h("label", { for: id }, titleOf(schema) ?? place.label, place.isNeeded && h("span", { class: "okit-form-needed" }, " (needed)"));
  const isTick = input.getAttribute("type") === "checkbox";
  const hinted = said && h("p", { class: "okit-form-hint", id: `${id}-hint` }, said);
  const node = h("div", { class: isTick ? "okit-form-field okit-form-tick" : "okit-form-field" }, isTick ? [input, label] : [label, input], hinted, error);
  /** @param {string} message */
  const complain = (message) => {
    error.hidden = !message;
    error.textContent = message;
    if (message) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  return { node, input: /** @type {any} */ (input), complain };
}

/** @param {any} schema @param {any} start @param {Place} place @param {Shared} shared @returns {Field} */
function textField(schema, start, place, shared) {
  const type = { email: "email", uri: "url", date: "date", time: "time", "date-time": "datetime-local" }[/** @type {string} */ (schema.format)] ?? "text";
  const isMoment = type === "datetime-local";
  const text = typeof start !== "string" ? "" : isMoment ? localMoment(start) : start;
  const isLong = type === "text" && (schema.maxLength > 200 || schema.format === "textarea" || text.length > 80 || text.includes("\n"));
  const hint = [schema.pattern && `Pattern: ${schema.pattern}`, isMoment && "In your local time."].filter(Boolean).join(" ");
  const { node, input, complain } = control(schema, place, shared, (attributes) => (isLong ? h("textarea", { ...attributes, rows: Math.min(12, Math.max(3, text.split("\n").length)), value: text }) : h("input", { ...attributes, type, step: isMoment ? "1" : null, value: text })), hint);
  const value = () => {
    const now = input.value;
    if (now === "") return place.isNeeded && start === "" ? "" : undefined;
    return isMoment ? new Date(now).toISOString() : now;
  };
  const problems = () => {
    const now = value();
    if (now === undefined) return place.isNeeded ? [{ path: place.path, message: NEEDED }] : [];
    const length = [...now].length;
    if (length < (schema.minLength ?? 0)) return [{ path: place.path, message: `At least ${schema.minLength} characters; these are ${length}.` }];
    if (length > (schema.maxLength ?? Infinity)) return [{ path: place.path, message: `At most ${schema.maxLength} characters; these are ${length}.` }];
    return input.validity.valid ? [] : [{ path: place.path, message: input.validationMessage }];
  };
  return { node, path: place.path, value, problems, complain };
}

/** A moment as `datetime-local` wants it. @param {string} text */
function localMoment(text) {
  const moment = new Date(text);
  return Number.isNaN(moment.getTime()) ? "" : new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** @param {any} schema @param {any} start @param {Place} place @param {Shared} shared @returns {Field} */
function numberField(schema, start, place, shared) {
  const isWhole = schema.type === "integer";
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const bounds = [minimum != null && `at least ${minimum}`, exclusiveMinimum != null && `more than ${exclusiveMinimum}`, maximum != null && `at most ${maximum}`, exclusiveMaximum != null && `less than ${exclusiveMaximum}`].filter(Boolean);
  const range = bounds.length ? `${isWhole ? "A whole number" : "A number"}, ${bounds.join(", ")}.` : isWhole ? "A whole number." : "";
  const { node, input, complain } = control(schema, place, shared, (attributes) => h("input", { ...attributes, type: "number", step: schema.multipleOf ?? (isWhole ? 1 : "any"), min: minimum, max: maximum, value: typeof start === "number" ? String(start) : "" }), range);
  const value = () => (input.value === "" ? undefined : Number(input.value));
  const problems = () => {
    const now = value();
    if (now === undefined && !input.validity.badInput) return place.isNeeded ? [{ path: place.path, message: NEEDED }] : [];
    const fits = input.validity.valid && !(now <= exclusiveMinimum) && !(now >= exclusiveMaximum) && (!isWhole || Number.isInteger(now));
    return fits ? [] : [{ path: place.path, message: range || "This is no number." }];
  };
  return { node, path: place.path, value, problems, complain };
}

/** @param {any} schema @param {any} start @param {Place} place @param {Shared} shared @returns {Field} */
function booleanField(schema, start, place, shared) {
  if (!place.isNeeded && typeof start !== "boolean") return selectField({ ...schema, enum: [true, false] }, [true, false], start, place, shared, ["yes", "no"]);
  const { node, input, complain } = control(schema, { ...place, isNeeded: false }, shared, (attributes) => h("input", { ...attributes, type: "checkbox", checked: start === true }));
  return { node, path: place.path, value: () => input.checked, problems: () => [], complain };
}

/** @param {any} schema @param {Place} place @param {Shared} shared @returns {Field} */
function constantField(schema, place, shared) {
  const { node, complain } = control(schema, { ...place, isNeeded: false }, shared, (attributes) => h("input", { ...attributes, value: worded(schema.const), disabled: true }));
  return { node, path: place.path, value: () => schema.const, problems: () => [], complain };
}

/** @param {any} value */
const worded = (value) => (typeof value === "string" ? value : value === true ? "yes" : value === false ? "no" : value === null ? "none" : JSON.stringify(value));

/** @param {any} schema @param {any[]} values @param {any} start @param {Place} place @param {Shared} shared @param {(string | undefined)[]} [titles] @returns {Field} */
function selectField(schema, values, start, place, shared, titles = []) {
  const at = values.findIndex((one) => isSame(one, start));
  const nothing = (!place.isNeeded || at < 0) && h("option", { value: "" }, place.isNeeded ? "choose ..." : "not set");
  const { node, input, complain } = control(schema, place, shared, (attributes) => h("select", attributes, nothing, values.map((one, index) => h("option", { value: String(index), selected: index === at }, titles[index] ?? worded(one)))));
  const value = () => (input.value === "" ? undefined : values[Number(input.value)]);
  const problems = () => (place.isNeeded && input.value === "" ? [{ path: place.path, message: "Please choose one." }] : []);
  return { node, path: place.path, value, problems, complain };
}

/** JSON text: for what no form can be made of. @param {any} schema @param {any} start @param {Place} place @param {Shared} shared @returns {Field} */
function jsonField(schema, start, place, shared) {
  const text = start === undefined ? "" : JSON.stringify(start, null, 2);
  const { node, input, complain } = control(schema, place, shared, (attributes) => h("textarea", { ...attributes, class: "okit-form-json", spellcheck: "false", rows: Math.min(12, Math.max(2, text.split("\n").length)), value: text }), 'As JSON, for example "text", 12.5, true, ["a", "b"] or {"key": "value"}.');
  const value = () => {
    if (input.value.trim() === "") return undefined;
    try {
      return JSON.parse(input.value);
    } catch {
      return undefined; // `problems` tells
    }
  };
  const problems = () => {
    const now = input.value.trim();
    if (now === "") return place.isNeeded ? [{ path: place.path, message: NEEDED }] : [];
    try {
      JSON.parse(now);
      return [];
    } catch (error) {
      return [{ path: place.path, message: `This is not JSON: ${/** @type {Error} */ (error).message}. Texts stand in double quotes.` }];
    }
  };
  return { node, path: place.path, value, problems, complain };
}

/** What is there or null: an empty scalar is null, larger things have a switch. @param {any} schema @param {any} start @param {Place} place @param {Shared} shared @returns {Field} */
function nullable(schema, start, place, shared) {
  const field = fieldOf({ ...schema, default: undefined }, start ?? undefined, { ...place, isNeeded: false }, shared);
  return { ...field, value: () => field.value() ?? (place.isNeeded || start === null ? null : undefined) };
}

/** A group with a name, what it is for, and what is wrong with it as a whole. @param {any} schema @param {Place} place @param {Shared} shared @param {...any} parts */
function group(schema, place, shared, ...parts) {
  const id = `${shared.prefix}-${shared.next()}`;
  const error = h("p", { class: "okit-form-error", id, hidden: true });
  const legend = h("legend", null, titleOf(schema) ?? place.label);
  const said = typeof schema.description === "string" && h("p", { class: "okit-form-hint" }, schema.description);
  const node = h("fieldset", { class: "okit-form-group", "aria-describedby": id }, legend, said, ...parts, error);
  /** @param {string} message */
  const complain = (message) => ((error.hidden = !message), (error.textContent = message));
  return { node, legend, complain };
}

/** A group that may be left out has a switch; it is filled when it is switched on, so that endless schemas end. @param {(schema: any, start: any, place: Place, shared: Shared) => Field} make @param {any} schema @param {any} start @param {Place} place @param {Shared} shared @returns {Field} */
function optional(make, schema, start, place, shared) {
  if (place.isNeeded) return make(schema, start, place, shared);
  /** @type {Field | null} */
  let inner = null;
  const tick = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", checked: start !== undefined, id: `${shared.prefix}-${shared.next()}` }));
  const box = h("div", null);
  const label = h("label", { for: tick.id }, `Give ${titleOf(schema) ?? place.label}`);
  const update = () => {
    if (tick.checked) inner ??= make(schema, start, { ...place, isNeeded: true }, shared);
    fill(box, tick.checked && inner?.node);
  };
  tick.addEventListener("change", () => (update(), changed(box)), { signal: shared.signal });
  update();
  const node = h("div", { class: "okit-form-optional" }, h("div", { class: "okit-form-tick" }, tick, label), box);
  return { node, path: place.path, value: () => (tick.checked ? inner?.value() : undefined), problems: () => (tick.checked && inner ? inner.problems() : []), parts: () => (tick.checked && inner ? [inner] : []) };
}

/** @param {any} schema @param {any} start @param {Place} place @param {Shared} shared @returns {Field} */
function objectField(schema, start, place, shared) {
  const given = isObject(start) ? start : {};
  const needed = new Set(Array.isArray(schema.required) ? schema.required : []);
  const fields = Object.entries(schema.properties).map(([key, one]) => ({
    key, field: fieldOf(one, Object.hasOwn(given, key) ? given[key] : undefined, { path: below(place.path, key), label: key, isNeeded: needed.has(key), depth: place.depth + 1 }, shared),
  }));
  const others = Object.entries(given).filter(([key]) => !Object.hasOwn(schema.properties, key)); // kept as they are
  const nodes = fields.map(({ field }) => field.node);
  const { node, complain } = place.depth === 0 && !titleOf(schema) && !schema.description ? { node: h("div", null, nodes), complain: undefined } : group(schema, place, shared, nodes);
  const value = () => Object.fromEntries([...fields.map(({ key, field }) => [key, field.value()]).filter(([, one]) => one !== undefined), ...others]);
  return { node, path: place.path, value, problems: () => fields.flatMap(({ field }) => field.problems()), parts: () => fields.map(({ field }) => field), complain };
}

/** @param {any} schema @param {any} start @param {Place} place @param {Shared} shared @returns {Field} */
function arrayField(schema, start, place, shared) {
  const { minItems = 0, maxItems = MOST_ITEMS } = schema;
  /** @type {{row: HTMLElement, field: Field}[]} */
  let items = [];
  const list = h("div", { class: "okit-form-items" });
  const name = titleOf(resolved(schema.items, shared.root)) ?? "item";
  /** @param {any} value */
  const append = (value) => {
    const place_ = { path: below(place.path, items.length), label: `${name} ${items.length + 1}`, isNeeded: true, depth: place.depth + 1 };
    const field = fieldOf(schema.items, value, place_, shared);
    const item = { field, row: h("div", { class: "okit-form-item" }) };
    const remove = h("button", { type: "button", "aria-label": `Remove ${place_.label}`, onclick: () => {
      const left = items.filter((one) => one !== item).map((one) => one.field.value());
      const at = items.indexOf(item);
      fill(list, (items = []));
      left.forEach(append); // anew: paths and numbers move up
      update();
      (/** @type {HTMLElement | null} */ (list.children[Math.min(at, items.length - 1)]?.querySelector("input, select, textarea, button")) ?? add).focus();
      changed(list);
    } }, "Remove");
    put(item.row, field.node, remove);
    put(list, item.row);
    items.push(item);
  };
  const add = /** @type {HTMLButtonElement} */ (h("button", { type: "button", onclick: () => {
    append(undefined);
    update();
    /** @type {HTMLElement | null} */ (list.lastElementChild?.querySelector("input, select, textarea, button"))?.focus();
    changed(list);
  } }, `Add ${name}`));
  const update = () => (add.disabled = items.length >= maxItems);
  const given = Array.isArray(start) ? start.slice(0, MOST_ITEMS) : [];
  given.forEach(append);
  while (place.isNeeded && items.length < Math.min(minItems, MOST_ITEMS)) append(undefined);
  update();
  const { node, complain } = group(schema, place, shared, list, add);
  const problems = () => {
    const found = items.flatMap(({ field }) => field.problems());
    if (items.length < minItems && (place.isNeeded || items.length > 0)) found.push({ path: place.path, message: `At least ${minItems}; there are ${items.length}.` });
    if (items.length > maxItems) found.push({ path: place.path, message: `At most ${maxItems}; there are ${items.length}.` });
    return found;
  };
  return { node, path: place.path, value: () => (place.isNeeded || items.length > 0 || Array.isArray(start) ? items.map(({ field }) => field.value() ?? null) : undefined), problems, parts: () => items.map(({ field }) => field), complain };
}

/** One of several kinds of value. @param {any} schema @param {any[]} choices @param {any} start @param {Place} place @param {Shared} shared @returns {Field} */
function choiceField(schema, choices, start, place, shared) {
  const fitting = choices.findIndex((one) => start !== undefined && mayBe(one, start, shared.root));
  let at = fitting >= 0 ? fitting : place.isNeeded ? 0 : -1;
  const names = choices.map((one, index) => titleOf(one) ?? kindIn(one) ?? one?.type ?? `kind ${index + 1}`);
  const id = `${shared.prefix}-${shared.next()}`;
  const select = /** @type {HTMLSelectElement} */ (h("select", { id }, !place.isNeeded && h("option", { value: "-1" }, "not set"), names.map((name, index) => h("option", { value: String(index), selected: index === at }, name))));
  const box = h("div", null);
  /** @type {Field | null} */
  let inner = null;
  /** @param {any} value */
  const show = (value) => {
    inner = at < 0 ? null : fieldOf(choices[at], value, { ...place, label: names[at], isNeeded: true, depth: place.depth + 1 }, shared);
    fill(box, inner?.node);
  };
  show(fitting >= 0 ? start : undefined);
  select.addEventListener("change", () => ((at = Number(select.value)), show(undefined), changed(box)), { signal: shared.signal });
  const { node } = group(schema, place, shared, h("div", { class: "okit-form-field" }, h("label", { for: id }, "Kind"), select), box);
  return { node, path: place.path, value: () => inner?.value(), problems: () => inner?.problems() ?? [], parts: () => (inner ? [inner] : []) };
}

/** The name that tells one kind of object from the others, such as `kind: "map"`. @param {any} schema */
function kindIn(schema) {
  const tag = Object.values(schema?.properties ?? {}).find((one) => isObject(one) && typeof one.const === "string");
  return tag?.const;
}

/** Whether a value may be meant by a schema; good enough to choose which form to show. @param {any} schema @param {any} value @param {any} root @returns {boolean} */
function mayBe(schema, value, root) {
  const one = resolved(schema, root);
  if (!isObject(one)) return one !== false;
  if (Object.hasOwn(one, "const")) return isSame(one.const, value);
  if (Array.isArray(one.enum)) return one.enum.some((/** @type {any} */ each) => isSame(each, value));
  const type = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  const wanted = [one.type].flat();
  if (one.type && !wanted.includes(type) && !(type === "number" && wanted.includes("integer") && Number.isInteger(value))) return false;
  if (!isObject(value)) return true;
  const properties = one.properties ?? {};
  const misses = (one.required ?? []).some((/** @type {string} */ key) => !Object.hasOwn(value, key));
  const differs = Object.entries(properties).some(([key, each]) => Object.hasOwn(value, key) && isObject(each) && Object.hasOwn(each, "const") && !isSame(each.const, value[key]));
  return !misses && !differs;
}
