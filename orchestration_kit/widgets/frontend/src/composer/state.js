// @ts-check
// The synced traits of a model as React state, and what the browser keeps in case the kernel is lost.
import { useCallback, useRef, useSyncExternalStore } from "react";

/** A trait, drawn again whenever it changes. @param {any} model @param {string} name */
export function useTrait(model, name) {
  const listen = useCallback((/** @type {() => void} */ call) => {
    model.on(`change:${name}`, call);
    return () => model.off(`change:${name}`, call);
  }, [model, name]);
  return useSyncExternalStore(listen, () => model.get(name));
}

/** Objects that say the same stay the same object, so that what is drawn of them is not drawn again. */
export function useSame() {
  const known = useRef(new Map());
  return useCallback((/** @type {string} */ key, /** @type {any} */ value) => {
    const text = JSON.stringify(value);
    const before = known.current.get(key);
    if (before?.text === text) return before.value;
    known.current.set(key, { text, value });
    return value;
  }, []);
}

const place = (/** @type {string} */ name) => `orchestration_kit.composer:${name}`;

/** Keep a draft in this page. Returns why it could not be kept, or "". @param {string} name @param {string} session @param {string} text */
export function keep(name, session, text) {
  try {
    if (text) sessionStorage.setItem(place(name), JSON.stringify({ session, text }));
    return "";
  } catch (error) {
    return `This page keeps no copy of the draft (${/** @type {any} */ (error).name}).`;
  }
}

/** What an earlier composer of this name left: its text where it differs from what is here. @param {string} name @param {string} session @param {string} now */
export function left(name, session, now) {
  try {
    const found = JSON.parse(sessionStorage.getItem(place(name)) ?? "null");
    if (!found?.text || found.session === session) return null;
    const { workflow } = JSON.parse(found.text);
    const here = now ? JSON.parse(now).workflow : null;
    if (JSON.stringify(workflow) === JSON.stringify(here)) return null;
    const steps = Object.keys(workflow.steps ?? {}).length;
    return steps ? { text: found.text, steps } : null;
  } catch {
    return null; // nothing that we wrote
  }
}

/** Forget what was left. @param {string} name */
export function forget(name) {
  try {
    sessionStorage.removeItem(place(name));
  } catch (error) {
    console.warn("orchestration_kit:", error);
  }
}
