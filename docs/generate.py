"""Writes the generated parts of the documents, or with `--check` says which are out of date.

A generated part stands between `<!-- generated: NAME -->` and `<!-- end -->`.
"""

import csv
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import yaml
from layers import layers

from costscan.capturing.lines import FIELDS
from costscan.capturing.middleware import capture
from costscan.capturing.recorder import MAX_BYTES
from costscan.formats import available
from costscan.levers.routing.evidence import evidence_rules
from costscan.rulebook import Rule, load_rules
from costscan.schema.tables import TABLES
from costscan.settings.keys import keys
from costscan.store.described import ROW_TYPES, TYPES, shown_columns, told_turns
from costscan.summary.assumptions import ASSUMED

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = (
    "README.md",
    "docs/capture.md",
    "docs/ci.md",
    "docs/design.md",
    "docs/formats.md",
    "docs/frames.md",
    "docs/levers.md",
    "docs/rules.md",
    "docs/store.md",
    "docs/usage.md",
    "sample_formats/README.md",
)
SAMPLES = ROOT / "sample_formats"
STORIES = {
    "claude_code": "sample_logs/healthy-cached-run",
    "claude_stream": "sample_logs/headless-stream",
    "messages_api": "sample_logs/timestamp-in-system-prompt",
}
"""Samples of formats that `sample_formats` has none of."""
COMMANDS = (
    (),
    ("analyze",),
    ("usage",),
    ("check",),
    ("compare",),
    ("trend",),
    ("explain",),
    ("findings",),
    ("accept",),
    ("whatif",),
    ("trial",),
    ("rules",),
    ("rules", "list"),
    ("rules", "show"),
    ("rules", "test"),
    ("prices",),
    ("schema",),
    ("init",),
    ("capture",),
    ("calibrate",),
    ("cache",),
    ("cache", "info"),
    ("cache", "clear"),
    ("ingest",),
    ("store",),
    ("store", "info"),
    ("store", "files"),
    ("store", "compact"),
    ("store", "prune"),
    ("store", "check"),
)
WIDTH = "100"


def help_text(*command: str) -> str:
    """Return what `costscan COMMAND --help` prints, as a code block."""
    environment = {**os.environ, "COLUMNS": WIDTH, "TERM": "dumb", "NO_COLOR": "1"}
    words = [str(Path(sys.executable).parent / "costscan"), *command, "--help"]
    shown = subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout
    return "```\n" + "\n".join(line.rstrip() for line in shown.strip().splitlines()) + "\n```"


def sample_screen() -> str:
    """Return what `costscan analyze sample_logs/` prints, as a code block."""
    environment = {**os.environ, "COLUMNS": WIDTH, "TERM": "dumb", "NO_COLOR": "1"}
    words = [str(Path(sys.executable).parent / "costscan"), "analyze", "sample_logs/"]
    done = subprocess.run(words, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    return "```\n" + "\n".join(line.rstrip() for line in done.stdout.strip().splitlines()) + "\n```"


def formats() -> str:
    """Return a section for each log format: the docstring of its module, and where its sample is."""
    sections = []
    for name, source in sorted(available().items()):
        title, _, rest = source.about.partition("\n\n")
        what, _, example = source.expected.partition(" such as ")
        told = f"## `{name}`\n{title}\n\n{rest}\n\nRecognised by {what} such as `{example}`."
        sections.append(told + _sample_of(name))
    return "\n\n".join(sections)


def _sample_of(name: str) -> str:
    """Return where the sample of a format is, nothing where there is none yet."""
    place = STORIES.get(name, f"{SAMPLES.name}/{name}")
    return f" A sample: [`{place}`](../{place})." if (ROOT / place).is_dir() else ""


def samples() -> str:
    """Return a table of what the samples of formats tell."""
    classes = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "output_tokens")
    with (SAMPLES / "truth.tsv").open(encoding="utf-8", newline="") as file:
        rows = [
            f"| `{row['format']}` | {row['model']} | {row['calls']} | "
            f"{' | '.join(f'{int(row[name]):,}' for name in classes)} | {row['usd']} |"
            for row in csv.DictReader(file, dialect="excel-tab")
        ]
    head = "| format | model | calls | fresh input | cache read | cache write | output | USD |"
    return "\n".join([head, "|---|---|--:|--:|--:|--:|--:|--:|", *rows])


def frames() -> str:
    """Return a table for each frame."""
    parts = []
    for name, table in TABLES.items():
        rows = [
            f"| `{column}` | {told.type} | {'yes' if told.nullable else ''} | {told.meaning} |"
            for column, told in table.columns.items()
        ]
        head = (
            f"## {name}\n{table.meaning}\n\n| column | type | may be unknown | meaning |\n|---|---|---|---|\n"
        )
        parts.append(head + "\n".join(rows))
    return "\n\n".join(parts)


def store() -> str:
    """Return a table of what can be queried in a store, and the columns of what files tell."""
    rows = [f"| `{name}` | {kind} | {meaning} |" for name, kind, meaning in told_turns()]
    parts = ["### turns\n| column | type | meaning |\n|---|---|---|\n" + "\n".join(rows)]
    for name, row in ROW_TYPES.items():
        columns = ", ".join(f"`{column}` {TYPES[kind]}" for column, kind in shown_columns(name).items())
        parts.append(f"### {name}\n{' '.join((row.__doc__ or '').split())}\n\n{columns}")
    return "\n\n".join(parts)


