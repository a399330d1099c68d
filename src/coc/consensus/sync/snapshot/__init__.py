"""Fetching the state of a certified block from any number of peers; two pure machines.

Read in this order: `specs/snapshot-sync.md` (SYNC-1 …); `way.py` and `finding.py` (which block); `inputs.py`
and `effects.py` (all that can happen), `machine.py` (the dispatch), `trail.py` and `work.py` (what is left to
fetch), `peers.py` (whom to ask), `handle/` (what it does), `messages.py` (its payloads). What answers say is
verified and built by the native core (`crates/chain/src/snapshot`), which the effects `VerifyState` and its
like reach.
"""

from coc.consensus.sync.snapshot.finding import TargetFinder
from coc.consensus.sync.snapshot.machine import SnapshotSync

__all__ = ["SnapshotSync", "TargetFinder"]
