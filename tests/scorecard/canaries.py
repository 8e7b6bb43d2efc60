"""Canaries: secrets of every known shape, and of the environment; a workflow that lets them out wherever it can.

They are put together from parts, so that no file of the repository, and no cell of a notebook, holds one.
"""

from __future__ import annotations

import base64
import json
import random
from html import escape
from typing import Any
from urllib.parse import quote

import pandas as pd

from orchestration_kit import ApprovalStep, Failure, MapStep, Orchestrator, WaitStep, WorkerDefinition, WorkflowStep
from orchestration_kit.engine.outcome import Action
from tests.engine.gatekeeping import No, Says
from tests.support import workflow_of

_TAIL = "q7Zp2Vd9Kx4Lm8Rt5Wn3" + "Hs6Yb1Jc0Fg7Ua"
_HEX = "0123456789abcdef" * 2


def _own(text: str, name: str) -> str:
    """The same letters in an order of its own, so that a part of one canary is no part of another."""
    return "".join(random.Random(name).sample(text, len(text)))


SHAPED = {
    "openai": "sk" + "-" + _TAIL,
    "openai project": "sk" + "-proj-" + _TAIL,
    "anthropic": "sk" + "-ant-api03-" + _TAIL,
    "openrouter": "sk" + "-or-v1-" + _TAIL,
    "aws": "AK" + "IA" + "IOSFODNN7CANARYX",
    "aws session": "AS" + "IA" + "JPTGPEOO8DBOBSZY",
    "github": "gh" + "p_" + _TAIL,
    "github server": "gh" + "s_" + _TAIL,
    "github fine": "github" + "_pat_11CANARY_" + _TAIL,
    "gitlab": "gl" + "pat-" + _TAIL,
    "slack": "xo" + "xb-123456789012-" + _TAIL,
    "slack app": "xa" + "pp-1-" + _TAIL,
    "slack hook": "https://hooks.slack.com/" + "services/T00CANARY/B00CANARY/" + _TAIL,
    "google": "AI" + "za" + _TAIL,
    "google oauth": "ya" + "29." + _TAIL,
    "google client": "GOC" + "SPX-" + _TAIL,
    "hugging face": "h" + "f_" + _TAIL,
    "groq": "gs" + "k_" + _TAIL,
    "npm": "np" + "m_" + _TAIL,
    "replicate": "r" + "8_" + _TAIL,
    "xai": "xa" + "i-" + _TAIL,
    "perplexity": "pp" + "lx-" + _TAIL,
    "stripe": "sk" + "_live_" + _TAIL,
    "stripe test": "rk" + "_test_" + _TAIL,
    "stripe hook": "wh" + "sec_" + _TAIL + "+/=",
    "pypi": "py" + "pi-" + _TAIL + _TAIL,
    "sendgrid": "S" + "G." + _TAIL + "." + _TAIL,
    "digitalocean": "dop" + "_v1_" + _HEX,
    "databricks": "da" + "pi" + _HEX,
    "telegram": "12345678" + ":AA" + _TAIL,
    "jwt": "ey" + "JhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiJjYW5hcnkifQ." + _TAIL,
    "pem": "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEcanary" + _TAIL + "\n" + _TAIL + "==\n-----END RSA PRIVATE KEY-----",
}  # fmt: skip
ENVIRONMENT = {
    "CANARY_TOKEN": "a canary of plain " + "words",
    "CANARY_DB_PASSWORD": 'qu"otes\\and/slashes & <' + "signs>",
    "CANARY_API_KEY": "schlüssel-" + "ungewöhnlich-東京",
}  # fmt: skip
SHAPED = {
    name: secret.replace(_TAIL, _own(_TAIL, name)).replace(_HEX, _own(_HEX, name)) for name, secret in SHAPED.items()
}
CANARIES = {**SHAPED, **ENVIRONMENT}
STEPS = ("write", "pieces", "act", "each", "sign", "paid", "refuse", "last")


def hits(content: str | bytes, secrets: Any = None) -> list[str]:
    """The names of canaries that stand in a text or a file, in whatever form."""
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    chosen = CANARIES if secrets is None else secrets
    return [name for name, secret in chosen.items() if any(form in raw for form in _forms(secret))]


def _forms(secret: str) -> set[bytes]:
    """A secret as text, JSON, HTML, part of a URL, of a repr, of bytes in base64 at each of three places, in UTF-16 and 32."""
    lines = {secret, *(line for line in secret.splitlines() if "-----" not in line)}
    texts = {
        form
        for line in lines
        for form in (
            line,
            json.dumps(line)[1:-1],
            escape(line),
            quote(line, safe=""),
            repr(line)[1:-1],
            line.replace('"', '""'),
        )
    }
    plain = secret.encode()
    inner = {base64.b64encode(b"x" * shift + plain)[8:-8] for shift in range(3)}
    return {text.encode() for text in texts} | inner | {secret.encode("utf-32-le"), secret.encode("utf-16-le")}


