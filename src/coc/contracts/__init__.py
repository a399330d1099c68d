"""Shared: checked-in ABI and bytecode of the system contracts, with typed callers."""
