// The canvas: boxes are dragged here until they are dropped, and only then Python hears of it.
import { memo, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { applyNodeChanges, Background, Controls, MarkerType, ReactFlow, useReactFlow, useStoreApi } from "@xyflow/react";
import { Asking, Box } from "./box.jsx";
import { Frames } from "./frames.jsx";
import { Line } from "./line.jsx";
import { QuickAdd } from "./quick_add.jsx";
import { useSame } from "./state.js";
import { DRAGGED, handlesOf, START } from "./ways.js";

const nodeTypes = { box: Box };
const edgeTypes = { way: Line };
const SETTLE_MS = 350;
/** How long the canvas takes to turn to a step. */
const TURN_MS = 200;
/** Beyond this many boxes only those in view are in the page: frames stay quick, and the others are a "Go to" away. */
const MANY = 60;
const LEAST_ZOOM = 0.15;
const READABLE = 0.55;
const MARKS = { failure: "failure", retry: "failure", branch: "branch", timeout: "aside", budget: "aside", compensate: "faint", body: "edge" };

export const Canvas = memo(function Canvas({ view, want, onSelect, chosen, go, flowId, items }) {
  const flow = useReactFlow();
  const store = useStoreApi();
  const same = useSame();
  const moves = useRef({ timer: 0, spots: {} });
  const dragging = useRef(new Set());
  const [picked, setPicked] = useState(() => new Set());
  const pickedNow = useRef(picked);
  const edgesNow = useRef([]);
  const [quick, setQuick] = useState(null);
  const warned = useMemo(() => warnings(view.problems), [view.problems]);
  const given = useMemo(() => (view.nodes ?? []).map((box) => toNode(box, warned, same)), [view.nodes, warned, same]);
  const [nodes, setNodes] = useState(given);
  const [moved, setMoved] = useState(() => new Set());

  const held = useRef(given);
  const hold = useCallback((next) => setNodes((held.current = next)), []);
  const lines = useRef([]);
  const tell = useCallback((isByPerson) => onSelect(held.current.filter((node) => node.selected).map((node) => node.id), lines.current, isByPerson), [onSelect]);

  // What Python says goes, but for the boxes in somebody's hand.
  useEffect(() => {
    const known = new Map(held.current.map((node) => [node.id, node]));
    hold(given.map((node) => merge(known.get(node.id), node, dragging.current, chosen)));
    setMoved((now) => (now.size ? new Set() : now));
    tell(false);
  }, [given, chosen, hold, tell]);

  const edges = useMemo(() => (view.edges ?? []).map((line) => same(`edge ${line.id} ${moved.has(line.source) || moved.has(line.target)} ${picked.has(line.id)}`, toEdge(line, moved, picked, view))), [view.edges, moved, picked, same]);

  edgesNow.current = edges;

  const drop = useCallback(() => {
    clearTimeout(moves.current.timer);
    const { spots } = moves.current;
    moves.current.spots = {};
    if (Object.keys(spots).length) want("shift", { spots });
  }, [want]);

  const onNodesChange = useCallback((changes) => {
    hold(alone(changes, applyNodeChanges(changes, held.current), store.getState()));
    if (changes.some((change) => change.type === "select")) tell(true);
    const shifted = changes.filter((change) => change.type === "position" && change.position);
    if (!shifted.length) return;
    setMoved((now) => (shifted.every((change) => now.has(change.id)) ? now : new Set([...now, ...shifted.map((change) => change.id)])));
    for (const change of shifted) {
      if (change.dragging) dragging.current.add(change.id);
      else {
        dragging.current.delete(change.id);
        moves.current.spots[change.id] = [change.position.x, change.position.y];
      }
    }
    // Moves by arrow keys come one by one: Python hears of them when they have come to rest.
    clearTimeout(moves.current.timer);
    if (Object.keys(moves.current.spots).length) moves.current.timer = setTimeout(drop, dragging.current.size ? 0 : SETTLE_MS);
  }, [drop, hold, tell, store]);
  useEffect(() => () => clearTimeout(moves.current.timer), []);

  const onNodeDragStop = useCallback((_event, _node, all) => {
    for (const node of all) {
      dragging.current.delete(node.id);
      moves.current.spots[node.id] = [node.position.x, node.position.y];
    }
    drop();
  }, [drop]);

  const onEdgesChange = useCallback((changes) => {
    const chosen = changes.filter((change) => change.type === "select");
    if (!chosen.length) return;
    const next = new Set(pickedNow.current);
    for (const { id, selected } of chosen) selected ? next.add(id) : next.delete(id);
    setPicked((pickedNow.current = next));
    lines.current = edgesNow.current.filter((edge) => next.has(edge.id) && edge.data.field).map((edge) => [edge.source, edge.data.field]);
    tell(true);
  }, [tell]);

  const onConnect = useCallback(({ source, sourceHandle, target }) => want("connect", { source, kind: sourceHandle, target }), [want]);
  const onReconnect = useCallback((edge, { target }) => edge.data.field && want("lead", { source: edge.source, field: edge.data.field, target }), [want]);
  const onConnectEnd = useCallback((event, state) => {
    if (state.isValid || !state.fromHandle || state.toNode) return;
    const { clientX, clientY } = event.changedTouches?.[0] ?? event;
    setQuick({ source: state.fromNode.id, kind: state.fromHandle.id, clientX, clientY });
  }, []);
  const addAt = useCallback((group, name, x, y, to) => {
    const spot = flow.screenToFlowPosition({ x, y });
    want("add", { group, name, at: [spot.x - 88, spot.y - (to ? 0 : 33)], to: to ?? null });
  }, [flow, want]);
  const onDrop = useCallback((event) => {
    const text = event.dataTransfer.getData(DRAGGED);
    if (!text) return;
    event.preventDefault();
    event.stopPropagation();
    const [group, name] = JSON.parse(text);
    addAt(group, name, event.clientX, event.clientY);
  }, [addAt]);
  const onDragOver = useCallback((event) => {
    if (!event.dataTransfer.types.includes(DRAGGED)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "move";
  }, []);

  useEffect(() => {
    if (!go) return;
    const box = view.nodes.find((one) => one.id === go.step);
    if (!box) return;
    const zoom = Math.max(flow.getZoom(), 0.8);
    flow.setCenter(box.x + box.width / 2, box.y + box.height / 2, { zoom, duration: TURN_MS }).then(() => go.onShown?.());
    // Only where somebody asks for it: boxes that move elsewhere are not run after.
  }, [go, flow]); // eslint-disable-line react-hooks/exhaustive-deps

  const onInit = useCallback(() => show(flow, false), [flow]);
  const scope = JSON.stringify(view.scope);
  const wasFirst = useRef(true);
  useEffect(() => {
    if (wasFirst.current) wasFirst.current = false;
    else setTimeout(() => show(flow, false), 50);
  }, [scope, flow]);

  return (
    <Asking.Provider value={want}><div className="okc-canvas" onDrop={onDrop} onDragOver={onDragOver} data-region="canvas" tabIndex={-1}>
      <ReactFlow id={flowId} nodes={nodes} edges={edges} nodeTypes={nodeTypes} edgeTypes={edgeTypes}
        onNodesChange={onNodesChange} onEdgesChange={onEdgesChange} onNodeDragStop={onNodeDragStop}
        onConnect={onConnect} onReconnect={onReconnect} onConnectEnd={onConnectEnd} onInit={onInit} deleteKeyCode={null} minZoom={LEAST_ZOOM} maxZoom={2}
        connectionRadius={24} preventScrolling={false} zoomOnScroll={false} zoomOnDoubleClick={false} selectNodesOnDrag nodeDragThreshold={2} elevateNodesOnSelect={false}
        onlyRenderVisibleElements={nodes.length > MANY} proOptions={HIDDEN} aria-label="Canvas">
        <Background gap={22} size={1.2} color="var(--okit-line)" />
        <Frames frames={view.frames ?? []} />
        <Controls showInteractive={false} />
      </ReactFlow>
      {nodes.length <= 1 && <p className="okc-empty">Drag a worker or a step here, or press Enter on one in the palette.</p>}
      {quick && <QuickAdd quick={quick} items={items} onClose={() => setQuick(null)} onAdd={(group, name) => (setQuick(null), addAt(group, name, quick.clientX, quick.clientY, { source: quick.source, kind: quick.kind }))} />}
    </div></Asking.Provider>
  );
});

const HIDDEN = { hideAttribution: true };

/** Fit all boxes in; where they would become unreadable, show where runs begin. */
export function show(flow, isSmooth) {
  const duration = isSmooth ? 200 : 0;
  flow.fitView({ maxZoom: 1, padding: 0.08, duration }).then(() => {
    if (flow.getZoom() >= READABLE) return;
    const start = flow.getNode(START);
    if (start && !isSmooth) flow.setCenter(start.position.x, start.position.y + 190, { zoom: 0.8 });
  });
}

function warnings(problems) {
  const found = new Map();
  for (const problem of problems ?? []) {
    if (problem.severity !== "warning") continue;
    for (const step of problem.steps) found.set(step, [...(found.get(step) ?? []), `${problem.message}. ${problem.hint}`]);
  }
  return found;
}

function toNode(box, warned, same) {
  const told = warned.get(box.id) ?? [];
  const data = same(`data ${box.id}`, { ...box, x: 0, y: 0, warnings: told.length, warned: told.join("\n") });
  const said = [box.title || "start of the run", box.worker, box.problem && `problem: ${box.problem}`].filter(Boolean).join(", ");
  return { id: box.id, type: "box", position: { x: box.x, y: box.y }, width: box.width, height: box.height, measured: { width: box.width, height: box.height }, handles: same(`handles ${box.id}`, handlesOf(box)), data, ariaLabel: said, connectable: box.kind !== "missing" || undefined };
}

function merge(before, node, dragging, chosen) {
  const selected = chosen ? chosen.has(node.id) : Boolean(before?.selected);
  if (!before) return { ...node, selected };
  const position = dragging.has(node.id) ? before.position : node.position;
  const isSame = before.data === node.data && before.width === node.width && before.position.x === position.x && before.position.y === position.y && before.selected === selected;
  return isSame ? before : { ...before, ...node, position, selected };
}

// What is selected by itself is selected alone. React Flow takes the selection of another box back only if it knows of
// it, and for the length of a drawing it may not.
function alone(changes, nodes, { multiSelectionActive, userSelectionActive }) {
  const news = new Set(changes.filter((change) => change.type === "select" && change.selected).map((change) => change.id));
  if (!news.size || multiSelectionActive || userSelectionActive) return nodes;
  return nodes.map((node) => (node.selected && !news.has(node.id) ? { ...node, selected: false } : node));
}

function toEdge(line, moved, picked, view) {
  const half = (view.nodes.find((box) => box.id === line.target)?.width ?? 176) / 2;
  const isMoved = moved.has(line.source) || moved.has(line.target);
  const colour = `var(--okc-${MARKS[line.kind] ?? "edge"})`;
  const way = line.field === "initial_step" ? "success" : line.kind === "retry" ? "failure" : line.kind;
  return {
    id: line.id, type: "way", source: line.source, target: line.target, sourceHandle: way, data: { ...line, half, moved: isMoved },
    selected: picked.has(line.id), selectable: Boolean(line.field), focusable: Boolean(line.field), reconnectable: line.field && line.kind !== "retry" ? "target" : false,
    markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16, color: colour, markerUnits: "userSpaceOnUse" }, ariaLabel: `${line.source === START ? "start" : line.source} to ${line.target}: ${line.label || line.tooltip}`,
  };
}
