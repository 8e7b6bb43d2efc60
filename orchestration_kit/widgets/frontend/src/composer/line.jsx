// A line between two boxes: along the track of the layout while both ends stand where it put them, else a curve.
import { memo } from "react";
import { BaseEdge, EdgeLabelRenderer, getBezierPath } from "@xyflow/react";

const DASHES = { dashed: "6 4", dotted: "1.5 3.5", "dash-dot": "9 3 2 3" };

/** A handle reaches so far out of its box; lines begin at the box. */
const OUT = 9;

export const Line = memo(function Line({ id, sourceX, sourceY: handleY, targetX, targetY, sourcePosition, targetPosition, data, selected, markerEnd, source, target }) {
  const sourceY = handleY - OUT;
  const way = data.track && !data.moved ? along(data) : source === target ? loop(sourceX, sourceY, targetX, targetY, data) : curve({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition });
  const classes = `okc-line okc-line-${data.kind}${selected ? " okc-selected" : ""}`;
  return (
    <>
      <BaseEdge id={id} path={way.path} markerEnd={markerEnd} className={classes} style={{ strokeDasharray: DASHES[data.line] }} interactionWidth={16} />
      {data.label && (
        <EdgeLabelRenderer>
          <span className={`okc-label okc-label-${data.kind}${selected ? " okc-selected" : ""}`} title={data.tooltip} style={{ transform: `translate(${way.x}px, ${way.y}px) translate(${way.anchor}, -50%)` }}>{data.label}</span>
        </EdgeLabelRenderer>
      )}
    </>
  );
});

const ANCHORS = { start: "0", middle: "-50%", end: "-100%" };

function along({ track, label_at: at, anchor }) {
  const [first, ...rest] = track;
  const path = `M${first.join(",")}C${rest.map((point) => point.join(",")).join(" ")}`;
  const middle = at ?? track[Math.floor(track.length / 2)];
  return { path, x: middle[0], y: middle[1], anchor: ANCHORS[anchor ?? "middle"] };
}

function curve(ends) {
  const { sourceX, sourceY, targetX, targetY } = ends;
  if (targetY > sourceY + 10) {
    const [path, x, y] = getBezierPath({ ...ends, curvature: 0.3 });
    return { path, x, y, anchor: "-50%" };
  }
  // Upwards: out at the bottom, around the side that is nearer, in at the top.
  const side = targetX >= sourceX ? Math.max(sourceX, targetX) + 120 : Math.min(sourceX, targetX) - 120;
  const path = `M${sourceX},${sourceY}C${sourceX},${sourceY + 46} ${side},${sourceY + 46} ${side},${(sourceY + targetY) / 2}C${side},${targetY - 46} ${targetX},${targetY - 46} ${targetX},${targetY}`;
  return { path, x: side, y: (sourceY + targetY) / 2, anchor: "-50%" };
}

function loop(sourceX, sourceY, targetX, targetY, data) {
  const right = targetX + data.half;
  const middle = (sourceY + targetY) / 2;
  const path = `M${right},${middle + 12}C${right + 36},${middle + 20} ${right + 36},${middle - 20} ${right + 1},${middle - 12}`;
  return { path, x: right + 32, y: middle, anchor: "0" };
}
