"""Shared: bytes to messages and back, without a socket.

Holds frames, the handshake, sessions, known peers, transaction gossip and the DHT. Each layer owns the codec
of its messages.
"""
