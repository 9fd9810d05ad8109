"""A support agent whose system prompt opens with the time, so no turn can read what the last one wrote."""

from generator import blocks, messages_api
from generator.billing import PromptCache
from generator.blocks import Block, Json, dump
from generator.clock import iso, parse
from generator.dice import Dice
from generator.props import Props
from generator.run import Call, Run, Setup
from generator.story import Story


def tell() -> Story:
    """Four cases of one morning."""
    dice = Dice("timestamp-in-system-prompt")
    prop = Props.load("timestamp-in-system-prompt")
    cache = PromptCache()
    setup = _setup(prop, _directory(dice, prop["towns"].split()))
    runs = []
    start = parse("2026-10-21T08:14:31Z")
    for line in prop["cases"].split("\n"):
        kind, *facts = line.split("|")
        run = Run(f"parcel-desk-{kind}-{dice.hex(6)}", setup, cache, dice, start)
        _work_the_case(run, kind, facts, prop)
        runs.append(run)
        start = run.now + dice.between(40, 150) * 1000
    log = "".join(messages_api.pairs(run, "parcel-desk-reply") for run in runs)
    return Story({"parcel-desk.jsonl": log}, runs)


def _directory(dice: Dice, towns: list[str]) -> str:
    rows = ["# Depots", "", "town | code | opens | closes | last round | serves | shop"]
    for town in towns:
        code = f"{town[:3].upper()}{dice.between(10, 99)}"
        hours = f"{dice.between(5, 7):02}:30 | {dice.between(18, 21)}:00 | {dice.between(14, 17)}:15"
        serves = " ".join(str(dice.between(1000, 9899)) for _ in range(3))
        rows.append(f"{town} | {code} | {hours} | {serves} | {dice.pick(['yes', 'no'])}")
    return "\n".join(rows)


def _setup(prop: Props, directory: str) -> Setup:
    tools = blocks.tool_definitions(prop["tools"])
    second = blocks.text(directory)

    def system(at: int) -> tuple[Block, ...]:
        now = iso(at, precise=False)
        return blocks.text(f"Current time: {now} (UTC). Release 4.18.2.\n\n{prop['system']}"), second

    return Setup(
        model="claude-sonnet-5-5",
        tools=tools,
        system=system,
        ttl="5m",
        marked=(len(tools) + 1,),
        max_tokens=1500,
        settings={"output_config": {"effort": "low"}},
    )


def _work_the_case(run: Run, kind: str, facts: list[str], prop: Props) -> None:
    parcel, question, town, customer = facts[:4]
    case = f"C-{run.dice.between(881_000, 889_999)}"
    run.user(f"Case {case}, from {customer}:\n\n{question}")
    run.step("", _call("find_parcel", {"parcel": parcel}, _parcel(facts)))
    events = _events(run.dice, prop[f"events-{kind}"])
    run.step("Now what happened on the way.", _call("carrier_events", {"parcel": parcel}, events))
    run.step("", _call("customer_record", {"case": case}, _customer(run.dice, customer, town)))
    depot = _call("depot_status", {"place": town, "days": 3}, _depot(run.dice, town))
    run.step("I'd like to know whether the depot has a backlog before I name a day.", depot)
    for call in _remedies(kind, parcel):
        run.step("", call)
    note = f"Asked: {kind} parcel. Found: see events of 14-20 Oct. Customer knows what follows."
    noted = {"note": run.dice.between(31_000, 39_999)}
    run.step("", _call("add_note", {"parcel": parcel, "note": note}, noted))
    state = "closed" if kind in ("late", "held") else "waiting"
    reply = {"case": case, "text": prop[f"reply-{kind}"], "state": state}
    run.step("", _call("send_reply", reply, {"sent": True, "state": state}))
    run.step(f"Case {case} is answered and set to {state}.")


def _call(tool: str, arguments: Json, result: object) -> Call:
    return Call(tool, arguments, dump(result), seconds=0.6)


def _remedies(kind: str, parcel: str) -> list[Call]:
    if kind != "missing":
        return []
    quote = {
        "parcel": parcel,
        "tariff": "STD-2026",
        "allowed": "carriage",
        "amount_eur": 11.9,
        "valid_days": 14,
    }
    trace = {"trace": "T-55120", "priority": 1, "desk": "search", "first_report": "2026-10-22"}
    return [
        _call("quote_refund", {"parcel": parcel, "reason": "no event for 48 hours"}, quote),
        _call("open_trace", {"parcel": parcel, "priority": 1}, trace),
    ]


def _parcel(facts: list[str]) -> Json:
    parcel, _, town, _, service, value, collected, due = facts
    return {
        "parcel": parcel,
        "service": service,
        "sender": {"name": "Lyng & Sons Workshop", "customer_no": 20418, "town": "Osterhus"},
        "recipient": {"town": town, "access": "door"},
        "weight_g": 1840,
        "size_cm": [34, 22, 18],
        "declared_value_eur": int(value),
        "collected": collected,
        "due": due,
        "carriage_eur": 11.9,
    }


def _events(dice: Dice, lines: str) -> list[Json]:
    found = []
    for line in lines.split("\n"):
        at, code, place = line.split("|")
        lorry = f"T{dice.between(10, 99)}" if code == "TRK" else None
        scanner, uploaded_s = f"SC{dice.between(100, 999)}", dice.between(20, 9000)
        event = {"at": at, "code": code, "place": place, "scanner": scanner, "lorry": lorry}
        found.append({**event, "uploaded_s": uploaded_s})
    return found


def _customer(dice: Dice, name: str, town: str) -> Json:
    return {
        "name": name,
        "tier": "plain",
        "language": "en",
        "since": f"20{dice.between(12, 25)}-0{dice.between(1, 9)}",
        "town": town,
        "cases": [
            {"case": f"C-{dice.between(700_000, 869_999)}", "state": "closed", "about": "late", "year": 2025}
        ],
        "vouchers": [],
        "phone_ok": True,
    }


def _depot(dice: Dice, town: str) -> Json:
    days = [
        {
            "day": f"2026-10-{day}",
            "in": dice.between(2100, 2900),
            "out": dice.between(2000, 2850),
            "left": dice.between(0, 90),
        }
        for day in (19, 20, 21)
    ]
    return {"place": f"{town} depot", "open": True, "upload_delay_min": dice.between(5, 55), "days": days}
