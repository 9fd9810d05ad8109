"""What each turn could read of what was sent before: its own prompt, the one it extends, and what runs share.

Where a transcript shows no prompt, this is inferred from how the client caches: it marks the system prompt
with the tools, and the end of the prompt. So a turn finds the end of the last prompt that the same model was
sent in this context, and what it shares with other runs: as much as the first turn on its model read, where
it is as long as that. What was sent plain behind the last mark is `input_tokens`.

A prompt that is a little shorter than the one before (thinking or a reminder left it) goes on from the one
before that; a much shorter one begins a context. Where the log itself says that a prompt was changed or that
a setting was, nothing of the messages is found.

A cache without breakpoints holds every prompt that is long enough, to its end.
"""

from typing import Any, Final

import polars as pl

from costscan.cache.policies import is_automatic
from costscan.cache_policy import automatic_of
from costscan.schema.frames import PROMPT

_INTS: Final = (
    "end_tokens",
    "before_key",
    "before_tokens",
    "extends_key",
    "extends_tokens",
    "shared_key",
    "shared_tokens",
    "stable_key",
    "stable_extends_key",
    "stable_extends_tokens",
    "stable_shared_key",
    "stable_shared_tokens",
    "moved_tokens",
)
_COLUMNS: Final[dict[str, Any]] = {
    "run_id": pl.String,
    "turn": pl.Int64,
    "key": pl.Int64,
    "uses": pl.Boolean,
    "is_first": pl.Boolean,
    "is_shown": pl.Boolean,
    "is_cut": pl.Boolean,
    "is_automatic": pl.Boolean,
    "model_switched": pl.Boolean,
    "setting_changed": pl.Boolean,
    "miss_reason": pl.String,
    "previous_tokens": pl.Int64,
    "earlier_keys": pl.List(pl.Int64),
    "earlier_tokens": pl.List(pl.Int64),
    **dict.fromkeys(_INTS, pl.Int64),
}
CHAINS: Final = pl.Schema(_COLUMNS)
"""One row per kept call.

key (of the whole prompt); uses (it wrote to or read from the cache); is_first (nothing was sent before it in
its copy); is_shown (the prompt is in the log); is_cut (the context is another than in the call before it);
is_automatic (its cache has no breakpoints);
model_switched and setting_changed (since that call); miss_reason (why the API says that it read nothing);
previous_tokens (end_tokens of that call); earlier_keys and earlier_tokens (those of the calls before the one
that it extends); end_tokens (how far it was not sent plain); before_key and
before_tokens, the last prompt that used the cache which it extends; extends_key and extends_tokens, the last
one whether cached or not (null where it begins a context or a model); shared_key and shared_tokens, what it
may share with other runs. The `stable_` columns are what would be without values that vary, and moved_tokens
are those values.
"""
_MODEL: Final = ["copy", "model", "speed"]
_SAME: Final = [*_MODEL, "talk"]
_LITTLE: Final = 0.9
"""A prompt of at least this share of the one before goes on from it, though something was left out."""
N_EARLIER: Final = 3
"""So many older prompts are looked at where the newest could not be read yet."""
BROKEN: Final = ("model_changed", "tools_changed", "system_changed", "messages_changed")
"""What the API says where the prompt is not what it was.

Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""


def chains(calls: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """Return the `CHAINS` of the kept calls.

    Args:
        calls: from `growth.with_epochs`, kept or not, sorted by copy and seq, with message_id, model,
            speed and is_clipped.
        shown: from `shown`, of the calls whose prompts are in the log.
    """
    cached = pl.col("cache_read_tokens") + pl.col("cache_write_5m_tokens") + pl.col("cache_write_1h_tokens")
    # The same call in two copies has the same end: its id names it.
    own = pl.struct("copy", "seq").hash()
    name = pl.when(pl.col("message_id").is_not_null()).then(pl.col("message_id").hash()).otherwise(own)
    talks = _with_talks(calls).with_columns(is_automatic=is_automatic(calls["model"]))
    whole = talks.with_columns(
        key=(name // 2).cast(pl.Int64),
        end_tokens=pl.when("is_automatic").then(PROMPT).otherwise(PROMPT - pl.col("input_tokens")),
        uses=pl.when("is_automatic").then(_least(calls["model"]) <= PROMPT).otherwise(cached > 0),
        is_first=pl.col("seq") == 0,
        is_changed=pl.col("miss_reason").is_in(BROKEN).fill_null(False) | _setting_changed(),
        shared_tokens=_shared(),
    )
    inferred = (
        whole.with_columns(
            before_key=_last(pl.when("uses").then("key").forward_fill()),
            before_tokens=_last(pl.when("uses").then("end_tokens").forward_fill()),
            extends_key=_last(pl.col("key")),
            extends_tokens=pl.min_horizontal(_last(pl.col("prompt_tokens")), "prompt_tokens"),
            shared_tokens=pl.when(pl.col("shared_tokens") <= pl.col("end_tokens"))
            .then("shared_tokens")
            .otherwise(0),
            previous_tokens=pl.col("end_tokens").shift(1).over("copy").fill_null(0),
            earlier_keys=_earlier("key"),
            earlier_tokens=_earlier("end_tokens"),
            is_cut=((pl.col("talk") != pl.col("talk").shift(1).over(_MODEL)) & (pl.col("seq") > 0)).fill_null(
                False
            ),
            model_switched=_changed("model"),
            setting_changed=_setting_changed(),
        )
        .with_columns(shared_key=-pl.col("shared_tokens"))
        .filter("kept")
    )
    return _with_shown(inferred, shown)


def _least(models: pl.Series) -> pl.Expr:
    """Return the shortest prompt that a cache without breakpoints holds."""
    ruled = ((model, automatic_of(model)) for model in models.unique())
    least = {model: policy.min_tokens for model, policy in ruled if policy is not None}
    return pl.col("model").replace_strict(least, default=0, return_dtype=pl.Int64)


def _with_talks(calls: pl.DataFrame) -> pl.DataFrame:
    """Add `talk`, which numbers the contexts of each model in a copy, and `is_little`: a little was left out.

    A context ends where the log says so, or where the prompt is much shorter than the last one of its model.
    """
    cut = (pl.col("context") != pl.col("context").shift(1).over("copy")).fill_null(False)
    with_contexts = calls.with_columns(
        logged_context=(cut & ~pl.col("shrank")).cast(pl.Int64).cum_sum().over("copy")
    )
    before = pl.col("prompt_tokens").shift(1).over(*_MODEL, "logged_context")
    little = pl.col("prompt_tokens").is_between(_LITTLE * before, before - 1).fill_null(False)
    much = (pl.col("prompt_tokens") < _LITTLE * before).fill_null(False)
    return with_contexts.with_columns(
        is_little=little, much=much.cast(pl.Int64).cum_sum().over(_MODEL)
    ).with_columns(talk=pl.struct("logged_context", "much").hash())


def _earlier(name: str) -> pl.Expr:
    return pl.concat_list(pl.col(name).shift(n).over(_SAME) for n in range(2, 2 + N_EARLIER))


def _last(value: pl.Expr) -> pl.Expr:
    """Return that of the prompt that one extends: the last, or where a little was left out the one before."""
    last = pl.when("is_little").then(value.shift(2).over(_SAME)).otherwise(value.shift(1).over(_SAME))
    return pl.when(~pl.col("is_changed")).then(last)


def _shared() -> pl.Expr:
    """Return what the first call on a model read, which it shares with other runs.

    That of a copy that begins in the middle of a conversation is of that; the shortest first read of a later
    context is not.
    """
    first = pl.col("cache_read_tokens").first()
    later = pl.when(pl.col("talk") != pl.col("talk").first().over(_MODEL)).then(first.over(_SAME))
    return pl.when("is_clipped").then(later.min().over(_MODEL).fill_null(0)).otherwise(first.over(_MODEL))


def _setting_changed() -> pl.Expr:
    return _changed("settings") | _changed("effort") | _changed("speed")


def _changed(name: str) -> pl.Expr:
    """Whether something known is not what it was in the call before."""
    return (pl.col(name) != pl.col(name).shift(1).over("copy")).fill_null(False)


_SHOWN: Final = tuple(n for n in _INTS if n not in {"end_tokens", "before_key", "before_tokens"})


def _with_shown(inferred: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """Take what the prompts themselves say where they are in the log."""
    stable = {
        f"stable_{n}": pl.col(n)
        for n in ("key", "extends_key", "extends_tokens", "shared_key", "shared_tokens")
    }
    full = inferred.with_columns(**stable, moved_tokens=pl.lit(0, pl.Int64))
    joined = full.join(shown, on="row", how="left", maintain_order="left", suffix="_shown")
    is_shown = pl.col("key_shown").is_not_null()
    columns = {n: pl.when(is_shown).then(f"{n}_shown").otherwise(n) for n in ("key", *_SHOWN)}
    ends = joined.with_columns(**columns, is_shown=is_shown)
    # Where every prompt is cached, the last one that was is the last one.
    before = {
        f"before_{n}": pl.when("is_automatic").then(f"extends_{n}").otherwise(f"before_{n}")
        for n in ("key", "tokens")
    }
    return ends.with_columns(**before).select(*CHAINS)


def shown(prefixes: pl.DataFrame) -> pl.DataFrame:
    """Return what prompts in the log say of themselves: row and the columns that `chains` takes from there.

    Args:
        prefixes: the `prefixes` table of the sources, placed and sized.
    """

    def of(role: str, value: pl.Expr) -> pl.Expr:
        return value.filter(pl.col("role") == role).first()

    key, stable_key, tokens = pl.col("prefix_hash"), pl.col("stable_hash"), pl.col("tokens")
    stable_tokens = pl.col("stable_tokens")
    return prefixes.group_by("row", maintain_order=True).agg(
        key=of("whole", key),
        extends_key=of("before", key),
        extends_tokens=of("before", tokens),
        shared_key=of("shared", key),
        shared_tokens=of("shared", tokens).fill_null(0),
        stable_key=of("whole", stable_key),
        stable_extends_key=of("stable-before", stable_key),
        stable_extends_tokens=of("stable-before", stable_tokens),
        stable_shared_key=of("shared", stable_key),
        stable_shared_tokens=of("shared", stable_tokens).fill_null(0),
        moved_tokens=of("whole", pl.col("moved_tokens")),
    )
