"""What snapshot sync does, one file for each group of inputs."""
