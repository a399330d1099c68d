"""Layer 1, execution: runs transactions, keeps the state, and decides what may wait in the pool.

Pure machines only. The Rust core executes blocks; this package reaches it through Protocols of its own.
"""
