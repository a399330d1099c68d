"""A Kademlia table of peers and small signed records, as a pure machine.

Read in this order: `specs/dht.md` (the rules, DHT-1 …), `inputs.py` and `effects.py` (all that can happen),
`machine.py` (the dispatch), `table.py` (who is known), `lookup.py` (one search), `records.py` and `store.py`
(what is held), `asking.py` (requests, and the dials they need). `handle/` has one file an input.
"""
