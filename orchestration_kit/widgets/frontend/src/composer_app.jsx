// The composer itself, in React: mounted by composer.js on an element of its own.
import { createRoot } from "react-dom/client";
import { ReactFlowProvider } from "@xyflow/react";
import { App } from "./composer/app.jsx";
import { ErrorBoundary } from "./composer/error_boundary.jsx";
import "./composer/svg_names.js";
import "@xyflow/react/dist/base.css";
import "./composer/composer.css";

/** @param {{model: any, root: HTMLElement, stage: HTMLElement, signal: AbortSignal, given: any}} context */
export function draw({ model, root, stage, signal, given }) {
  for (const [theme, colours] of Object.entries(given.colours)) {
    for (const [name, colour] of Object.entries(colours)) root.style.setProperty(`--okc-${theme}-${name}`, colour);
  }
  const app = createRoot(stage);
  app.render(
    <ErrorBoundary>
      <ReactFlowProvider>
        <App model={model} root={root} signal={signal} given={given} />
      </ReactFlowProvider>
    </ErrorBoundary>,
  );
  signal.addEventListener("abort", () => app.unmount());
}
