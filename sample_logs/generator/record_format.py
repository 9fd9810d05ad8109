"""A made-up settlement file format: its description as a document, and the code that reads it."""

from dataclasses import dataclass

_COMMON = ["record_type", "sequence", "merchant_id"]


@dataclass(frozen=True)
class Field:
    """A field of fixed width."""

    name: str
    kind: str
    width: int
    meaning: str


@dataclass(frozen=True)
class Record:
    """A record type: its code, its name, what it is for, and its fields."""

    code: str
    name: str
    purpose: str
    fields: tuple[Field, ...]


def parse_records(fields: str, records: str) -> list[Record]:
    """Records from their prop texts, one per line with `|` between the parts."""
    known = {}
    for line in fields.split("\n"):
        name, kind, width, meaning = line.split("|")
        known[name] = Field(name, kind, int(width), meaning)
    found = []
    for line in records.split("\n"):
        code, name, purpose, names = line.split("|")
        chosen = tuple(known[field] for field in [*_COMMON, *names.split()])
        found.append(Record(code, name, purpose, chosen))
    return found


def document(records: list[Record], intro: str) -> str:
    """The description that a bank would send: a table for each record type."""
    return "\n\n".join([intro, *(_section(record) for record in records)])


def _section(record: Record) -> str:
    rows = ["| position | length | type | field | meaning |", "|---|---|---|---|---|"]
    at = 1
    for field in record.fields:
        last = at + field.width - 1
        rows.append(f"| {at}-{last} | {field.width} | {field.kind} | `{field.name}` | {field.meaning} |")
        at = last + 1
    title = record.name.replace("_", " ").capitalize()
    return "\n".join([f"## Record {record.code}: {title}", "", record.purpose, "", *rows])


def importer(records: list[Record], head: str, tail: str) -> str:
    """A module with a dataclass and a parser for each record type."""
    return "\n\n\n".join([head, *(_class(record) for record in records), tail])


def _class(record: Record) -> str:
    types = {"N": "int", "A": "str", "D": "date", "M": "Decimal", "B": "bool"}
    name = "".join(part.capitalize() for part in record.name.split("_"))
    lines = [f'@register("{record.code}")', "@dataclass", f"class {name}:"]
    lines += [f"    {field.name}: {types[field.kind]}" for field in record.fields]
    lines += ["", "    @classmethod", f'    def parse(cls, line: str) -> "{name}":', "        return cls("]
    at = 0
    for field in record.fields:
        lines.append(f"            {field.name}=_{field.kind.lower()}(line[{at}:{at + field.width}]),")
        at += field.width
    return "\n".join([*lines, "        )"])
