"""Labels, form fields and mechanical edits, all on the most expensive models."""

from decimal import Decimal

from generator import blocks, messages_api
from generator.billing import PromptCache
from generator.blocks import Json, dump
from generator.clock import parse
from generator.dice import Dice
from generator.props import Props
from generator.run import Call, Run, Setup
from generator.story import Story

_SUPPLIERS = ["Nordvik Sailcloth AS", "Brenna Gas Fittings", "Tarn & Beck Cordage", "Holm Paddle Works"]
_GOODS = [
    "ripstop 40 den, roll",
    "regulator R2",
    "static line 8 mm, 100 m",
    "paddle blank, ash",
    "seam tape, 50 m",
]


def tell() -> Story:
    """Single-shot labels and fields over a day, and three renaming agents."""
    dice = Dice("dearest-model-for-everything")
    prop = Props.load("dearest-model-for-everything")
    cache = PromptCache()
    labels = _labels(prop, cache, dice)
    fields = _fields(prop, cache, dice)
    renames = _renames(prop, cache, dice)
    files = {
        "ticket-label.jsonl": "".join(messages_api.pairs(run, "ticket-label") for run in labels),
        "invoice-fields.jsonl": "".join(
            messages_api.pairs(run, "invoice-fields", streamed=True) for run in fields
        ),
        "rename-config-key.jsonl": "".join(messages_api.pairs(run, "rename-config-key") for run in renames),
    }
    return Story(files, [*labels, *fields, *renames])


def _single(model: str, system: str, max_tokens: int) -> Setup:
    return Setup(model, (), lambda _: (blocks.text(system),), max_tokens=max_tokens)


def _labels(prop: Props, cache: PromptCache, dice: Dice) -> list[Run]:
    setup = _single("claude-opus-4-8", prop["label-system"], 64)
    at = parse("2026-11-11T07:52:00Z")
    runs = []
    for ticket in prop["tickets"].split("\n"):
        label, urgent, message = ticket.split("|")
        run = Run(f"ticket-{dice.between(51_000, 59_999)}", setup, cache, dice, at)
        run.user(message)
        run.step(dump({"label": label, "urgent": urgent == "true"}))
        runs.append(run)
        at += dice.between(380, 2900) * 1000
    return runs


def _fields(prop: Props, cache: PromptCache, dice: Dice) -> list[Run]:
    setup = _single("claude-fable-5-2", prop["fields-system"], 1024)
    at = parse("2026-11-12T08:05:00Z")
    runs = []
    for _ in range(6):
        run = Run(f"invoice-{dice.between(20_100, 20_999)}", setup, cache, dice, at)
        page, answer = _invoice(dice)
        run.user(page)
        run.step(dump(answer), thinking=dice.between(24, 61))
        runs.append(run)
        at += dice.between(400, 3100) * 1000
    return runs


def _invoice(dice: Dice) -> tuple[str, Json]:
    supplier = dice.pick(_SUPPLIERS)
    number = f"{dice.between(2600, 2699)}-{dice.between(100, 999)}"
    day = f"2026-11-{dice.between(1, 9):02}"
    lines = [
        (text, dice.between(1, 12), Decimal(dice.between(1900, 24_000)) / 100)
        for text in _GOODS[: dice.between(2, 5)]
    ]
    net = sum((quantity * price for _, quantity, price in lines), Decimal(0))
    vat = (net / 4).quantize(Decimal("0.01"))
    iban = f"NO{dice.between(10, 99)} 8601 {dice.between(1000, 9999)} {dice.between(100, 999)}"
    table = "\n".join(
        f"{n}  {text:<28}{quantity:>4} x {price:>8}" for n, (text, quantity, price) in enumerate(lines, 1)
    )
    page = (
        f"{supplier}\nINVOICE {number}\nDate of issue: {day}     Payable by: 2026-12-01\n"
        f"To: Marsh & Dune, purchasing\n\n{table}\n\n"
        f"Net NOK {net}\nVAT 25 % NOK {vat}\nTotal NOK {net + vat}\n"
        f"IBAN {iban}\nGoods remain ours until paid in full. Please quote the invoice number."
    )
    answer = {
        "supplier": supplier,
        "invoice_no": number,
        "date": day,
        "currency": "NOK",
        "net": float(net),
        "vat": float(vat),
        "gross": float(net + vat),
        "iban": iban,
        "due": "2026-12-01",
        "lines": [
            {"text": text, "quantity": quantity, "unit_price": float(price)}
            for text, quantity, price in lines
        ],
    }
    return page, answer


def _renames(prop: Props, cache: PromptCache, dice: Dice) -> list[Run]:
    tools = blocks.tool_definitions(prop["tools"])
    system = (blocks.text(prop["rename-system"]),)
    setup = Setup("claude-opus-4-8", tools, lambda _: system, "5m", (len(tools),), max_tokens=1024)
    at = parse("2026-11-13T13:20:00Z")
    runs = []
    for line in prop["renames"].split("\n"):
        old, new, paths = line.split("|")
        run = Run(f"rename-{dice.hex(8)}", setup, cache, dice, at)
        _rename(run, prop, old, new, paths.split())
        runs.append(run)
        at = run.now + dice.between(60, 170) * 1000
    return runs


def _rename(run: Run, prop: Props, old: str, new: str, paths: list[str]) -> None:
    run.user(f"Rename `{old}` to `{new}`.")
    run.step("", Call("list_files", {"key": old}, "\n".join(paths)))
    for path in paths:
        run.step("", Call("read_file", {"path": path}, prop[path]))
        run.step("", Call("replace_in_file", {"path": path, "old": old, "new": new}, "1 replacement"))
    run.step("", Call("run_checks", {}, f"overlays: 2\nkeys: {run.dice.between(140, 210)}\nproblems: none"))
    run.step(
        f"Renamed `{old}` to `{new}` in {len(paths)} files ({len(paths)} replacements); all checks pass."
    )
