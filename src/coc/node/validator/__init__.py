"""A node of a chain that agrees by BFT, as one machine: engine, mempool, blocks on their way, gossip.

`machine.py` passes between the parts; `inputs.py` and `effects.py` are all that can happen and be asked for.
"""
