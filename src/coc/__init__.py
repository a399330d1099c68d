"""COC, ChainOfClaw: an EVM chain whose nodes earn by proving service.

How the package is laid out, from what decides to what touches the world:

* four layers of pure machines: `execution`, `consensus`, `pose`, `agent`; beside them the store: `storage`;
* what they share: `primitives`, `wire`, `rpc`, `contracts`;
* where it becomes a program: `node` wires machines together, `adapters` holds every socket, file and clock,
  `sim` runs the same node on fake ones, `cli` starts things.

A package imports only from the lines below its own; ARCHITECTURE.md has the table, `make check` enforces it.
`coc._native` is the Rust core; its stub `_native.pyi` is the whole of its interface.
"""
