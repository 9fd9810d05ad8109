"""A nightly job sends the same long guide forty times, each time for a single item, and never caches it."""

import json

from generator import blocks, messages_api
from generator.billing import PromptCache
from generator.blocks import Json, dump
from generator.clock import parse
from generator.dice import Dice
from generator.props import Props
from generator.run import Run, Setup
from generator.story import Story

_ITEMS = 40


def tell() -> Story:
    """Forty single-shot runs in a row."""
    dice = Dice("one-item-per-run")
    prop = Props.load("one-item-per-run")
    guide = (blocks.text(_guide(prop)),)
    setup = Setup(
        "claude-sonnet-5-5",
        (),
        lambda _: guide,
        max_tokens=800,
        settings={"output_config": {"effort": "low"}},
    )
    cache = PromptCache()
    at = parse("2026-10-29T01:00:04Z")
    runs = []
    for number in range(_ITEMS):
        run = Run(f"catalogue-20261029-{number:03}", setup, cache, dice, at)
        entry, answer = _item(dice, prop, number)
        run.user(f"Item:\n{dump(entry)}")
        run.step(dump(answer))
        runs.append(run)
        at = run.now + dice.between(300, 2600)
    log = "".join(messages_api.pairs(run, "catalogue-text") for run in runs)
    return Story({"nightly-catalogue.jsonl": log}, runs)


def _guide(prop: Props) -> str:
    groups = []
    for line in prop["groups"].split("\n"):
        name, *attributes = line.split("|")
        groups.append("\n".join([f"{name}:", *(f"  - {attribute}" for attribute in attributes)]))
    return "\n\n".join([prop["guide"], *groups, prop["closing"], prop["examples"]])


def _item(dice: Dice, prop: Props, number: int) -> tuple[Json, Json]:
    items = [json.loads(line) for line in prop["items"].split("\n")]
    item = items[number % len(items)]
    colour = dice.pick(item["colours"])
    entry = {
        "article": f"KG-{dice.between(10_000, 99_999)}",
        "group": item["group"],
        "name": item["name"],
        "facts": item["facts"],
        "colour": colour,
        "buyer_remark": item["remark"],
        "entered_by": dice.pick(["mo", "ulla", "per"]),
        "shelf": f"{dice.pick('ABCDEF')}{dice.between(1, 40)}",
    }
    opening, middle = (dice.pick(prop[part].split("\n")) for part in ("openings", "middles"))
    facts = f"What you get: {item['facts']}. The colour is {colour}."
    answer = {
        "title": f"{item['name']}, {colour}",
        "text": f"{opening} {item['use']} {middle}\n\n{facts} {item['care']} {item['limit']}",
        "attributes": item["attributes"],
        "doubts": [],
    }
    return entry, answer
