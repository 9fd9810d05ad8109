"""Texts: whether one is as good as another only a judge can say."""

from costscan.trial.comparing.interface import Kind, text_of

KIND = Kind("text", lambda answer: bool(text_of(answer)), None)

__all__ = ["KIND"]
