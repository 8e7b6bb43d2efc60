from tests.browser.bakery import BAKERY
def test_probe(lab):
    nb = lab.open([BAKERY, "player = run.player()\nplayer"]); nb.run_all(); w = nb.widget(1,"player"); w.locator("svg g[data-step]").first.wait_for()
    nb.page.on("console", lambda m: print("CONSOLE", m.text))
    nb.program("""async ({panel}) => { panel.sessionContext.statusChanged.connect((_, s) => console.log("STATUS", s)); panel.sessionContext.connectionStatusChanged.connect((_, s) => console.log("CONN", s)); }""")
    nb.restart_kernel(); nb.page.wait_for_timeout(3000)
    nb.program("""async ({app}) => { app.commands.execute("notebook:restart-kernel"); }""")
    nb.page.wait_for_timeout(1000)
    nb.page.keyboard.press("Enter")
    nb.page.wait_for_timeout(4000)
    print("DISC", nb.page.evaluate("()=>document.querySelectorAll('.jupyter-widgets-disconnected').length"))
