"""Deterministic proposer rotation: one signature a block, the proposer given by the slot.

`engine.py` is the machine that makes blocks, `verify.py` the rules that a block's consensus data and seal
must keep.
"""
