"""Write synthetic Claude Code transcripts of a chosen size, the same for the same seed."""

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

from synthetic.lines import RELEASES, Ids
from synthetic.session import MILLION_LIMIT_TOKENS, Session, Setting
from synthetic.text import Texts, log_normal

BYTES_PER_CALL: Final = 14_000
MAX_CALLS: Final = 2200
PROJECTS: Final = 40
UNITS: Final = {"KB": 10**3, "MB": 10**6, "GB": 10**9}


def parse_bytes(text: str) -> int:
    """Return the number of bytes in a word such as 300MB or 1GB (decimal units)."""
    match = re.fullmatch(r"([\d.]+)\s*(KB|MB|GB)", text.strip().upper())
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 300MB or 1GB")
    return int(float(match[1]) * UNITS[match[2]])


class LogMaker:
    """Makes sessions by number: a set of 1 GB is the start of the set of 4 GB of the same seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.texts = Texts(seed)

    def session(self, number: int) -> Session:
        """Return session `number`, still empty."""
        rng = Random(f"session {self.seed} {number}")
        return Session(rng, self.texts, self.setting(rng))

    def setting(self, rng: Random) -> Setting:
        """Draw release, model, project and time."""
        release = rng.choice(RELEASES)
        day_s = datetime.fromisoformat(release.first_day).replace(tzinfo=UTC).timestamp()
        return Setting(
            release,
            rng.choice(release.models),
            f"/home/dev/{self.texts.word(Random(rng.randrange(PROJECTS)))}",
            Ids(rng).uuid(),
            day_s + rng.random() * 30 * 86_400,
        )

    def sessions(self, number: int, calls: int | None, most_calls: int) -> Iterator[Session]:
        """Yield session `number` and, now and then, the one that resumes it."""
        session = self.session(number)
        wanted = calls or 1 + log_normal(session.rng, 33, 300, MAX_CALLS)
        yield session.run(min(wanted, most_calls))
        if session.rng.random() < 0.06 and session.calls <= 150:
            yield session.resume(session.ids.uuid()).run(1 + log_normal(session.rng, 15, 80, 300))


def write_session(session: Session, out: Path) -> int:
    """Write the session's file and those of its sub-agents; return their bytes."""
    folder = out / "projects" / session.setting.cwd.replace("/", "-")
    name = session.writer.session_id
    files = {folder / f"{name}.jsonl": session.writer.lines}
    for agent, lines in session.agents.items():
        files[folder / name / "subagents" / f"agent-{agent}.jsonl"] = lines
    total = 0
    for path, lines in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        total += path.write_bytes(("\n".join(lines) + "\n").encode())
    return total


def make_logs(out: Path, total_bytes: int, seed: int = 1, calls: int | None = None) -> int:
    """Write sessions until the folder holds about `total_bytes`; return the bytes written."""
    maker = LogMaker(seed)
    written = number = 0
    while written < total_bytes:
        most_calls = 1 + (total_bytes - written) // BYTES_PER_CALL
        for session in maker.sessions(number, calls, most_calls):
            written += write_session(session, out)
        number += 1
    return written


def make_one_run(out: Path, turns: int, seed: int = 1) -> int:
    """Write one session of so many calls, in a window of a million tokens and without sub-agents."""
    maker, rng = LogMaker(seed), Random(f"one run {seed}")
    setting = replace(maker.setting(rng), limit_tokens=MILLION_LIMIT_TOKENS, agent_share=0.0)
    return write_session(Session(rng, maker.texts, setting).run(turns), out)


def check(out: Path) -> None:
    """Parse every line and print the mix of line types and how much is repeated."""
    size, lines, uuids, calls = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for path in sorted(out.rglob("*.jsonl")):
        for text in path.read_bytes().splitlines():
            line = json.loads(text)
            size[line["type"]] += len(text) + 1
            lines[line["type"]] += 1
            uuids[line.get("uuid", "none")] += 1
            if line["type"] == "assistant":
                calls[line["message"]["id"]] += 1
    for kind, total in size.most_common():
        print(f"{kind:24}{lines[kind]:>10,} lines {total / size.total():>7.1%} of bytes")
    copied = sum(1 for count in uuids.values() if count > 1) / len(uuids)
    print(
        f"{len(calls):,} calls, {calls.total() / len(calls):.2f} lines each; {copied:.1%} of lines are copies"
    )


def main() -> None:
    """Read the command line and write the logs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=parse_bytes, default="1GB", metavar="SIZE")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="gets projects/<slug>/*.jsonl")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sessions-of", type=float, metavar="MB", help="all sessions about this big")
    parser.add_argument("--one-run", type=int, metavar="TURNS", help="a single session of so many calls")
    parser.add_argument("--check", action="store_true", help="parse all lines and print the mix")
    options = parser.parse_args()
    if (options.out / "projects").exists():
        parser.error(f"{options.out} already holds logs")
    started_s = time.perf_counter()
    if options.one_run:
        written = make_one_run(options.out, options.one_run, options.seed)
    else:
        calls = int(options.sessions_of * 10**6 / BYTES_PER_CALL) if options.sessions_of else None
        written = make_logs(options.out, options.bytes, options.seed, calls)
    seconds = time.perf_counter() - started_s
    print(f"{written:,} bytes in {seconds:.1f} s ({written / seconds / 10**6:.0f} MB/s)")
    if options.check:
        check(options.out)


if __name__ == "__main__":
    main()
