"""Which rows went to a model of which kind of cache: `costscan.cache_policy`, as expressions."""

import polars as pl

from costscan.cache_policy import automatic_of, policy_of, target_of


def is_marked(models: pl.Series, name: str = "model") -> pl.Expr:
    """Say which rows have a model whose requests mark what is cached; `models` has all that occur."""
    ruled = [model for model in models.unique() if policy_of(model) is not None]
    return pl.col(name).is_in(ruled).fill_null(value=False)


def is_automatic(models: pl.Series, name: str = "model") -> pl.Expr:
    """Say which rows have a model whose cache holds every prompt; `models` has all that occur."""
    ruled = [model for model in models.unique() if automatic_of(model) is not None]
    return pl.col(name).is_in(ruled).fill_null(value=False)


def holds_all(models: pl.Series, name: str = "model") -> pl.Expr:
    """Say which rows go to a model whose cache holds every prompt, whether it promises to read it or not."""
    ruled = [model for model in models.unique() if target_of(model) is not None]
    return pl.col(name).is_in(ruled).fill_null(value=False)


def is_promised(models: pl.Series, name: str = "model") -> pl.Expr:
    """Say which rows do not go to a model whose cache promises nothing; `models` has all that occur."""
    none = [model for model in models.unique() if (rules := target_of(model)) and not rules.is_promised]
    return ~pl.col(name).is_in(none).fill_null(value=False)
