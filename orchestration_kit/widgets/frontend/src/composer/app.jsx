// The composer as a whole: palette, canvas, form, problems, text; what keys do; what is kept for a lost kernel.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useReactFlow } from "@xyflow/react";
import { want as ask } from "../lib/kit.js";
import { Canvas, show } from "./canvas.jsx";
import { Form } from "./form.jsx";
import { Palette } from "./palette.jsx";
import { Problems } from "./problems.jsx";
import { TextDrawer } from "./text.jsx";
import { forget, keep, left, useSame, useTrait } from "./state.js";
import { commandOf, turnRegion } from "./keys.js";
import { START } from "./ways.js";

export function App({ model, root, signal, given }) {
  const want = useCallback((intent, args) => ask(model, intent, args), [model]);
  const [rest, nodes, edges, panel, palette, kept] = ["view", "boxes", "lines", "panel", "palette", "kept"].map((name) => useTrait(model, name));
  const view = useMemo(() => ({ ...rest, nodes: nodes ?? [], edges: edges ?? [] }), [rest, nodes, edges]);
  const name = model.get("name");
  const session = model.get("session");
  const flow = useReactFlow();
  const same = useSame();
  const [said, say] = useState("");
  const [drawer, setDrawer] = useState(null);
  const [offer, setOffer] = useState(() => left(name, session, kept));
  const [go, setGo] = useState(null);
  const [several, setSeveral] = useState(0);
  const selection = useRef({ steps: [], lines: [] });
  const [chosen, setChosen] = useState(null);
  const flowId = useMemo(() => `okc${session}-${Math.random().toString(36).slice(2, 8)}`, [session]);
  const stage = useRef(null);
  const ids = same("steps", view.nodes.filter((box) => box.kind !== "entry" && box.kind !== "missing").map((box) => box.id));
  const problems = same("problems", view.problems ?? []);
  const items = same("palette", palette ?? []);

  // Kept from the first edit on, or once it is decided what becomes of what an earlier composer left.
  const first = useRef(kept);
  useEffect(() => {
    if (offer && kept === first.current) return;
    const trouble = keep(name, session, kept);
    if (trouble) say(trouble);
  }, [kept, offer, name, session]);

  // What Python selects (a step that was added or pasted) is selected on the canvas, too, unless somebody has
  // selected something here since: Python is still to hear of it, and what it says now is from before.
  const told = useRef(view.selected);
  const picks = useRef({ by: Math.random().toString(36).slice(2), count: 0, last: null });
  const pick = useCallback((step) => {
    told.current = step;
    picks.current.last = `${picks.current.by} ${(picks.current.count += 1)}`;
    want("select", { step, pick: picks.current.last });
  }, [want]);
  useEffect(() => {
    if (picks.current.last === view.picked) picks.current.last = null;
    const isFromBefore = picks.current.last !== null;
    if (!isFromBefore && view.selected !== told.current && view.selected !== undefined) {
      told.current = view.selected;
      setChosen(new Set(view.selected ? [view.selected] : []));
      const box = view.nodes.find((one) => one.id === view.selected);
      if (box && !isInView(flow, box, stage.current)) setGo({ step: box.id });
    } else setChosen(null);
  }, [view, flow]);

  const onSelect = useCallback((steps, lines, isByPerson) => {
    selection.current = { steps: steps.filter((step) => step !== START), lines };
    setSeveral(steps.length);
    if (!isByPerson) return;
    const one = steps.length === 1 && steps[0] !== START ? steps[0] : null;
    if (one !== told.current) pick(one);
  }, [pick]);

  // The focus follows once the canvas has turned there and the box is drawn, unless it has gone elsewhere by then.
  const awaited = useRef(null);
  const arrive = useCallback(() => {
    if (awaited.current?.isShown) boxOf(stage.current, awaited.current.step)?.focus({ preventScroll: true });
  }, []);
  const onGo = useCallback((step) => {
    const goal = { step, isShown: false };
    awaited.current = goal;
    setGo({ step, onShown: () => ((goal.isShown = true), arrive()) });
    setChosen(new Set([step]));
    pick(step);
  }, [pick, arrive]);
  const onAdd = useCallback((group, name) => want("add", { group, name, at: null }), [want]);

  const commands = useMemo(() => ({
    undo: () => want("undo"),
    redo: () => want("redo"),
    copy: () => want("copy", { steps: selection.current.steps }),
    cut: () => want("copy", { steps: selection.current.steps, cut: true }),
    paste: () => want("paste"),
    remove: () => {
      const { steps, lines } = selection.current;
      if (steps.length || lines.length) want("remove", { steps, lines });
      else say("Select steps or lines first, then delete them.");
    },
    all: () => setChosen(new Set(ids)),
    tidy: () => (want("tidy"), setTimeout(() => show(flow, true), 150)),
    edit: () => stage.current.querySelector('.okc-form input, .okc-form textarea, .okc-form select')?.focus(),
    rename: () => stage.current.querySelector('.okc-form [data-path="step_id"]')?.focus(),
    back: () => boxOf(stage.current, selection.current.steps[0])?.focus(),
    regions: (by) => turnRegion(stage.current, by),
    write: (what) => {
      const ticket = Math.random().toString(36).slice(2);
      const hear = (content) => {
        if (content?.text?.ticket !== ticket) return;
        model.off("msg:custom", hear);
        setDrawer(content.text);
      };
      model.on("msg:custom", hear);
      signal.addEventListener("abort", () => model.off("msg:custom", hear));
      want("write", { what, ticket });
    },
  }), [want, flow, ids, model, signal]);

  const onKeyDown = useCallback((event) => {
    const command = commandOf(event);
    event.stopPropagation(); // a key typed here is meant for nothing around the composer
    if (!command) return;
    event.preventDefault();
    say("");
    if (Array.isArray(command)) commands[command[0]](command[1]);
    else commands[command]();
  }, [commands]);

  // Where a box with the focus goes, the canvas takes it: without this, the next key would be the notebook's.
  const focused = useRef(null);
  useEffect(() => {
    const canvas = stage.current.querySelector(".okc-canvas");
    const watch = new MutationObserver(() => {
      arrive();
      if (focused.current && !focused.current.isConnected && document.activeElement === document.body) canvas.focus({ preventScroll: true });
    });
    watch.observe(stage.current.querySelector(".react-flow__nodes"), { childList: true });
    return () => watch.disconnect();
  }, [arrive]);

  const decide = (take) => {
    if (take) want("take_over", { text: offer.text });
    else forget(name);
    first.current = null;
    setOffer(null);
  };
  const scope = view.scope ?? [];
  return (
    <div className="okc" ref={stage} onKeyDown={onKeyDown} onFocus={(event) => ((focused.current = event.target), (awaited.current = null))}>
      <div className="okc-bar" role="toolbar" aria-label="Composer">
        <Tool label="Undo" keys="Control+Z" disabled={!view.can_undo} onClick={commands.undo} />
        <Tool label="Redo" keys="Control+Shift+Z" disabled={!view.can_redo} onClick={commands.redo} />
        <i />
        <Tool label="Copy" keys="Control+C" onClick={commands.copy} />
        <Tool label="Paste" keys="Control+V" disabled={!view.can_paste} onClick={commands.paste} />
        <Tool label="Delete" keys="Delete" onClick={commands.remove} />
        <i />
        <Tool label="Tidy" keys="Control+Shift+L" onClick={commands.tidy} />
        <i />
        <Tool label="Code" onClick={() => commands.write("code")} />
        <Tool label="YAML" onClick={() => commands.write("yaml")} />
        <Tool label="Register" isMain disabled={!view.is_sound} title={view.is_sound ? "Register with the orchestrator" : "The problems below have to be mended first"} onClick={() => want("register")} />
        {ids.length > 1 && (
          <select className="okc-goto" aria-label="Go to a step" value="" onChange={(event) => onGo(event.target.value)}>
            <option value="">Go to a step…</option>
            {ids.map((step) => <option key={step} value={step}>{step}</option>)}
          </select>
        )}
        <span className="okc-where">
          {scope.length > 0 && <nav aria-label="Where you are">
            <button type="button" onClick={() => want("leave", { depth: 0 })}>{view.name}</button>
            {scope.map(([step, branch], at) => <button key={at} type="button" disabled={at === scope.length - 1} onClick={() => want("leave", { depth: at + 1 })}>{`› ${step} [${branch}]`}</button>)}
          </nav>}
          {!scope.length && <b>{view.name}</b>}
        </span>
      </div>
      {offer && <p className="okc-offer" role="alert">A composer called “{name}” was here before, with {offer.steps} step{offer.steps === 1 ? "" : "s"}. <button type="button" className="okit-main" onClick={() => decide(true)}>Take over what was here</button> <button type="button" onClick={() => decide(false)}>Forget it</button></p>}
      <div className="okc-main">
        <Palette items={items} onAdd={onAdd} />
        <Canvas view={view} want={want} onSelect={onSelect} chosen={chosen} go={go} flowId={flowId} items={items} />
        <Form panel={panel} forms={given.forms} steps={ids} problems={problems} want={want} several={several} />
      </div>
      <Problems view={view} onGo={onGo} />
      {drawer && <TextDrawer {...drawer} root={root} name={view.name} want={want} say={say} onClose={() => setDrawer(null)} />}
      <p className="okc-said" role="status">{said}</p>
    </div>
  );
}

function Tool({ label, keys, isMain, onClick, disabled, title }) {
  const shown = keys?.replace("Control", "Ctrl");
  return <button type="button" className={isMain ? "okit-main" : ""} disabled={disabled} aria-keyshortcuts={keys} title={title ?? (shown ? `${label} (${shown})` : label)} onClick={onClick}>{label}</button>;
}

const boxOf = (stage, step) => (step ? stage?.querySelector(`.react-flow__node[data-id="${CSS.escape(step)}"]`) : null);

function isInView(flow, box, stage) {
  const pane = stage?.querySelector(".react-flow")?.getBoundingClientRect();
  if (!pane) return false;
  const from = flow.flowToScreenPosition({ x: box.x, y: box.y });
  const to = flow.flowToScreenPosition({ x: box.x + box.width, y: box.y + box.height });
  return from.x > pane.left && to.x < pane.right && from.y > pane.top && to.y < pane.bottom;
}
