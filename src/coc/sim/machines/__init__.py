"""Runs of consensus machines alone: the life of a node, what lies between nodes, and the course of a run.

Every engine's nodes live, crash and come back in the same way, on the same kind of network; what its machine
asks for, and what must hold, stands with the engine (`coc.sim.bft_*`, `coc.sim.rotation`).
"""
