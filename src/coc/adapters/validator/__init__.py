"""Running a node of a BFT chain for real: its durable files, its keys, its threads and its peers."""
