"""Layer 1, execution: runs transactions, keeps the state, and decides what may wait in the pool.

Pure machines only. Blocks are executed by the Rust core, which this package reaches through Protocols it declares itself.
"""
