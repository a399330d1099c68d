"""Shared: types, units, limits, encodings, hashes and signatures that every package may speak of.

The only package that imports the pure functions of the Rust core; everything else reaches them through here.
"""
