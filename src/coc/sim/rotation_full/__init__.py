"""The whole node of a chain whose validators take turns, in a simulated world.

Real machines, EVM, block logs, tag files and write-ahead logs; clock, network and disks are fakes, and so is
the file of the transaction journal. Time and links are those of `coc.sim.full.world`, faults those of
`coc.sim.full.plan`. Read `plan.py` (what a seed makes of a run), `life.py` and `node.py` (a node's ports),
`campaign.py` (runs and their judgement), `checkers/` (one invariant a file).
"""
