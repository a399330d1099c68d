"""What the peer book does with each input, one file an input."""
