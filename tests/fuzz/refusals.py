"""What a refusal must be: a sentence of bounded length and, of blocks and transactions, a rule's name."""

from __future__ import annotations

from typing import Final

REFUSAL_CHARS_MAX: Final = 2_000
"""Errors repeat a bounded piece of what was sent."""


def judge(refusal: Exception, word: str = "") -> None:
    """A sentence, not too long, that holds `word`."""
    sentence = str(refusal)
    assert sentence
    assert len(sentence) < REFUSAL_CHARS_MAX
    assert word in sentence


def judge_named(refusal: Exception, *expected: str) -> None:
    """A sentence and the stable name of a rule, which is one of `expected` where there are any."""
    sentence, code = refusal.args
    assert sentence
    assert len(sentence) < REFUSAL_CHARS_MAX
    assert code.isupper()
    assert not expected or code in expected