class LeakyGate:
    """Refuses one kind of action, and says why with what was in it."""

    def validate_plan(self, plan, *, history=(), now=None):
        if plan["action_type"] != "shell":
            return Says(plan)
        return Says(
            plan,
            (
                No(
                    f"no {plan['action_data']['command']}",
                    f"not with {plan['action_data']}",
                    plan["action_data"]["command"],
                ),
            ),
            "retry",
        )

    def labels_of(self, plan, result):
        return [str(plan["action_data"])]

    def check_outcome(self, plan, result, *, history=()):
        return Says(plan)


class Leaky:
    """Workers that put a secret wherever a worker can."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def write(self, given, context):
        secret = self.secret
        if context.has_wisdom:
            context.wisdom.propose(f"use {secret} here", tags=["canary"])
        if context.attempt == 1:
            try:
                raise KeyError(secret)
            except KeyError as error:
                raise RuntimeError(f"{secret} is refused by {error}") from error
        context.data["note"] = [secret, {secret: b"raw " + secret.encode()}]
        context.add_usage(input_tokens=3, model=f"model of {secret}")
        return {
            "text": f"a page with {secret}",
            "seen": str(context.last_error),
            "table": pd.DataFrame({"key": [secret, "none"]}),
        }

    def pieces(self, given, context):
        yield f"piece {self.secret}"
        yield self.secret
        return f"done {self.secret}"

    def act(self, given, context):
        context.act(Action("send", {"to": self.secret, self.secret: [self.secret]}))
        if context.attempt == 1:
            context.act(Action("shell", {"command": self.secret}))
        return Action("send", {"body": self.secret})

    def send(self, data):
        return {"sent": data, "receipt": self.secret}

    def item(self, given, context):
        if self.secret in str(given) or context.branch == "0":
            return (given, self.secret)
        return Failure(f"failed on {self.secret}", output=self.secret)

    def last(self, given, context):
        return Failure(f"in the end, {self.secret}", output=[self.secret])


def leaky_hub(secret: str, **options: Any) -> Orchestrator:
    """A hub whose workers let a secret out wherever they can."""
    leaky = Leaky(secret)
    hub = Orchestrator(constraints=LeakyGate(), actions={"send": leaky.send}, **options)
    for name in ("write", "pieces", "act", "item", "last"):
        hub.register_worker(WorkerDefinition(worker_type=name, name=name, executor=getattr(leaky, name)))
    hub.register_workflow(
        workflow_of(
            WorkflowStep(
                step_id="write",
                worker_type="write",
                max_retries=1,
                success_when="output.text != data.secret && goal != ''",
                on_success="pieces",
                on_failure="last",
            ),
            WorkflowStep(step_id="pieces", worker_type="pieces", on_success="act"),
            WorkflowStep(step_id="act", worker_type="act", max_retries=1, on_success="each", on_failure="each"),
            MapStep(step_id="each", over="data.items", body="item", on_success="sign", on_failure="sign"),
            WorkflowStep(step_id="item", worker_type="item"),
            ApprovalStep(step_id="sign", prompt="May it go out?", show=("data.note", "data.secret"), on_success="paid"),
            WaitStep(step_id="paid", event="payment", on_success="refuse"),
            ApprovalStep(step_id="refuse", prompt="Really?", on_success="last", on_failure="last"),
            WorkflowStep(step_id="last", worker_type="last", is_terminal=True),
            name="leaky",
        )
    )
    return hub


def play(secret: str, *, run_id: str, verbose: bool = False, **options: Any) -> Any:
    """Run the leaky workflow to its end, with a person who lets the secret out, too; return its handle."""
    hub = leaky_hub(secret, **options)
    goal, data = f"Publish {secret}", {"secret": secret, "items": [f"item {secret}", "plain"], secret: {secret}}
    run = hub.start("leaky", goal, data, run_id=run_id, tags={"key": secret[:200]}, verbose=verbose)
    run.run()
    run.approve({"approved with": secret})
    run.run()
    run.send("payment", {"receipt": secret})
    run.run()
    run.reject(f"not with {secret}")
    run.run()
    return run


def play_all(*, verbose: bool = False, **options: Any) -> list[Any]:
    """Play each canary; the names of the runs are those of the canaries."""
    return [
        play(secret, run_id=name.replace(" ", "-"), verbose=verbose, **options) for name, secret in CANARIES.items()
    ]
