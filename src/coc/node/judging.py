"""The native chain's verdicts on transactions in the pool's own types."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from coc.execution.mempool.inputs import Account, Candidate, Standing, Verdict


def candidates_of(entries: Iterable[Any]) -> list[Candidate | Exception]:
    """What `Chain.admit` answered: a candidate for each transaction, or why its bytes are none."""
    judged: list[Candidate | Exception] = []
    for entry in entries:
        if isinstance(entry, Exception):
            judged.append(entry)
        else:
            transaction, standing, code, sentence, nonce, balance, has_code = entry
            verdict = Verdict(Standing(standing), code, sentence)
            judged.append(Candidate(transaction, verdict, Account(nonce, balance, has_code)))
    return judged
