// Runs a piece of Python in Pyodide: node run_in_pyodide.mjs PYODIDE SITE ROOT CODE
// Everything is read from this machine; nothing is fetched.
const [pyodide, site, root, code] = process.argv.slice(2);
const { loadPyodide } = await import(`file://${pyodide}/pyodide.mjs`);
const python = await loadPyodide({ indexURL: `${pyodide}/` });
for (const [path, folder] of [["/site", site], ["/kit", root]]) {
  python.FS.mkdirTree(path);
  python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, path);
}
const prepare = "import sys; sys.path[:0] = ['/site', '/kit']; sys.dont_write_bytecode = True";
await python.runPythonAsync(prepare);
await python.runPythonAsync(code);
