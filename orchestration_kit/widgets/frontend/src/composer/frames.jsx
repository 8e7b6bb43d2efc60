// Frames behind the boxes that the branches of a step hold. They follow the boxes, and are no boxes themselves.
import { memo } from "react";
import { ViewportPortal, useStore } from "@xyflow/react";

const PADDING = 16;

export const Frames = memo(function Frames({ frames }) {
  if (!frames.length) return null;
  return <ViewportPortal>{frames.map((frame) => <Frame key={frame.step} members={frame.members} />)}</ViewportPortal>;
});

function Frame({ members }) {
  const text = useStore((state) => {
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const id of members) {
      const node = state.nodeLookup.get(id);
      if (!node) continue;
      const { x, y } = node.internals.positionAbsolute;
      left = Math.min(left, x);
      top = Math.min(top, y);
      right = Math.max(right, x + (node.width ?? 0));
      bottom = Math.max(bottom, y + (node.height ?? 0));
    }
    return left < right ? [left, top, right, bottom].join(" ") : "";
  });
  if (!text) return null;
  const [left, top, right, bottom] = text.split(" ").map(Number);
  return <div className="okc-frame" style={{ transform: `translate(${left - PADDING}px, ${top - PADDING}px)`, width: right - left + 2 * PADDING, height: bottom - top + 2 * PADDING }} />;
}
