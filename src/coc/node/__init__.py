"""Program: the composition root, which wires machines together and does no I/O of its own.

`build_node(config, ports)` is called by the live program with real ports and by the simulator with fake ones.
"""
