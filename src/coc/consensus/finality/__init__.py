"""Finality proofs: one file by which a stranger sees that a block is final; rules FIN-1 … in specs.

Read `records.py` (what a proof holds), `verify.py` (how it is judged), `build.py` (how it is made),
`frames.py` (how it lies in a file), `checkpoint.py` (where it may begin). Nothing here does I/O.
"""
