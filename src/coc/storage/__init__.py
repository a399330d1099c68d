"""Store: content by hash, for layer 3 and for users.

Holds CIDs, UnixFS, the DAG, pins, MFS, CAR files and the proofs that storage challenges ask for.
"""
