"""`orchestration-kit`: finds the command that is meant, and turns what goes wrong into a sentence and an exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from orchestration_kit.cli.options import add_dashboard, add_doctor, add_replay, add_runs
from orchestration_kit.cli.terminal import say
from orchestration_kit.errors import OrchestrationError, UnknownRun, did_you_mean, listed
from orchestration_kit.journal.errors import UnknownType

INTERRUPTED = 130

_MODEL = (
    "let a language model plan the site and write its words: PROVIDER:NAME (its key is in the provider's variable, "
    "such as OPENAI_API_KEY), http://HOST/v1#NAME (a server that speaks OpenAI's protocol; a key, if it needs one, is "
    "in ORCHESTRATION_KIT_API_KEY), or NAME alone, to be asked at OPENAI_BASE_URL"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0 done, 1 it did not work out, 2 wrong use, 3 the run that was driven waits for somebody, 130 interrupted.

    >>> import tempfile
    >>> from contextlib import chdir
    >>> from pathlib import Path
    >>> from orchestration_kit import create_gated_chain
    >>> site = create_gated_chain({"draft": "coder", "check": "reviewer"}, name="site")
    >>> with tempfile.TemporaryDirectory() as folder, chdir(folder):
    ...     _ = Path("site.yaml").write_text(site.to_yaml())
    ...     main(["validate", "site.yaml"])
    site.yaml: sound, 4 steps, 0 errors, 0 warnings
    0
    """
    arguments = _parser().parse_args(_listing(sys.argv[1:] if argv is None else argv))
    command = _command(arguments.command)
    try:
        code = int(command(arguments))
        sys.stdout.flush()
    except KeyboardInterrupt:
        say("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read along (`| head`) has seen enough; Python would complain once more as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except UnknownRun as error:
        near = did_you_mean(error.run_id, error.known)
        known = listed(repr(run_id) for run_id in error.known)
        say(f"orchestration-kit: No run {error.run_id!r} is on record.{near} There are: {known}.")
        return 1
    except UnknownType as error:
        module = error.name.partition(".")[0]
        say(f"orchestration-kit: {error}\nHere, name its module: --import {module}")
        return 1
    except OrchestrationError as error:
        say("\n".join([f"orchestration-kit: {error}", *error.__notes__]))
        return 1
    except OSError as error:
        say(f"orchestration-kit: {error}")
        return 1
    return code


def _listing(argv: Sequence[str]) -> Sequence[str]:
    """Read `runs` by itself, or with options, as `runs list`."""
    is_bare = argv[:1] == ["runs"] and (len(argv) == 1 or (argv[1].startswith("-") and argv[1] not in ("-h", "--help")))
    return ["runs", "list", *argv[1:]] if is_bare else argv


def _command(place: str) -> Callable[[argparse.Namespace], int]:
    """Return the function of a command, such as `listing:list_runs`, loading no other command."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(f"orchestration_kit.cli.{module}"), name)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orchestration-kit", description="Compose AI workers into workflows you can trust."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="build a real website through a workflow")
    demo.add_argument("--goal", metavar="TEXT", help="what the website is for")
    demo.add_argument("--out", metavar="DIR", default="demo_site", help="where everything goes (default: demo_site)")
    demo.add_argument("--seed", metavar="N", type=int, help="the same seed gives the same site, byte for byte")
    demo.add_argument("--model", metavar="NAME", help=_MODEL)
    demo.add_argument("--no-notebook", action="store_true", help="do not leave run.ipynb behind")
    demo.set_defaults(command="workflows:demo")

    validate = commands.add_parser("validate", help="check a workflow file")
    validate.add_argument("file", type=Path, metavar="FILE", help="a workflow in YAML or JSON")
    validate.set_defaults(command="workflows:validate")

    render = commands.add_parser("render", help="draw a workflow file")
    render.add_argument("file", type=Path, metavar="FILE", help="a workflow in YAML or JSON")
    render.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT", help="out.svg, .png, .pdf, .dot or .mmd"
    )
    render.add_argument("--theme", default="light", metavar="THEME", help="light, dark or print")
    render.add_argument("--direction", default="TB", choices=["TB", "LR"], help="top to bottom, or left to right")
    render.set_defaults(command="workflows:render")

    add_runs(commands)
    add_replay(commands)
    add_dashboard(commands)
    add_doctor(commands)

    explain = commands.add_parser("explain", help="say what an error means, and what helps")
    explain.add_argument(
        "name",
        nargs="?",
        metavar="ERROR",
        help="its class, such as UnknownStep, or what a check calls it, such as dead-end; all are listed without",
    )
    explain.set_defaults(command="explain:explain")
    return parser
