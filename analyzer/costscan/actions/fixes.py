"""How a setting is made in a client: from the rule that explains it."""

from costscan.actions.clients import is_settable, limit_of
from costscan.actions.setting import Setting
from costscan.actions.words import shown, title
from costscan.rulebook.rule import Rule


def how(
    rule: Rule | None, setting: Setting, client: str, found: str | None, told: Setting | None = None
) -> str:
    """Return how a setting is made: as the rule says it for the client, or as a finding says it.

    Args:
        rule: the rule; None where it is off.
        setting: the setting.
        client: the client, by its log format.
        found: the fix of the finding that it mends.
        told: the setting as texts tell of it, where names of the log are not told.
    """
    told = told or setting
    if not is_settable(setting, client):
        return f"{client} has no setting for it. {found or ''}".rstrip()
    fix = rule.fixes.get(client) if rule else None
    if fix is None or (setting.value is None and "{value}" in fix.text):
        return found or title(told)
    ttl = "subagentPromptCacheTtl" if setting.agent else "promptCacheTtl"
    variable, limit = limit_of(setting) or (ttl, 0)
    return fix.text.format(
        task=told.task or "",
        agent=told.agent or "",
        tool=told.tool or "",
        subject=told.subject,
        value=setting.value or "",
        shown=shown(setting),
        tenth=_tenth(setting.value),
        variable=variable,
        limit=limit,
    )


def _tenth(value: str | None) -> str:
    """Return a tenth of a threshold: what a clearing has to clear at least."""
    return str(int(value) // 10) if value and value.isdecimal() else ""


__all__ = ["how"]
