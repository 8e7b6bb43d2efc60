// What can be added: dragged to the canvas, or added with a click or Enter.
import { memo, useState } from "react";
import { Icon } from "./box.jsx";
import { DRAGGED } from "./ways.js";

const GROUPS = { worker: "Workers", kind: "Steps", workflow: "Workflows" };

export const Palette = memo(function Palette({ items, onAdd }) {
  const [wanted, setWanted] = useState("");
  const many = items.length > 14;
  const shown = wanted ? items.filter((item) => `${item.title} ${item.about}`.toLowerCase().includes(wanted.toLowerCase())) : items;
  return (
    <nav className="okc-palette" aria-label="Palette" data-region="palette">
      {many && <input type="search" value={wanted} placeholder="Find" aria-label="Find in the palette" onChange={(event) => setWanted(event.target.value)} />}
      {Object.entries(GROUPS).map(([group, title]) => {
        const mine = shown.filter((item) => item.group === group);
        return mine.length > 0 && (
          <div key={group} role="group" aria-label={title}>
            <h4>{title}</h4>
            {mine.map((item) => (
              <button key={item.name} type="button" draggable title={`${item.about}. Drag it to the canvas, or press Enter.`}
                onDragStart={(event) => {
                  event.dataTransfer.setData(DRAGGED, JSON.stringify([item.group, item.name]));
                  event.dataTransfer.effectAllowed = "move";
                }}
                onClick={() => onAdd(item.group, item.name)}>
                {group !== "worker" && <Icon kind={group === "workflow" ? "workflow" : item.name} />}
                <b>{item.title}</b>
                <small>{item.about}</small>
              </button>
            ))}
          </div>
        );
      })}
      {!shown.length && <p>Nothing is called so.</p>}
    </nav>
  );
});
