"""Source files of the kind every back office has: one entity, its table, its checks, its routes."""

from string import Template

_TYPES = {"text": "str", "int": "int", "time": "datetime", "flag": "bool"}
_COLUMNS = {"text": "TEXT", "int": "BIGINT", "time": "TIMESTAMPTZ", "flag": "BOOLEAN"}
_CHECKS = {
    "text": 'if not str(values.get("{0}", "")).strip():\n        raise Invalid("{0}", "is empty")',
    "int": 'if int(values.get("{0}", 0)) < 0:\n        raise Invalid("{0}", "is negative")',
}


def entity_module(template: str, line: str) -> str:
    """The template filled for an entity given as `Name|plural|field:type ...|rule`."""
    name, plural, listed, rule = line.split("|")
    fields = [(field, kind) for field, _, kind in (part.partition(":") for part in listed.split())]
    names = [field for field, _ in fields]
    return Template(template).substitute(
        Name=name,
        name=name.lower(),
        plural=plural,
        rule=rule,
        attributes="\n    ".join(f"{field}: {_TYPES[kind]}" for field, kind in fields),
        columns="\n    ".join(f"{field} {_COLUMNS[kind]} NOT NULL," for field, kind in fields),
        names=", ".join(names),
        holes=", ".join(f"%({field})s" for field in names),
        sets=", ".join(f"{field} = %({field})s" for field in names),
        checks="\n    ".join(_CHECKS[kind].format(field) for field, kind in fields if kind in _CHECKS),
    )
