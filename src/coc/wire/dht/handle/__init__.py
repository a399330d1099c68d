"""One input a file; those that belong together share one."""
