"""Program: the same node on a fake clock, network and disk, with the checkers that judge it."""
