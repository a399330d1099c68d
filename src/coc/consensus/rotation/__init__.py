"""Deterministic proposer rotation: one signature a block, the proposer given by the slot.

`engine.py` is the machine of a validator alone, `machine.py` that of a network, `verify.py` the rules that a
block's consensus data and seal must keep.
"""
