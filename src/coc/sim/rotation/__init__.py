"""Rotation machines alone on a simulated network: `campaign.py` runs them, `checkers.py` judges them.

Blocks are empty names; block log, write-ahead log, signer and executor are fakes. One heap of events in order
of time; everything random comes from one generator, so a seed is a run.
"""
