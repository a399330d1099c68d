"""Who is known, whom to call, who may come in, and who stays out: a pure machine.

Read in this order: `specs/wire.md` (WIRE-20 …), `inputs.py` and `effects.py` (all that can happen),
`machine.py` (the dispatch), `connections.py` (who is connected, and which of two connections stays),
`known.py` (addresses and when to dial them), `reputation.py` (points and bans), `store.py` (what survives a
restart). `handle/` has one file an input.
"""
