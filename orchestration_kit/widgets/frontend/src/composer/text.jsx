// The workflow as text: code for a cell, YAML to save or to bring in.
import { useEffect, useRef, useState } from "react";
import { hasNotebook, insertCell } from "./cell.js";

export function TextDrawer({ what, text, root, name, want, onClose, say }) {
  const [typed, setTyped] = useState(text);
  const area = useRef(null);
  useEffect(() => setTyped(text), [text, what]);
  useEffect(() => area.current?.focus(), [what]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typed);
    } catch {
      area.current?.select(); // no clipboard for this page: what is selected can be copied with Ctrl+C
      return false;
    }
    return true;
  };
  const insert = async () => {
    if (await insertCell(root, typed)) return say("The code stands in a new cell below.");
    const copied = await copy();
    say(`${hasNotebook(root) ? "This notebook took no new cell" : "There is no notebook cell to be had here"}: the code is ${copied ? "on the clipboard, to be pasted into a cell" : "selected, to be copied"}. Or call composer.insert() in a cell.`);
  };
  const download = () => {
    const url = URL.createObjectURL(new Blob([typed], { type: "text/plain" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = `${name.replace(/[^\w.-]+/g, "_") || "workflow"}.${what === "code" ? "py" : "yaml"}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  };
  const bring = async (event) => {
    const [file] = event.target.files;
    if (file) setTyped(await file.text());
    event.target.value = "";
  };
  return (
    <section className="okc-text" aria-label={what === "code" ? "Code" : "YAML"} onKeyDown={(event) => event.key === "Escape" && (event.stopPropagation(), onClose())}>
      <div className="okc-bar">
        <b>{what === "code" ? "Python that makes this workflow" : "YAML of this workflow"}</b>
        {what === "code" && <button type="button" className="okit-main" onClick={insert}>Insert as cell</button>}
        {what === "yaml" && <button type="button" className="okit-main" onClick={() => want("read", { text: typed })}>Load this text</button>}
        {what === "yaml" && <label className="okc-file">Open a file…<input type="file" accept=".yaml,.yml,.json,text/plain" onChange={bring} /></label>}
        <button type="button" onClick={download}>Download</button>
        <button type="button" onClick={async () => say((await copy()) ? "Copied." : "Selected: press Ctrl+C.")}>Copy</button>
        <button type="button" onClick={onClose} aria-label="Close">×</button>
      </div>
      <textarea ref={area} className="okc-code" rows={12} value={typed} readOnly={what === "code"} spellCheck={false} aria-label={what === "code" ? "Code" : "YAML"} onChange={(event) => setTyped(event.target.value)} />
    </section>
  );
}
