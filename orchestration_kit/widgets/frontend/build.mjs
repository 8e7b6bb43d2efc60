// Bundles every entry (src/NAME.js or src/NAME.jsx) to ../static/NAME.js and NAME.css. `node build.mjs DIR` writes elsewhere,
// `node build.mjs DIR FILE` also writes esbuild's account of what came from where.
import { build } from "esbuild";
import { readdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const outdir = resolve(process.argv[2] ?? join(here, "..", "static"));
const entryPoints = readdirSync(join(here, "src")).filter((name) => /\.jsx?$/.test(name)).sort().map((name) => join(here, "src", name));
// Preact stands in for React, which React Flow asks for: a third of the size, and the composer's tests hold with it.
const alias = {
  "react": "preact/compat", "react-dom": "preact/compat", "react-dom/client": "preact/compat/client", "react/jsx-runtime": "preact/jsx-runtime",
};
const { metafile } = await build({
  entryPoints, outdir, alias, bundle: true, minify: true, format: "esm", platform: "browser", target: "es2022", jsx: "automatic",
  define: { "process.env.NODE_ENV": '"production"' }, legalComments: "eof", charset: "utf8", logLevel: "warning",
  metafile: true,
});
if (process.argv[3]) writeFileSync(process.argv[3], JSON.stringify(metafile));
