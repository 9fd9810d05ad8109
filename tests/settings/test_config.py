"""Settings: where they are found, what they mean, and what is said about wrong ones."""

from dataclasses import fields
from decimal import Decimal
from pathlib import Path

import pytest

from costscan.errors import CostscanError
from costscan.meters import PRICED
from costscan.settings.keys import Settings, keys
from costscan.settings.load import load
from costscan.settings.values import PRICES

EXAMPLE = """
redact = false

[trimming]
parts = ["compact-history", "cap-tool-results"]
tool_result_max_tokens = 1_000

[routing]
enabled = false
force = "claude-haiku-4-5"

[prices]
discount = 0.1

[prices.models."claude-opus-4.8"]
input = 4
output = "19.5"
"""


def settings(folder: Path, text: str = "", *assignments: str, name: str = "costscan.toml") -> Settings:
    (folder / ".git").mkdir(exist_ok=True)
    if text:
        (folder / name).write_text(text, encoding="utf-8")
    return load(folder, assignments=assignments)


def wrong(folder: Path, text: str = "", *assignments: str, name: str = "costscan.toml") -> tuple[str, str]:
    """Return the error and the hint, the folder left out of them."""
    with pytest.raises(CostscanError) as caught:
        settings(folder, text, *assignments, name=name)
    return caught.value.what.replace(f"{folder}/", ""), caught.value.hint


def test_defaults(tmp_path: Path) -> None:
    found = settings(tmp_path)
    assert found == Settings()
    assert found.trimming.parts == ("cap-tool-results", "defer-unused-tools")
    assert (found.trimming.tool_result_max_tokens, found.batching.items_per_context) == (None, 25)
    assert found.caching.enabled
    assert found.redact
    assert found.prices.share_paid == 1


def test_every_key_can_be_set(tmp_path: Path) -> None:
    found = settings(tmp_path, EXAMPLE, "batching.items_per_context=5", "caching.enabled=false")
    assert not found.redact
    assert not found.caching.enabled
    assert not found.routing.enabled
    assert found.trimming.parts == ("compact-history", "cap-tool-results")
    assert found.trimming.tool_result_max_tokens == 1000
    assert found.routing.force == "claude-haiku-4-5"
    assert found.batching.items_per_context == 5
    assert found.prices.discount == Decimal("0.1")
    assert found.prices.share_paid == Decimal("0.9")
    assert found.prices.models == {"claude-opus-4.8": {"input": Decimal(4), "output": Decimal("19.5")}}
    assert found.file == str(tmp_path / "costscan.toml")


def test_what_is_set_on_the_command_line_wins(tmp_path: Path) -> None:
    found = settings(
        tmp_path, EXAMPLE, "trimming.parts=defer-unused-tools", "prices.discount=.25",
        'prices.models."claude-opus-4.8".input=3', "prices.models.claude-opus-5.5.cache_read=0.2",
    )  # fmt: skip
    assert found.trimming.parts == ("defer-unused-tools",)
    assert found.prices.discount == Decimal("0.25")
    assert found.prices.models["claude-opus-4.8"] == {"input": Decimal(3), "output": Decimal("19.5")}
    assert found.prices.models["claude-opus-5.5"] == {"cache_read": Decimal("0.2")}


def test_the_nearest_file_up_to_the_repository_counts(tmp_path: Path) -> None:
    (tmp_path / "costscan.toml").write_text("redact = false\n", encoding="utf-8")
    repository = tmp_path / "repository"
    inner = repository / "a" / "b"
    inner.mkdir(parents=True)
    assert not load(inner).redact
    (repository / ".git").mkdir()
    assert load(inner).redact
    project = repository / "pyproject.toml"
    project.write_text("[tool.other]\nx = 1\n", encoding="utf-8")
    assert load(inner).file is None
    project.write_text("[tool.costscan.batching]\nitems_per_context = 7\n", encoding="utf-8")
    assert load(inner).batching.items_per_context == 7
    (inner / "costscan.toml").write_text("", encoding="utf-8")
    assert load(inner).batching.items_per_context == 25


