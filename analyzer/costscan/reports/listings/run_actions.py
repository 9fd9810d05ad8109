"""What to change, as far as it is about one run: the actions of all logs that change what that one costs."""

from rich.text import Text

from costscan.reports.text.numbers import usd_column
from costscan.reports.text.sanitize import inert
from costscan.reports.text.table import Column, table
from costscan.summary.story import Story


def run_actions(story: Story, width: int) -> list[Text]:
    """Return a line for each action that changes what a run costs, and what it saves of it."""
    rows = story.actions.to_dicts()
    if not rows:
        return []
    columns = [
        Column(
            "what to change", [f"{row['rank']}  {inert(row['title'])}" for row in rows], name=True, prose=True
        ),
        Column("saves here", usd_column(row["saved_usd"] for row in rows), style="green"),
        Column("risk", [row["risk"].replace("-", " ") for row in rows], left=True),
    ]
    return table(columns, width)
