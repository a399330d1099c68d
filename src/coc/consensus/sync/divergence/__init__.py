"""A certified block whose execution here gives something else: where the two part, and what can be done.

`machine.py` decides, `report.py` is what it finds out, `inputs.py` and `effects.py` are its two sides.
"""
