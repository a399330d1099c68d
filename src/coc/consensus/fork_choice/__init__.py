"""The tree of blocks that may still be taken back, and which of its branches is the chain: `tree.py`."""
