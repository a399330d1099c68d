"""A node of a rotation chain with several validators, as one machine.

What it has in common with the node of a BFT chain it takes from `coc.node.validator`.
"""
