"""The layers of the package as a picture."""

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def layers() -> str:
    """Return the layers of the package as a picture, from the contract that holds them."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = table["tool"]["importlinter"]["contracts"][0]
    rows = [layer.split(" | ") for layer in contract["layers"]]
    wide = max(len(" · ".join(map(_short, row))) for row in rows)
    lines = []
    for row in rows:
        box = " · ".join(map(_short, row))
        lines += [f"│ {box if n == 0 else '':<{wide}} │ {_about(module)}" for n, module in enumerate(row)]
        lines.append(f"├─{'─' * wide}─┤")
    lines[-1] = f"└─{'─' * wide}─┘"
    return "\n".join(["```", f"┌─{'─' * wide}─┐", *lines, "```"])


def _short(module: str) -> str:
    return module.removeprefix("costscan.")


def _about(module: str) -> str:
    """Return the first line of what a module or package says of itself."""
    place = ROOT / "analyzer" / module.replace(".", "/")
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    told = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return told.partition("\n")[0].rstrip(".")
