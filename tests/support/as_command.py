"""Commands for scripts that run in a shell, as files on its PATH."""

import shlex
import sys
from pathlib import Path

COSTSCAN = f'exec {shlex.quote(sys.executable)} -c "from costscan.cli import main; main()" "$@"'


def command(path: Path, script: str) -> Path:
    """Write a command, a script of bash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path
