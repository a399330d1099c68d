"""Layer 2, consensus: agrees on one block a height.

Holds proposer rotation, BFT rounds, votes, certificates, fork choice, evidence and sync, each a pure machine.
"""
