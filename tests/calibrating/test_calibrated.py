"""What an analysis makes of a calibration, where it finds one, and what is wrong with a damaged one."""

import json
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

import costscan
from command import NO_LEVERS, Capture, said
from costscan.errors import CostscanError
from costscan.levers.routing.apply import SIZE_SPREAD
from costscan.levers.routing.retokenized import sizes
from costscan.reading.content.token_estimate import weigh
from costscan.settings.calibrated import read
from costscan.settings.keys import Settings
from costscan.settings.load import load
from logs import DAY, OPUS, Json, usage
from token_counts import log_of

SAID = "It is said that all of it is well known, and that nobody asks. " * 8
FACTORS = {"text": 1.5, "system": 0.5}


def interval(name: str, value: float, **more: float) -> str:
    figures = {name: value, "low": value - 0.01, "high": value + 0.01, "samples": 20, **more}
    return "".join(f"{key} = {figure}\n" for key, figure in figures.items())


def calibration(**ratios: float) -> str:
    """Return a file with `FACTORS` for the newer family and none for the older."""
    head = f'version = 1\ndate = {DAY}\nsamples = 40\n\n[models]\n"v4.7" = "{OPUS}"\n'
    factors = [f'[families."v4.7".{kind}]\n{interval("factor", value)}' for kind, value in FACTORS.items()]
    spreads = [f"[ratios.{kind}]\n{interval('ratio', 1.3, spread=spread)}" for kind, spread in ratios.items()]
    return "\n".join([head, *factors, *spreads])


def call(model: str = OPUS) -> Json:
    """Return a call that was sent the same text twice, as the system prompt and by the user: 1,000 tokens."""
    messages = [{"role": "user", "content": SAID}]
    return {
        "timestamp": f"{DAY}T10:00:00Z",
        "request": {"model": model, "max_tokens": 9, "system": SAID, "messages": messages},
        "response": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [{"type": "text", "text": "Yes."}],
            "stop_reason": "end_turn",
            "usage": usage(1000, out=5),
        },
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, the current one, that is the root of a repository."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def blocks(log: Path) -> dict[str, tuple[int, int, Decimal]]:
    """Return by kind the tokens that were sent of each block, those in the other family, and its cost."""
    frame = costscan.read(log).frame("blocks").join(
        costscan.read(log).frame("block_costs"), on=["run_id", "block"]
    )  # fmt: skip
    sent = frame.filter(pl.col("role") != "assistant")
    return {row["kind"]: (row["tokens"], row["other_tokens"], row["entry_usd"]) for row in sent.to_dicts()}


def test_shares_of_a_prompt_follow_the_factors(folder: Path) -> None:
    """Both weigh the same: 500 each. Times 1.5 and 0.5 they are three quarters and a quarter of 1,000.

    Weights are whole tokens, so it may be a little more.
    """
    log = log_of(folder, [call()])
    older, newer = weigh(SAID)
    half = round(500 * older / newer)
    assert blocks(log) == {"system": (500, half, Decimal("0.0025")), "text": (500, half, Decimal("0.0025"))}
    (folder / "calibration.toml").write_text(calibration())
    more, less = round(newer * 1.5), round(newer * 0.5)
    tokens = round(1000 * more / (more + less))
    assert tokens == pytest.approx(750, abs=3)
    per_token = Decimal("0.000005")
    assert blocks(log) == {
        "system": (1000 - tokens, round((1000 - tokens) * older / less), (1000 - tokens) * per_token),
        "text": (tokens, round(tokens * older / more), tokens * per_token),
    }


def test_what_a_model_of_another_maker_was_sent_stays(folder: Path) -> None:
    log = log_of(folder, [call("gpt-5.5")])
    before = blocks(log)
    (folder / "calibration.toml").write_text(calibration())
    assert blocks(log) == before


def test_the_report_says_so_and_nothing_else_says_anything(folder: Path, capsys: Capture) -> None:
    log = str(log_of(folder, [call()]))

    def report(*more: str) -> Json:
        made: Json = json.loads(said(capsys, "analyze", log, "--json", *NO_LEVERS, *more))
        made.pop("generated_at")
        return made

    before = report()
    assert before["assumptions"] == []
    (folder / "calibration.toml").write_text(calibration(text=0.05))
    (assumed,) = report()["assumptions"]
    assert assumed == {
        "lever": "calibration",
        "assumption": "estimates of the tokens of texts are corrected by 40 texts counted on 2026-07-01: "
        "text x 1.50 (v4.7), system x 0.50 (v4.7); between the two families of tokenizers, give or take text 5%",
        "source": "calibration.toml; docs/calibrate.md",
    }
    assert report("--set", "calibration=off") == before
    assert "calibration: estimates of the tokens" in said(capsys, "analyze", log, "--by", "lever")


