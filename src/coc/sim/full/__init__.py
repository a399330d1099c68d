"""The whole node in a simulated world: real machines, real EVM, real logs; clock, network and disk are fakes.

Read `plan.py` (what a seed makes of a run), `world.py` (time and links), `validator.py` (a node's ports),
`campaign.py` (runs and their judgement), `checkers/` (one invariant a file).
"""
