"""`costscan trial`: does the model that calls would go to answer as the one that served them?"""

import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TextIO, TypeAlias

import typer

from costscan.cli import parameters as p
from costscan.cli.options import Options, with_options
from costscan.cli.session import diagnosed
from costscan.errors import CostscanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from costscan.request import Request
    from costscan.trial.calls import Chosen
    from costscan.trial.judge import Judge
    from costscan.trial.outcome import Found
    from costscan.trial.prices import Prices
    from costscan.trial.session import Session

SAMPLE, ENOUGH, MAX_USD = 100, 0.9, 5.0
OUTPUT: Final = Path("trial.parquet")


Action: TypeAlias = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="The calls that this action of analyze moves.", show_default=False),
]
Rule: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The calls that this evidence of routing would move to --model, like mechanical-tool-step.",
        show_default=False,
    ),
]
Model: TypeAlias = Annotated[
    str | None, typer.Option(metavar="NAME", help="With --rule: where they would go.", show_default=False)
]
Sample: TypeAlias = Annotated[int, typer.Option(metavar="N", min=1, help="Ask so many of them.")]
Itself: TypeAlias = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=0,
        help="Ask so many of these of the model that served them, too: how far it agrees with itself. "
        "A third if not set.",
        show_default=False,
    ),
]
MaxUsd: TypeAlias = Annotated[float, typer.Option(metavar="USD", min=0, help="Never spend more than this.")]
IsLive: TypeAlias = Annotated[
    bool, typer.Option("--live", help="Send requests one by one, at twice the price of message batches.")
]
JudgeModel: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="MODEL", help="Compare texts by this model, with --rubric.", show_default=False),
]
Rubric: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="What a good answer is, in your words.", show_default=False),
]
Enough: TypeAlias = Annotated[
    float,
    typer.Option(metavar="SHARE", min=0, max=1, help="Stop as soon as agreement is surely above or below."),
]
Seed: TypeAlias = Annotated[int, typer.Option(metavar="N", help="Choose another sample.")]
Output: TypeAlias = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="FILE", help="Where the result goes, for analyze --trial."),
]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", "-y", help="Send without asking.")]


@with_options(
    *("since", "until", "task", "project", "format", "rules", "tz", "set", "config", "no_cache", "workers")
)
def trial(
    path: p.Logs,
    *,
    action: Action = None,
    rule: Rule = None,
    model: Model = None,
    sample: Sample = SAMPLE,
    itself: Itself = None,
    max_usd: MaxUsd = MAX_USD,
    live: IsLive = False,
    judge: JudgeModel = None,
    rubric: Rubric = None,
    enough: Enough = ENOUGH,
    seed: Seed = 0,
    output: Output = OUTPUT,
    yes: Yes = False,
    options: Options,
) -> None:
    """Ask a cheaper model what an action would move to it, and compare its answers with the recorded ones.

    \b
    Examples:
      costscan trial runs.jsonl --action 6
      costscan trial runs.jsonl --action 6 --sample 50 --max-usd 1 --live
      costscan trial logs/ --rule mechanical-tool-step --model haiku --judge opus --rubric good.md
      costscan analyze runs.jsonl --trial trial.parquet

    Prompts of the log are sent to Anthropic's API, with the key and the address of the SDK
    (ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL). Before that it says how many requests, tokens and dollars, and
    asks. The log has to hold whole requests, as those of costscan capture do. What is sent and answered is
    noted in a file beside the result (.state): run the same command again, and it goes on there.

    Exit codes: 0 fine, 2 cannot run (usage, unreadable input, no key), 130 nothing was sent.
    """  # noqa: D301 - \b keeps the lines apart
    _refuse(action, rule, model, output)
    who = _judge(judge, rubric)
    chosen, prices = _chosen(options.request(path), action, rule, model, is_live=live)
    from costscan.trial.session import Session, Wanted, state_path  # noqa: PLC0415 - imports Polars
    from costscan.trial.state import State  # noqa: PLC0415

    most = Decimal(str(max_usd))
    wanted = Wanted(
        sample=sample, itself=itself, max_usd=most, is_live=live, judge=who, enough=enough, seed=seed
    )
    with State.open(state_path(output)) as state:
        session = Session.of(chosen, wanted, state, prices)
        _report(session, session.known() or _sent(session, is_agreed=yes), output)


def _refuse(action: int | None, rule: str | None, model: str | None, output: Path) -> None:
    """Refuse what does not say which calls it is about, or where the result goes.

    Raises:
        CostscanError: it does not.
    """
    if (action is None) == (rule is None) or (rule is None) != (model is None):
        raise CostscanError(
            "trial: give --action N, or --rule NAME and --model NAME", "costscan trial --help"
        )
    if output.suffix != ".parquet":
        raise CostscanError(f"-o {output}: a trial is a .parquet file", "like -o trial.parquet")


def _judge(model: str | None, rubric: Path | None) -> "Judge | None":
    if (model is None) != (rubric is None):
        raise CostscanError(
            "trial: --judge and --rubric belong together", "like --judge opus --rubric good.md"
        )
    if model is None or rubric is None:
        return None
    from costscan.trial.judge import judge_of  # noqa: PLC0415 - imports Polars

    return judge_of(model, rubric)


def _chosen(
    request: "Request", action: int | None, rule: str | None, model: str | None, *, is_live: bool
) -> "tuple[Chosen, Prices]":
    with diagnosed(request) as (diagnosis, _):
        from costscan.prices import PriceBook  # noqa: PLC0415 - imports Polars
        from costscan.trial.calls import of_action, of_evidence  # noqa: PLC0415
        from costscan.trial.prices import BATCH, STANDARD, Prices  # noqa: PLC0415

        tier = STANDARD if is_live else BATCH
        prices = Prices(PriceBook.of(diagnosis.prices), diagnosis.share_paid, tier, datetime.now(UTC))
        if action is not None:
            return of_action(diagnosis, action, request.settings), prices
        return of_evidence(diagnosis, rule or "", model or "", request.settings), prices


def _sent(session: "Session", *, is_agreed: bool) -> "Found":
    """Send what is left of a trial, if the user agrees."""
    from costscan import asking  # noqa: PLC0415 - not needed to start
    from costscan.reports.trial.terminal import plan  # noqa: PLC0415 - imports Polars

    # What may have been taken is not sent twice: the trial itself knows when to ask again.
    with asking.client("trial", retries=0) as api:
        _print(plan(session), sys.stderr)
        if not asking.confirm("trial", yes=is_agreed):
            raise typer.Abort
        return session.run(api, _say)


def _report(session: "Session", found: "Found", output: Path) -> None:
    from costscan.reports.text.console import width_of  # noqa: PLC0415
    from costscan.reports.trial.terminal import report  # noqa: PLC0415 - imports Polars
    from costscan.trial.table import frame_of, write  # noqa: PLC0415

    write(output, frame_of(session.name, found))
    _print(report(session, found, width_of(sys.stdout)))
    _say(f"wrote {output}")


def _print(lines: "Sequence[Text]", out: TextIO | None = None) -> None:
    from costscan.reports.text.console import printed  # noqa: PLC0415

    printed(lines, out)


def _say(said: str) -> None:
    print(said, file=sys.stderr, flush=True)  # noqa: T201 - prose belongs there