def test_a_kept_reading_serves_with_and_without(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTSCAN_CACHE", "")
    monkeypatch.setenv("COSTSCAN_CACHE_DIR", str(folder / "kept"))
    log = log_of(folder, [call()])
    before = blocks(log)
    (folder / "calibration.toml").write_text(calibration())
    assert blocks(log)["text"][0] == pytest.approx(750, abs=3)
    (folder / "calibration.toml").unlink()
    assert blocks(log) == before


def test_where_it_is_found(folder: Path) -> None:
    def found(at: Path, **how: object) -> str | None:
        calibrated = load(at, **how).calibrated  # type: ignore[arg-type]
        return None if calibrated is None else calibrated.file

    inner, other = folder / "a" / "b", folder / "other"
    inner.mkdir(parents=True)
    other.mkdir()
    assert found(inner) is None
    (folder / "calibration.toml").write_text(calibration())
    assert found(inner) == str(folder / "calibration.toml")
    (folder / "a" / "calibration.toml").write_text(calibration())
    assert found(inner) == str(folder / "a" / "calibration.toml")
    assert found(inner, assignments=["calibration=off"]) is None
    (other / "mine.toml").write_text(calibration())
    assert found(inner, assignments=[f"calibration={other / 'mine.toml'}"]) == str(other / "mine.toml")
    (other / "costscan.toml").write_text('calibration = "mine.toml"\n')
    assert found(inner, file=other / "costscan.toml") == str(other / "mine.toml")
    (folder / "costscan.toml").write_text('calibration = "off"\n')
    assert found(inner) is None


def test_one_beside_the_settings_is_found(tmp_path: Path) -> None:
    here, other = tmp_path / "here", tmp_path / "other"
    for made in (here, other):
        (made / ".git").mkdir(parents=True)
    (other / "costscan.toml").write_text("")
    (other / "calibration.toml").write_text(calibration())
    calibrated = load(here, file=other / "costscan.toml").calibrated
    assert calibrated is not None
    assert calibrated.file == str(other / "calibration.toml")
    assert load(here) == Settings()


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("version = 1", "version = 2", ":1: made by a newer costscan (version 2, not 1)"),
        ("version = 1", "version = true", ":1: version is missing, or no int"),
        ("version = 1", "", ": version is missing, or no int"),
        (f"date = {DAY}", 'date = "today"', ":2: date is missing, or no date"),
        ("factor = 1.5", "factor = 0.0", ":9: factor must be a number from 0.1 to 10"),
        ("factor = 1.5", "factor = nan", ":9: factor must be a number from 0.1 to 10"),
        ("factor = 1.5", "factor = 1.9", ":9: factor is not from low to high"),
        ("factor = 1.5", 'factor = "a"', ":9: factor must be a number from 0.1 to 10"),
        ("factor = 1.5", "factor = = 1", ":9: this is not TOML: invalid value"),
        ('"v4.7".text', '"v9".text', ":8: unknown family v9"),
        ('"v4.7".text', '"v4.7".tex', ":8: unknown kind of block tex"),
        ("spread = 0.05", "spread = -1", ":25: spread must be a number from 0 to 10"),
        (f'"v4.7" = "{OPUS}"', '"v4.7" = 1', ":5: models is damaged"),
        ("[ratios.text]", "[ratios]", ":20: ratios is damaged"),
    ],
)
def test_a_damaged_one_says_where(folder: Path, old: str, new: str, what: str) -> None:
    text = calibration(text=0.05)
    assert old in text
    path = folder / "calibration.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(CostscanError) as caught:
        read(path)
    assert caught.value.what.startswith(f"{path}{what}")
    assert caught.value.hint


def test_one_that_cannot_be_read(folder: Path) -> None:
    with pytest.raises(CostscanError, match=r"cannot read the calibration: No such file"):
        load(folder, assignments=["calibration=none.toml"])
    (folder / "calibration.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CostscanError, match="not UTF-8 text"):
        load(folder)


def test_a_prompt_is_as_much_off_as_was_counted(folder: Path) -> None:
    """Half of the prompt is text (5 % off), a quarter of a kind that was not counted, a quarter hidden."""
    steps = pl.DataFrame({"req": [0], "run_id": ["r"], "turn": [1], "model": [OPUS], "prompt_tokens": [1000]})
    names = ("layer", "role", "kind", "tokens", "other_tokens")
    rows = [("messages", "user", "text", 500, 400), ("messages", "user", "tool_result", 250, 200)]
    shown = pl.DataFrame(rows, schema=names, orient="row").with_columns(
        run_id=pl.lit("r"), turn_in=pl.lit(1, pl.Int64), turn_out=pl.lit(2, pl.Int64)
    )
    (folder / "calibration.toml").write_text(calibration(text=0.05, system=0.3))
    counted = sizes(steps, shown.lazy(), read(folder / "calibration.toml"))
    assert counted["sure_share"].to_list() == pytest.approx([0.5 * (SIZE_SPREAD - 0.05)])
    assert sizes(steps, shown.lazy())["sure_share"].to_list() == [0.0]
