"""Shared: JSON-RPC without a transport, one file a namespace group.

A method is a row of the method table: name, typed parameters, where it runs, what it costs, what it is for.
"""
