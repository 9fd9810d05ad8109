"""`costscan rules`: what is looked for."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from costscan.cli.options import Options, with_options
from costscan.errors import CostscanError

if TYPE_CHECKING:
    from costscan.rulebook import Rule

rules = typer.Typer(
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@rules.callback()
def every(context: typer.Context) -> None:
    """List, show and test the rules that find waste.

    \b
    Examples:
      costscan rules
      costscan rules show bloated-tool-result
      costscan rules test my-rules/

    Rules are TOML files: `rules show NAME` prints the prose, the settings and the query of one.
    """  # noqa: D301 - \b keeps the lines apart
    if context.invoked_subcommand is None:
        list_rules()


@rules.command("list")
@with_options("rules", "set", "config")
def list_rules(*, options: Options) -> None:
    """Show every rule in a line."""
    from costscan.reports.listings.rules import show_list  # noqa: PLC0415 - imports Polars

    show_list(_loaded(options))


@rules.command("show")
@with_options("rules", "set", "config")
def show_rule(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name or the id of a rule.")],
    *,
    options: Options,
) -> None:
    """Show a rule: what it finds, why, its settings and its query.

    \b
    Example:
      costscan rules show bloated-tool-result
    """  # noqa: D301 - \b keeps the lines apart
    from costscan.reports.listings.rules import show_one  # noqa: PLC0415 - imports Polars

    show_one(_loaded(options), name)


@rules.command("test")
def test_rules(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of rules.")],
) -> None:
    """Run the cases of the rules in a folder.

    Each rule must fire in one of its cases and stay quiet in another.

    Exit codes: 0 all hold, 2 one does not.
    """
    from costscan.reports.listings.rules import show_tests  # noqa: PLC0415 - imports Polars
    from costscan.rulebook import load_rules  # noqa: PLC0415 - imports Polars

    inside = folder.resolve()
    folder_rules = [rule for rule in load_rules([folder]) if rule.path.resolve().parent == inside]
    if not folder_rules:
        raise CostscanError(f"{folder}: no rule in this folder", "a rule is a file NAME.toml")
    if wrong := show_tests(folder_rules):
        raise CostscanError(f"{folder}: {wrong} of {len(folder_rules)} rules fail their cases", "")


def _loaded(options: Options) -> "list[Rule]":
    from costscan.rulebook import load_rules  # noqa: PLC0415 - imports Polars

    return load_rules(options.rules or (), options.settings().rules)
