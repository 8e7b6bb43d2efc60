"""A notebook in a real notebook program, as a person has it before them; and the programs that open one."""

from __future__ import annotations

import ast
import json
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, expect

from tests.browser import servers
from tests.browser.chromium import TIMEOUT_MS, Watched
from tests.browser.servers import Server
from tests.browser.written import marimo_app, numbers, write_notebook

VIEW = {"width": 1400, "height": 1500}

_LIMITED = """async ([expression, given, milliseconds]) => {
  const panel = () => window.jupyterapp.shell.currentWidget;
  const work = eval(expression);
  let timer;
  const late = new Promise((_, refuse) => {
    timer = setTimeout(() => refuse(new Error(`not done within ${milliseconds} ms`)), milliseconds);
  });
  try { return await Promise.race([work({ app: window.jupyterapp, panel: panel(), given }), late]); }
  finally { clearTimeout(timer); }
}"""


_RESET = """
from ipywidgets import Widget
Widget.close_all()
get_ipython().reset(new_session=True, aggressive=False)
"""


class Shown(Watched):
    """A page with a name under which pictures of it are kept."""

    def __init__(self, page: Page, server: Server) -> None:
        super().__init__(page, server.base)
        self.server = server

    def close(self) -> None:
        """Close the page."""
        if not self.page.is_closed():
            self.page.close()

    def shot(self, name: str, of: Locator | None = None) -> None:
        """Write a picture of the page, or of one element, to the folder in the variable SHOTS, if there is one."""
        if folder := os.environ.get("SHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            view = self.page.viewport_size or VIEW
            if of is not None and (box := of.bounding_box()) is not None and box["height"] + 200 > view["height"]:
                self.page.set_viewport_size({"width": view["width"], "height": int(box["height"]) + 200})
            (of or self.page).screenshot(path=str(Path(folder) / f"{name}.png"), animations="disabled")
            self.page.set_viewport_size(view)


class Notebook(Shown):
    """A notebook that is open, with a kernel of its own. Indices count cells from 0."""

    IGNORED_ERRORS = (
        re.compile(r"Failed to load resource: .*404"),  # optional settings of the program that are not there
        re.compile(r"^Could not restore the debugger state"),  # JupyterLab, after a restart
        re.compile(r"^uncaught: Cannot read properties of undefined \(reading 'schema'\)$"),  # Notebook 7, at its start
    )

    def __init__(self, page: Page, server: Server, path: str, *, program: Jupyter, theme: str | None = None) -> None:
        super().__init__(page, server)
        self.path, self._program, self._theme = path, program, theme

    def program(self, expression: str, given: Any = None, *, timeout_s: float = TIMEOUT_MS / 1000) -> Any:
        """Call a JavaScript function of `{app, panel, given}` in the program, which is the only thing without a limit."""
        return self.page.evaluate(_LIMITED, [expression, given, timeout_s * 1000])

    def is_ready(self) -> Notebook:
        """Wait until the notebook is shown and its kernel answers."""
        self.page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for()
        self.page.wait_for_function("() => Boolean(window.jupyterapp)")
        self.page.evaluate("() => window.jupyterapp.restored.then(() => true)")
        self.page.wait_for_function("() => Boolean(window.jupyterapp.shell.currentWidget?.sessionContext)")
        self.program("""async ({panel}) => {
          await panel.revealed; await panel.sessionContext.ready; await panel.sessionContext.session.kernel.info;
        }""")
        return self

    # What a person does.

    def run_all(self, *, wait: bool = True, timeout_s: float = TIMEOUT_MS / 1000) -> None:
        """Run all cells. With `wait`, a cell that fails fails here; without, they are on their way."""
        self._command("notebook:run-all-cells", wait=wait, timeout_s=timeout_s)

    def run(self, index: int, *, wait: bool = True, timeout_s: float = TIMEOUT_MS / 1000) -> None:
        """Run one cell."""
        self.program(
            "({panel, given}) => { panel.content.deselectAll(); panel.content.activeCellIndex = given; }", index
        )
        self._command("notebook:run-cell", wait=wait, timeout_s=timeout_s)

    def _command(self, name: str, *, wait: bool, timeout_s: float) -> None:
        if not wait:
            self.program("({app, given}) => { app.commands.execute(given); }", name)
        elif not self.program("({app, given}) => app.commands.execute(given)", name, timeout_s=timeout_s):
            said = [
                cell.inner_text()
                for cell in self.page.locator(
                    ".jp-OutputArea-output[data-mime-type*=stderr], .jp-RenderedText[data-mime-type*=error]"
                ).all()
            ]
            raise AssertionError("A cell failed:\n" + "\n".join(said))

    def interrupt(self) -> None:
        """Press the square: interrupt the kernel."""
        self.program("({panel}) => panel.sessionContext.session.kernel.interrupt()")

    def restart_kernel(self) -> None:
        """Restart the kernel; what the cells have shown stays."""
        self.program("""async ({panel}) => {
          await panel.sessionContext.restartKernel(); await panel.sessionContext.session.kernel.info;
        }""")

    def reload(self) -> Notebook:
        """Save, and open the page anew; the kernel goes on. The page is this notebook's from then on: it restores it."""
        self._theme = None
        self.save()
        self.page.reload()
        return self.is_ready()

    def save(self) -> dict[str, Any]:
        """Save, and return what is in the file."""
        self.program("({panel}) => panel.context.save()")
        return json.loads((self.server.folder / self.path).read_text(encoding="utf-8"))

    def write(self, index: int, source: str) -> None:
        """Replace the text of a cell."""
        self.program(
            "({panel, given}) => panel.content.widgets[given[0]].model.sharedModel.setSource(given[1])", [index, source]
        )

    def add(self, source: str) -> int:
        """Put a cell at the end; return its index."""
        return self.program(
            """({panel, given}) => {
              const notebook = panel.content.model.sharedModel;
              notebook.insertCell(notebook.cells.length, {cell_type: "code", source: given});
              return notebook.cells.length - 1;
            }""",
            source,
        )

    def clear(self, index: int) -> None:
        """Clear what a cell has shown."""
        self.program("({panel, given}) => panel.content.widgets[given].model.sharedModel.setOutputs([])", index)

    # What a person sees.

    def cells(self) -> list[str]:
        """The text of every cell."""
        return self.program("({panel}) => panel.content.widgets.map((cell) => cell.model.sharedModel.getSource())")

    def cell(self, index: int) -> Locator:
        """A cell."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        """What a cell has shown."""
        return self.cell(index).locator(".jp-Cell-outputArea")

    def widget(self, index: int, name: str) -> Locator:
        """The kit's widget of that name (`player`) in a cell's output."""
        return self.output(index).locator(f".okit-{name}")

    # What only a test can.

    def kernel(self, expression: str, *, timeout_s: float = TIMEOUT_MS / 1000) -> Any:
        """The value of a Python expression in the notebook's kernel, through JSON. It waits for a cell that runs."""
        reply = self._ask({"value": f"__import__('json').dumps({expression}, default=str)"}, "", timeout_s)
        answer = reply["user_expressions"]["value"]
        if answer["status"] != "ok":
            raise AssertionError(f"In the kernel, {expression} raises {answer['ename']}: {answer['evalue']}")
        return json.loads(ast.literal_eval(answer["data"]["text/plain"]))

    def comes_true(self, expression: str, *, timeout_s: float = 10.0) -> bool:
        """Whether an expression is true in the kernel as soon as what the page has sent is seen to there.

        Edits are messages to a subshell of the kernel, and the question goes to its main one: it may be the quicker.
        """
        deadline = time.monotonic() + timeout_s
        while not self.kernel(expression):
            if time.monotonic() > deadline:
                return False
            self.page.wait_for_timeout(50)
        return True

    def do(self, code: str, *, timeout_s: float = TIMEOUT_MS / 1000) -> None:
        """Execute Python in the notebook's kernel, in no cell."""
        self._ask({}, code, timeout_s)

    def _ask(self, expressions: dict[str, str], code: str, timeout_s: float) -> dict[str, Any]:
        reply = self.program(
            """async ({panel, given}) => {
              const [code, user_expressions] = given;
              const content = {code, user_expressions, silent: true, store_history: false, allow_stdin: false};
              return (await panel.sessionContext.session.kernel.requestExecute(content).done).content;
            }""",
            [code, expressions],
            timeout_s=timeout_s,
        )
        if reply["status"] != "ok":
            raise AssertionError("In the kernel:\n" + "\n".join(reply.get("traceback", [str(reply)])))
        return reply

    def close(self) -> None:
        """Close the page, or the notebook alone where the next one can be opened in it, and end its kernel."""
        is_reset = not self.page.is_closed() and self._is_reset()
        if self._theme is None or self.errors or self.page.is_closed() or not self._is_put_away():
            super().close()
        else:
            self.unwatch()
            self._program.idle[self._theme] = self.page
        sessions = json.loads(self.server.ask("GET", "/api/sessions")[1])
        for session in sessions:
            if session["path"] != self.path:
                continue
            if is_reset:
                self._program.kernels.append(session["id"])
            else:
                self.server.ask("DELETE", f"/api/sessions/{session['id']}")

    def _is_reset(self) -> bool:
        """Make the kernel as it was at its start, but for the modules that it has loaded; whether it is at rest."""
        try:
            if self.program("({panel}) => panel.sessionContext.session?.kernel?.status") != "idle":
                return False
            self.do(_RESET, timeout_s=10)
        except (Error, AssertionError):
            return False
        return True

    def _is_put_away(self) -> bool:
        """Close the notebook in the page, and forget what widgets kept there; whether nothing is left of it."""
        try:
            return self.program("""({app, panel}) => {
              panel.context.model.dirty = false; panel.dispose(); sessionStorage.clear();
              return !document.querySelector(".jp-NotebookPanel, .jp-Dialog");
            }""")
        except Error:
            return False


class Program:
    """A program with a browser before it."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: dict[str, BrowserContext] = {}
        self.opened: list[Shown] = []
        """What is open now."""

    def page(self, theme: str, view: dict[str, int] | None = None) -> Page:
        """A new page; those of one theme share a cache, so that only the first is slow."""
        if theme not in self._contexts:
            self._contexts[theme] = self._browser.new_context(viewport=VIEW, color_scheme=theme)
        page = self._contexts[theme].new_page()
        if view is not None:
            page.set_viewport_size(view)
        return page

    def put_away(self) -> None:
        """Close what is still open; contexts stay, with what they have in their caches."""
        while self.opened:
            self.opened.pop().close()

    def close(self) -> None:
        """Close what is still open, for good."""
        self.put_away()
        for context in self._contexts.values():
            context.close()


class Jupyter(Program):
    """JupyterLab or Notebook."""

    def __init__(self, browser: Browser, server: Server, address: str, *, takes_another: bool = False) -> None:
        super().__init__(browser)
        self.server, self._address, self._takes_another = server, address, takes_another
        self.idle: dict[str, Page] = {}
        """By theme, a page that is open and shows no notebook: it takes seconds until one is."""
        self.kernels: list[str] = []
        """Sessions whose notebook is closed; their kernels are as if nothing had been run in them."""

    def open(
        self, cells: Sequence[str], *, theme: str = "light", view: dict[str, int] | None = None, script: str = ""
    ) -> Notebook:
        """Write a notebook of these code cells, open it, wait for its kernel; `script` is in the page from its start."""
        path = write_notebook(self.server.folder, cells)
        while self.kernels:
            status, _ = self.server.ask("PATCH", f"/api/sessions/{self.kernels.pop()}", {"path": path, "name": path})
            if status == 200:
                break
        is_plain = self._takes_another and view is None and not script
        if is_plain and (page := self.idle.pop(theme, None)) is not None:
            page.evaluate("() => 0")  # what came while nobody looked is nobody's
            notebook = Notebook(page, self.server, path, program=self, theme=theme)
            self.opened.append(notebook)
            page.evaluate("(path) => window.jupyterapp.commands.execute('docmanager:open', {path}).then(() => 0)", path)
            return notebook.is_ready()
        servers.choose_theme(self.server, theme)
        page = self.page(theme, view)
        if script:
            page.add_init_script(script)
        notebook = Notebook(page, self.server, path, program=self, theme=theme if is_plain else None)
        self.opened.append(notebook)
        page.goto(
            self.server.base + self._address.format(path=path, name=path.partition(".")[0]),
            wait_until="domcontentloaded",
        )
        notebook.is_ready()
        if theme == "dark":
            expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
        return notebook


class VoilaPage(Shown):
    """A notebook as Voila shows it."""

    IGNORED_REQUESTS = (re.compile(r"https://cdn\.jsdelivr\.net/npm/@fortawesome/"),)  # of its template
    IGNORED_ERRORS = (
        re.compile(r"ERR_NAME_NOT_RESOLVED"),  # the same; whoever asks for anything else is seen by `outside`
        re.compile(r"getter for the shared module is not a function"),  # its own bundles, where Notebook is installed
    )


class Voila(Program):
    """Voila: a notebook as a page, without its code."""

    def __init__(self, browser: Browser, server: Server) -> None:
        super().__init__(browser)
        self.server = server

    def open(self, cells: Sequence[str], *, theme: str = "light", view: dict[str, int] | None = None) -> VoilaPage:
        """Write a notebook of these code cells and open it; its cells have been run then."""
        path = write_notebook(self.server.folder, cells)
        shown = VoilaPage(self.page(theme, view), self.server)
        self.opened.append(shown)
        shown.page.goto(f"{self.server.base}/voila/render/{path}?theme={theme}", wait_until="domcontentloaded")
        shown.page.locator("#rendered_cells, .jp-Notebook").first.wait_for(state="attached")
        return shown


class Marimo(Program):
    """Marimo: reactive notebooks as Python files. Each has a server of its own."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        super().__init__(browser)
        self.folder = folder

    def open(self, cells: Sequence[str], *, mode: str = "run", theme: str = "light") -> MarimoApp:
        """Write an app of these cells and open it: `run` shows an app, `edit` the editor, with every cell run."""
        file = f"app{next(numbers)}.py"
        (self.folder / file).write_text(marimo_app(cells), encoding="utf-8")
        shown = MarimoApp(self.page(theme), servers.marimo(self.folder, file, mode, theme))
        self.opened.append(shown)
        shown.page.goto(shown.server.base, wait_until="domcontentloaded")
        return shown


class MarimoApp(Shown):
    """A marimo app that is open."""

    def close(self) -> None:
        """Close the page and end its server."""
        super().close()
        self.server.stop()
