// A box of the canvas: a step, the dot where runs begin, or a step that is named and missing.
import { createContext, memo, useContext } from "react";
import { Handle, Position } from "@xyflow/react";
import { shareOf, START, WAYS } from "./ways.js";

/** What a box can ask for. */
export const Asking = createContext(() => {});

export const Box = memo(function Box({ data, selected }) {
  const { kind, paint, title, worker, lines, ways, problem } = data;
  if (kind === "entry") {
    return (
      <div className={`okc-start${problem ? " okc-wrong" : ""}`} title={data.tooltip}>
        {problem ? title : null}
        <Ways ways={ways} id={START} />
      </div>
    );
  }
  const classes = ["okc-box", `okc-paint-${paint}`, data.ends && "okc-ends", data.is_start && "okc-first", problem && "okc-wrong", kind === "missing" && "okc-missing", selected && "okc-selected"];
  return (
    <div className={classes.filter(Boolean).join(" ")} title={data.tooltip}>
      <Handle type="target" position={Position.Top} className="okc-target" />
      {data.has_icon && <Icon kind={kind} />}
      <b className={data.has_icon ? "okc-beside" : ""}>{title}</b>
      {worker && <span>{worker}</span>}
      {lines.map((line, at) => <small key={at}>{line}</small>)}
      {kind === "missing" && <Make step={data.id} />}
      {data.warnings > 0 && <i className="okc-warnings" title={data.warned}>!{data.warnings > 1 ? data.warnings : ""}</i>}
      <Ways ways={ways} id={data.id} />
    </div>
  );
});

function Make({ step }) {
  const want = useContext(Asking);
  return <button type="button" className="okc-make nodrag" onClick={() => want("add_missing", { step })}>Add this step</button>;
}

function Ways({ ways, id }) {
  return ways.map((way, at) => (
    <Handle key={way} id={way} type="source" position={Position.Bottom} className={`okc-way okc-way-${way}`}
      style={{ left: id === START ? `calc(50% + ${at * 24}px)` : `${shareOf(ways, at) * 100}%` }}
      title={id === START ? (way === "budget" ? "where the run's budget is spent" : "where runs begin") : WAYS[way].words}
      aria-label={`${id}, ${WAYS[way].words}`}>
      {id === START && way === "success" ? "▸" : WAYS[way].sign}
    </Handle>
  ));
}

/** The signs of the static diagram. */
export function Icon({ kind }) {
  const bar = (x, y, width, height, rx = 0.5) => <rect key={`${x} ${y}`} x={x - width / 2} y={y - height / 2} width={width} height={height} rx={rx} className="okc-ink" />;
  const frame = (x, y, width, height, rx) => <rect key={`f${x}`} x={x - width / 2} y={y - height / 2} width={width} height={height} rx={rx} className="okc-frame-sign" />;
  const parts = {
    approval: [bar(9, 4.5, 7, 7, 3.5), bar(9, 13, 14, 7.5, 3.7)],
    wait: [frame(9, 9, 15, 15, 7.5), bar(9, 6.7, 1.5, 5.5), bar(10.7, 9, 4.5, 1.5)],
    workflow: [frame(9, 9, 16, 14, 2), bar(9, 6, 6, 3, 1), bar(9, 12, 6, 3, 1), bar(9, 9, 1.2, 4, 0)],
    parallel: [bar(9, 2.5, 16, 2, 1), bar(9, 15.5, 16, 2, 1), bar(4, 9, 2.2, 8), bar(9, 9, 2.2, 8), bar(14, 9, 2.2, 8)],
    map: [frame(11.5, 11.5, 11, 9, 2), frame(9, 9, 11, 9, 2), frame(6.5, 6.5, 11, 9, 2)],
    step: [frame(9, 9, 16, 11, 3)],
  }[kind];
  return parts ? <svg className="okc-icon" width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">{parts}</svg> : null;
}
