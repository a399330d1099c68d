"""Program: every socket, file, clock, key, server and process of the live node.

Each adapter fills a Protocol that a machine declared; adapters hold no rules of the chain.
"""
