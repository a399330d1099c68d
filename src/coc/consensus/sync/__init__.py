"""Blocks between peers: asked for by hash or by height, and given with everything that proves them."""
