"""Program: the `coc` command, one file a subcommand."""
