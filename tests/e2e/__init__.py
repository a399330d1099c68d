"""End to end: a real node process, real sockets, and programs that were not written for it."""
