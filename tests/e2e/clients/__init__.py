"""Unmodified clients against a live node: ethers, viem, web3.py and cast."""
