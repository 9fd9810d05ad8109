"""What a project begins with: a settings file that says what holds, and a job for its CI."""

import json
import shlex
import textwrap
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from costscan import __version__
from costscan.settings.keys import GROUPS, MODELS_KEY, keys
from costscan.settings.values import Key

PLACES: Final[Mapping[str, str]] = {
    "github": ".github/workflows/costscan.yml",
    "gitlab": ".gitlab/costscan.yml",
}
"""Where the job of each CI is written."""
_HEAD: Final = """\
# Settings of costscan. A line that begins with #name is what holds without it: take the # away to
# change it; where nothing holds, it is an example. `--set KEY=VALUE` comes before this file.
"""
_EXAMPLES: Final[Mapping[str, object]] = {
    "count": 100_000,
    "name": "claude-haiku-4-5",
    "usd": 1.0,
    "file": "off",
}
"""By kind of value, what is written where there is no default and no list of choices."""
_WIDTH: Final = 100
_RULES: Final = """
[rules]
# A rule by its name (`costscan rules`), to switch it off or to set its parameters.
#bloated-tool-result.enabled = false
"""


def settings_text() -> str:
    """Return a settings file with every key in it, each commented out with its default and its meaning."""
    alone = [_line(key, key.name) for key in keys() if "." not in key.name]
    tables = [_table(name) for name in GROUPS]
    return "\n".join([_HEAD, *alone, *tables]) + _RULES


def job_text(ci: str, logs: str) -> str:
    """Return the job of a CI that checks some logs.

    Args:
        ci: one of `PLACES`.
        logs: the file or folder that the suite leaves its logs in.
    """
    text = files("costscan.starter").joinpath(f"{ci}.yml").read_text(encoding="utf-8")
    filled = text.replace("@VERSION@", __version__).replace("@LOGS@", shlex.quote(logs))
    return filled.replace("@PATH@", json.dumps(logs))


def _table(name: str) -> str:
    own = [_line(key, key.name.partition(".")[2]) for key in keys() if key.name.startswith(f"{name}.")]
    return "\n".join([f"[{name}]", *own])


def _line(key: Key, name: str) -> str:
    """Return the meaning of a key, and the line that sets it."""
    if key.name == MODELS_KEY:
        return f'{_prose(key.help)}\n#{name}."claude-opus-4-8".input = 4.0\n'
    is_set = key.default is not None
    example = key.choices[0] if key.choices else _EXAMPLES.get(key.kind)
    some = "Any of" if key.kind == "words" else "One of"
    words = f" {some} {', '.join(key.choices)}." if key.choices else ""
    note = "" if is_set else " Not set; for example:"
    return f"{_prose(f'{key.help}{words}{note}')}\n#{name} = {_toml(key.default if is_set else example)}\n"


def _prose(text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _toml(value: object) -> str:
    """Return a value as TOML: JSON writes texts, lists of them, whole numbers and flags the same way."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str | int | tuple) else str(value)
