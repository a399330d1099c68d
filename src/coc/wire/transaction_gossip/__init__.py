"""Transactions between nodes: announced by hash, fetched by whoever lacks them; a pure machine.

Read in this order: `specs/wire.md` (WIRE-31 …), `inputs.py` and `effects.py` (all that can happen),
`machine.py` (the dispatch), `announcing.py`, `fetching.py` and `answering.py` (what it does), `codec.py` (its
payloads).
"""
