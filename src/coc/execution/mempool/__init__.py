"""The pool of transactions that wait for a block: a pure machine, `pool.Mempool`.

`inputs.py` lists all that can happen to it and `effects.py` all it can ask for. Whether a transaction can run
now, later or never is decided by the Rust core and arrives with the input; the pool decides what may wait,
who must make room, and in what order a builder sees it.
"""
