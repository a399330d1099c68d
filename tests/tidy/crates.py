"""Which crate may stand on which: the same rule as for packages, read from the manifests."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable

from tests.tidy.tree import SourceFile

BELOW_CHAIN = frozenset({"coc-disk", "coc-trie", "coc-log", "coc-store", "coc-evm", "coc-vrf"})

STANDS_ON = {
    "coc-disk": frozenset[str](),
    "coc-trie": frozenset[str](),
    "coc-log": frozenset({"coc-disk"}),
    "coc-store": frozenset({"coc-disk", "coc-trie"}),
    "coc-evm": frozenset({"coc-trie"}),
    "coc-vrf": frozenset[str](),
    "coc-chain": BELOW_CHAIN,
    "coc-answers": BELOW_CHAIN | {"coc-chain"},
    "coc-scrypt": frozenset[str](),
    "coc-wal": frozenset({"coc-disk"}),
    "coc-channel": frozenset[str](),
    "coc-tool": frozenset({"coc-evm", "coc-trie"}),
    "coc-bench": BELOW_CHAIN | {"coc-chain"},
    "coc-native": BELOW_CHAIN
    | {"coc-chain", "coc-answers", "coc-scrypt", "coc-channel", "coc-tool", "coc-wal"},
}
"""The table of ARCHITECTURE.md."""

GLUE = "coc-native"
"""The one crate that may know Python."""

_MANIFEST = re.compile(r"crates/[^/]+/Cargo\.toml")


def misplaced_crates(files: Iterable[SourceFile]) -> list[str]:
    """Crates without a place, crates that stand on one they may not, and crates that know Python."""
    found = []
    for file in files:
        if not _MANIFEST.fullmatch(str(file.path)):
            continue
        manifest = tomllib.loads(file.text)
        name = manifest["package"]["name"]
        needs = set(manifest.get("dependencies", {}))
        if name not in STANDS_ON:
            found.append(
                f"{file.path}: {name} has no place; add it to ARCHITECTURE.md and tests/tidy/crates.py"
            )
            continue
        too_high = sorted((needs & set(STANDS_ON)) - STANDS_ON[name])
        found += [f"{file.path}: {name} may not stand on {other}" for other in too_high]
        if name != GLUE and "pyo3" in needs:
            found.append(f"{file.path}: {name} knows Python; only {GLUE} may")
    return found
