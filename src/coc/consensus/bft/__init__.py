"""Three-phase BFT (Tendermint, arXiv 1807.04938): one block a height, final at once.

Read in this order: `specs/bft.md` (the rules, BFT-1 …), `inputs.py` and `effects.py` (all that can happen),
`machine.py` (the dispatch), `advance.py` (the paper's lines as functions, tried until none applies),
`outbox.py` (persist, sign, send), `resend.py` (what a peer lacks). `handle/` has one file an input.
"""
