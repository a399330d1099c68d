"""Writes the tree of the project into README.md, from the first line of every package.

The block stands between two markers; a tidy test compares it with what this module renders, so it cannot rot.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START, END = "<!-- tree: written by `make docs` -->", "<!-- /tree -->"

PACKAGES = (
    "execution", "consensus", "pose", "agent", "storage",
    "primitives", "wire", "rpc", "contracts",
    "node", "adapters", "sim", "cli",
)  # fmt: skip
"""Packages in the order in which the architecture tells them."""

CRATES = {
    "disk": "the one way to files, and a faulty twin that forgets what was not synced",
    "trie": "the Merkle Patricia Trie: persistent nodes, found by place, trusted by hash",
    "log": "the append-only block log: the truth on disk",
    "store": "trie nodes in files by generation, and a small ordered index",
    "evm": "Ethereum's rules, Frontier to Osaka, and the one transition function",
    "vrf": "verifiable random outputs (RFC 9381) and their proofs",
    "chain": "the tree of executed blocks: flushing, head and finality",
    "answers": "JSON answers to clients, written straight from the chain",
    "scrypt": "the core of scrypt, for key files that OpenSSL refuses",
    "wal": "what a validator must not forget: write-ahead log, signer's mark",
    "channel": "the Noise handshake and the encrypted channel between two peers",
    "tool": "state tests, block tests and t8n, for people who test EVMs",
    "bench": "block import against bare revm: programs that measure, never shipped",
    "native": "the Python module coc._native: bytes and integers, nothing else",
}
"""Crates from the disk up to Python; their own documentation opens too long for one line."""

FOLDERS = {
    "contracts": "the system contracts in Solidity, their tests and their build",
    "specs": "our protocol in English: numbered rules, cited by code and tests",
    "docs": "tutorials, how-to, reference, decisions (adr/), road map",
    "tests": "mirrors src/coc; plus tidy/, vectors/, conformance/, differential/, e2e/",
    "bench": "the published figures, one script each",
    "tools": "small scripts behind the Makefile",
}


def render(root: Path) -> str:
    """The tree as text; packages and crates that are not there yet are left out."""
    lines = ["src/coc/"]
    for name in PACKAGES:
        place = root / "src" / "coc" / name / "__init__.py"
        if place.is_file():
            kind, text = _package_line(place)
            lines.append(f"  {name + '/':<14}{kind:<9}{text}")
    lines.append("crates/")
    lines += [
        f"  {name + '/':<14}{'Rust':<9}{text}"
        for name, text in CRATES.items()
        if (root / "crates" / name).is_dir()
    ]
    lines += [f"{name + '/':<25}{text}" for name, text in FOLDERS.items() if (root / name).is_dir()]
    return "\n".join(lines)


def replace_block(document: str, tree: str) -> str:
    """The document with the tree between its markers; raises ValueError where there are none."""
    before, start, rest = document.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"the document has no tree block; write {START} and {END} where it belongs")
    return f"{before}{START}\n```text\n{tree}\n```\n{END}{after}"


def _package_line(place: Path) -> tuple[str, str]:
    """Splits `Layer 1, execution: runs …` into `layer 1` and `runs …`."""
    first = (ast.get_docstring(ast.parse(place.read_text(encoding="utf-8"))) or "").partition("\n")[0]
    kind, _, text = first.partition(": ")
    return kind.partition(",")[0].lower(), text.rstrip(".")


def main() -> None:
    """Rewrites the block in README.md."""
    readme = ROOT / "README.md"
    readme.write_text(replace_block(readme.read_text(encoding="utf-8"), render(ROOT)), encoding="utf-8")


if __name__ == "__main__":
    main()