def test_a_named_file_is_the_only_one(tmp_path: Path) -> None:
    (tmp_path / "costscan.toml").write_text("redact = false\n", encoding="utf-8")
    other = tmp_path / "other.toml"
    other.write_text("[caching]\nenabled = false\n", encoding="utf-8")
    found = load(tmp_path, file=other)
    assert found.redact
    assert not found.caching.enabled


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("\n[trimming]\npartz = []", "3: unknown setting trimming.partz", "did you mean trimming.parts"),
        (
            "tool_result_max_tokens = 3",
            "1: unknown setting tool_result_",
            "did you mean trimming.tool_result",
        ),
        ("[levers]\ncaching = true", "2: unknown setting levers.caching", "known: caching.enabled, "),
        ("[cachings]", "1: unknown setting cachings", "did you mean caching.enabled"),
        ("caching = false", "1: caching is a table, not a value", "set caching.enabled"),
        ('[caching]\nenabled = "no"', "2: caching.enabled must be true or false, not 'no'", "like caching."),
        (
            "[batching]\nitems_per_context = 0",
            "2: batching.items_per_context must be a whole number",
            "like ",
        ),
        ("[batching]\nitems_per_context = true", "2: batching.items_per_context must be a whole", "like "),
        ('trimming.parts = ["cap"]', "1: trimming.parts: unknown part cap", "did you mean cap-tool-results?"),
        ("trimming.parts = 3", "1: trimming.parts must be a list of words, not 3", "like trimming.parts"),
        ("prices.discount = 10", "1: prices.discount must be a share from 0 to 1, not 10", "like prices."),
        ("[routing]\nforce = 3", "2: routing.force must be the name of a model, not 3", "like routing."),
        ("[prices.models.opus]\ninptu = 3", "2: unknown price inptu", "did you mean input?"),
        ('[prices.models.opus]\ninput = "dear"', "2: 'dear' is no price", "give USD per million tokens"),
        ("[prices.models]\nopus = 3", "2: prices.models needs a model and a price", "write [prices.models."),
        ("[prices.models.opus]\ninput = -1", "2: -1 is no price", "give USD per million tokens"),
        ("redact = [", " this is not TOML: ", "mend that line"),
        ("a = 1\nredact = no", "2: this is not TOML: ", "mend that line"),
    ],
)
def test_a_wrong_file(tmp_path: Path, text: str, what: str, hint: str) -> None:
    found = wrong(tmp_path, text)
    assert found[0].startswith(f"costscan.toml:{what}")
    assert found[1].startswith(hint)


@pytest.mark.parametrize(
    ("assignment", "what"),
    [
        ("x", "--set x: not KEY=VALUE"),
        ("=3", "--set =3: not KEY=VALUE"),
        ("x=1", "--set x=1: unknown setting x"),
        (
            "caching.enabled=maybe",
            "--set caching.enabled=maybe: caching.enabled must be true or false, not 'maybe'",
        ),
        ("routing.force=", "--set routing.force=: routing.force must be the name of a model, not ''"),
        ("prices.models.input=3", "--set prices.models.input=3: prices.models needs a model and a price"),
        (
            "prices.discount=nan",
            "--set prices.discount=nan: prices.discount must be a share from 0 to 1, not 'nan'",
        ),
    ],
)
def test_a_wrong_assignment(tmp_path: Path, assignment: str, what: str) -> None:
    assert wrong(tmp_path, "", assignment)[0] == what


def test_in_pyproject_the_line_is_that_of_our_table(tmp_path: Path) -> None:
    text = "[project]\nredact = 1\n[tool.costscan]\nredact = 1\n"
    assert wrong(tmp_path, text, name="pyproject.toml")[0].startswith("pyproject.toml:4: redact must be true")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CostscanError, match="cannot read settings: No such file"):
        load(tmp_path, file=tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CostscanError, match="not UTF-8 text"):
        load(tmp_path, file=tmp_path / "bad.toml")


def test_the_table_of_keys_is_whole() -> None:
    found = {key.name: key for key in keys()}
    groups = {f.name for f in fields(Settings)} - {"redact", "rules", "file", "calibrated"}
    assert {name.partition(".")[0] for name in found} == groups | {"redact"}
    assert all(key.help.endswith(".") and len(key.help) < 140 for key in found.values())
    assert {f"{lever}.enabled" for lever in ("caching", "trimming", "routing", "batching")} < set(found)


def test_prices_can_be_set_for_meters_that_are_billed() -> None:
    assert {*PRICES, "web_search"} == set(PRICED)
