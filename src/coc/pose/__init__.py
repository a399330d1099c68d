"""Layer 3, PoSe: pays nodes for service they proved.

Holds epochs, duties, challenges, verification, witnesses, batches, scores, rewards and faults.
"""