def rules() -> str:
    """Return a table of all rules and a section for each: its own prose and parameters."""
    found = load_rules()
    table = "\n".join(
        f"| {rule.id} | [{rule.name}](#{rule.name}) | {rule.lever} | {rule.severity} | {rule.confidence} |"
        for rule in found
    )
    head = f"| id | rule | lever | severity | confidence |\n|---|---|---|---|---|\n{table}"
    return "\n\n".join([head, *map(_rule, found)])


def _rule(rule: Rule) -> str:
    rows = [f"| `{name}` | {param.value} | {param.help} |" for name, param in rule.params.items()]
    params = "\n".join(["| parameter | default | meaning |", "|---|---|---|", *rows])
    return (
        f"## {rule.name}\n{rule.summary}\n\n**Why.** {rule.why}\n\n**Fix.** {rule.fix}\n\n"
        f"**False positives.** {rule.false_positives}\n\n{params}"
    )


def evidence() -> str:
    """Return a table of the evidence that routing goes by."""
    rows = [f"| `{e.name}` | {e.scope} | {e.to} | {e.confidence} | {e.reason} |" for e in evidence_rules()]
    head = "| evidence | of | enough | confidence | what is known before |\n|---|---|---|---|---|\n"
    return head + "\n".join(rows)


def assumptions() -> str:
    """Return a table of what the scenarios take for granted."""
    rows = [f"| {one.lever} | {one.assumption} | {one.source} |" for one in ASSUMED]
    return "| lever | assumption | source |\n|---|---|---|\n" + "\n".join(rows)


def capture_arguments() -> str:
    """Return a table of the arguments of `capture`, from its docstring."""
    told = inspect.getdoc(capture) or ""
    _, _, listed = told.partition("Args:\n")
    entries = re.findall(r"^    (\w+): (.*(?:\n        .*)*)", listed, re.MULTILINE)
    defaults = inspect.signature(capture).parameters
    rows = []
    for name, meaning in entries:
        default = defaults[name].default
        shown = "(required)" if default is inspect.Parameter.empty else f"`{default}`"
        shown = f"{MAX_BYTES >> 20} MiB" if name == "max_bytes" else shown
        rows.append(f"| `{name}` | {shown} | {' '.join(meaning.split())} |")
    return "| argument | default | meaning |\n|---|---|---|\n" + "\n".join(rows)


def capture_fields() -> str:
    """Return a table of the fields of a logged line."""
    rows = [f"| `{name}` | {meaning} |" for name, meaning in FIELDS.items()]
    return "| field | meaning |\n|---|---|\n" + "\n".join(rows)


def settings() -> str:
    """Return a table of all settings."""
    rows = []
    for key in keys():
        default = ", ".join(key.default) if isinstance(key.default, tuple) else key.default
        shown = str(default).lower() if isinstance(default, bool) else default or ""
        rows.append(f"| `{key.name}` | {shown} | {key.help} |")
    return "| setting | default | meaning |\n|---|---|---|\n" + "\n".join(rows)


def action() -> str:
    """Return tables of the inputs and outputs of the action."""
    said = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    inputs = ["| input | default | meaning |", "|---|---|---|"]
    for name, declared in said["inputs"].items():
        default = (
            "(required)" if declared.get("required") else declared["default"] and f"`{declared['default']}`"
        )
        inputs.append(f"| `{name}` | {default} | {declared['description']} |")
    outputs = ["| output | meaning |", "|---|---|"]
    outputs += [f"| `{name}` | {declared['description']} |" for name, declared in said["outputs"].items()]
    return "\n".join([*inputs, "", *outputs])


PARTS: dict[str, Callable[[], str]] = {
    "action": action,
    "capture_arguments": capture_arguments,
    "capture_fields": capture_fields,
    "help": help_text,
    "screen": sample_screen,
    "commands": lambda: "\n\n".join(
        f"## `costscan {' '.join(c)}`".rstrip("` ") + "`\n" + help_text(*c) for c in COMMANDS
    ),
    "formats": formats,
    "frames": frames,
    "store": store,
    "layers": layers,
    "evidence": evidence,
    "settings": settings,
    "assumptions": assumptions,
    "rules": rules,
    "samples": samples,
}


def renewed(text: str) -> str:
    """Return a document with its generated parts written anew."""
    part = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
    return part.sub(lambda m: m[1] + PARTS[m[2]]() + "\n" + m[3], text)


def main() -> int:
    """Write the documents, or check them; 1 when one is out of date."""
    stale = []
    for name in DOCUMENTS:
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        new = renewed(text)
        if new != text:
            stale.append(name)
            if "--check" not in sys.argv[1:]:
                path.write_text(new, encoding="utf-8")
    if stale:
        sys.stdout.write(f"{'out of date' if '--check' in sys.argv[1:] else 'written'}: {', '.join(stale)}\n")
    return 1 if stale and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
