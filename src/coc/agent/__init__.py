"""Layer 4, agent: keeps nodes healthy from outside the node.

Facts and goals go in, guarded actions come out; nothing in `node` or `sim` may import this package.
"""
