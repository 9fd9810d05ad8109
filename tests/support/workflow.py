"""A small runner of composite actions: its steps in plain bash, and their environment by the expressions of the file."""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from as_command import COSTSCAN, command

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
EXPRESSION = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")
GH = r"""
printf '%s\n' "$*" >>"$FAKES/gh.calls"
[[ ! -e $FAKES/gh.fails ]] || exit 1
for word in "$@"; do
  [[ $word != body=@* ]] || cp "${word#body=@}" "$FAKES/gh.body"
done
[[ " $* " != *" --jq "* ]] || cat "$FAKES/gh.earlier"
"""
"""Writes down how it was called and what was to be posted; knows of the comments in gh.earlier."""
PYTHON = """
[[ "$1 $2 $3" == "-I -m venv" ]] || exit 9
mkdir -p "$4/bin"
cp "$FAKES/pip" "$4/bin/python"
cp "$FAKES/costscan" "$4/bin/costscan"
"""
"""Makes environments in which costscan is there from the start."""
PIP = f"""
[[ "$1 $2 $3" == "-I -m pip" ]] || exec {shlex.quote(sys.executable)} "$@"
printf '%s\\n' "${{@: -1}}" >>"$FAKES/installed"
"""


@dataclass
class Job:
    """A job with one step, which uses the action; `folder` is its checkout, `costscan` the script of the command."""

    folder: Path
    event: str = "pull_request"
    number: str = "7"
    costscan: str = COSTSCAN
    code: int = 0
    log: str = ""
    steps: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def fakes(self) -> Path:
        return self.folder.parent / "fakes"

    @property
    def summary(self) -> str:
        return (self.fakes / "summary.md").read_text(encoding="utf-8")

    def fake(self, name: str) -> str:
        """Return what a fake wrote down; nothing where it was not called."""
        path = self.fakes / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def run(self, **inputs: str) -> dict[str, str]:
        """Run the action, and give its outputs; `fail_on` is the input fail-on."""
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        known = {name: declared.get("default", "") for name, declared in ACTION["inputs"].items()}
        assert not given.keys() - known.keys()
        self._prepare()
        for step in STEPS:
            if "run" in step and self.code == 0:
                self._step(step, known | given)
        return {name: self._value(out["value"], known | given) for name, out in ACTION["outputs"].items()}

    def _prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, script in {"gh": GH, "python": PYTHON, "pip": PIP, "costscan": self.costscan}.items():
            command(self.fakes / name, script)
        (self.fakes / "temp").mkdir(exist_ok=True)
        for name in ("gh.earlier", "summary.md"):
            (self.fakes / name).touch()
        self.code, self.steps = 0, {"python": {"python-path": str(self.fakes / "python")}}

    def _step(self, step: dict[str, Any], inputs: dict[str, str]) -> None:
        told = self.fakes / f"{step['id']}.outputs"
        told.write_text("", encoding="utf-8")
        own = {name: self._value(str(value), inputs) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.folder,
            env=self._environment() | {"GITHUB_OUTPUT": str(told)} | own,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.code, self.log = done.returncode, self.log + done.stdout + done.stderr
        lines = told.read_text(encoding="utf-8").splitlines()
        self.steps[step["id"]] = dict(line.split("=", 1) for line in lines)

    def _environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")} | {
            "PATH": f"{self.fakes}{os.pathsep}{os.environ['PATH']}",
            "FAKES": str(self.fakes),
            "RUNNER_TEMP": str(self.fakes / "temp"),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_EVENT_NAME": self.event,
            "GITHUB_REPOSITORY": "acme/agents",
            "GITHUB_WORKFLOW": "costs",
            "GITHUB_JOB": "suite",
            "GITHUB_STEP_SUMMARY": str(self.fakes / "summary.md"),
        }

    def _value(self, text: str, inputs: dict[str, str]) -> str:
        return EXPRESSION.sub(lambda found: self._looked_up(found[1], inputs), text)

    def _looked_up(self, name: str, inputs: dict[str, str]) -> str:
        where, _, rest = name.partition(".")
        if where == "inputs":
            return inputs[rest]
        if where == "steps":
            step, _, output = rest.partition(".outputs.")
            return self.steps.get(step, {}).get(output, "")
        return {"github.token": "secret", "github.event.pull_request.number": self.number}[name]
