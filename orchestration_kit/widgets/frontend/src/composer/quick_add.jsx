// What to add where a line was drawn to an empty place.
import { useEffect, useRef } from "react";

export function QuickAdd({ quick, items, onAdd, onClose }) {
  const menu = useRef(null);
  useEffect(() => menu.current?.querySelector("button")?.focus(), []);
  const onKeyDown = (event) => {
    const buttons = [...menu.current.querySelectorAll("button")];
    const at = buttons.indexOf(event.target);
    if (event.key === "Escape") onClose();
    else if (event.key === "ArrowDown") buttons[(at + 1) % buttons.length].focus();
    else if (event.key === "ArrowUp") buttons[(at - 1 + buttons.length) % buttons.length].focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const box = menu.current?.parentElement?.getBoundingClientRect();
  const place = (node) => {
    menu.current = node;
    if (!node) return;
    const around = node.parentElement.getBoundingClientRect();
    node.style.left = `${Math.min(quick.clientX - around.left, around.width - node.offsetWidth - 8)}px`;
    node.style.top = `${Math.min(quick.clientY - around.top, Math.max(8, around.height - node.offsetHeight - 8))}px`;
  };
  return (
    <div ref={place} className="okc-quick" role="menu" aria-label="Add a step here" data-known={box ? "" : undefined} onKeyDown={onKeyDown} onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && onClose()}>
      {items.map((item) => <button key={`${item.group} ${item.name}`} type="button" role="menuitem" onClick={() => onAdd(item.group, item.name)}>{item.title} <small>{item.about}</small></button>)}
    </div>
  );
}
