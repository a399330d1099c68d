"""`python -m coc.cli.leashed PARENT ARGUMENT…`: a `coc` command that ends when the process PARENT does."""

from __future__ import annotations

import sys

from coc.adapters.leash import end_with
from coc.cli.main import main

if __name__ == "__main__":
    end_with(int(sys.argv[1]))
    main(args=sys.argv[2:], prog_name="coc")
