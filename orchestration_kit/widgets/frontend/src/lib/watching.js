// @ts-check
// Tells Python now and then that a page still shows a widget; without that, Python stops looking after some minutes.
import { want } from "./kit.js";

const EVERY_MS = 20_000;

/** @param {any} model @param {AbortSignal} signal */
export function saySeen(model, signal) {
  const say = () => want(model, "seen");
  say();
  const timer = setInterval(say, EVERY_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}
