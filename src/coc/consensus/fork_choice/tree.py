"""The tree of blocks above the final one, and the choice among its branches (FC-1 to FC-10).

Each block knows the best leaf of its own subtree. A block that comes or goes changes that only for the blocks
below it down to the root, so the head is always at hand and nothing else is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from coc.primitives.limits_rotation import FORK_TREE_BLOCKS_MAX
from coc.primitives.types import Hash32, Height


@dataclass(slots=True, eq=False)
class TreeBlock:
    """A block of the tree; `weight` and `leaf` are those of the subtree that it is the root of."""

    hash: Hash32
    height: Height
    slot: int
    parent: TreeBlock | None
    children: dict[Hash32, TreeBlock] = field(default_factory=dict)
    weight: int = 0
    best: TreeBlock | None = field(default=None, repr=False)
    """The child that wins."""
    leaf: TreeBlock = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """A new block is a leaf."""
        self.leaf = self

    def ancestors(self) -> Iterator[TreeBlock]:
        """The block itself, its parent, and on down to the root."""
        block: TreeBlock | None = self
        while block is not None:
            yield block
            block = block.parent


class ForkTree:
    """The blocks that may still be taken back, on top of the newest final one."""

    def __init__(self, root: Hash32, height: Height, slot: int) -> None:
        """A tree of nothing but its root."""
        self._root = TreeBlock(root, height, slot, None)
        self._blocks = {root: self._root}
        self._slots: dict[int, dict[Hash32, TreeBlock]] = {}

    def __len__(self) -> int:
        return len(self._blocks)

    def __contains__(self, block: Hash32) -> bool:
        return block in self._blocks

    @property
    def root(self) -> TreeBlock:
        """The newest final block."""
        return self._root

    @property
    def head(self) -> TreeBlock:
        """The block that the chain ends in (FC-6)."""
        return self._root.leaf

    def get(self, block: Hash32) -> TreeBlock | None:
        """A block of the tree."""
        return self._blocks.get(block)

    def add(self, block: Hash32, parent: Hash32, slot: int) -> bool:
        """Take a block; False if it is known, stands on nothing here, or finds no room (FC-1, FC-9)."""
        below = self._blocks.get(parent)
        if below is None or block in self._blocks or slot <= below.slot:
            return False
        if len(self._blocks) > FORK_TREE_BLOCKS_MAX and not self._make_room(below, block):
            return False
        added = TreeBlock(block, Height(below.height + 1), slot, below)
        self._blocks[block] = added
        below.children[block] = added
        _raised(added)
        self._weigh(added)
        return True

    def is_on_branch(self, block: Hash32, leaf: TreeBlock) -> bool:
        """Whether a block lies between a leaf and the root, both included."""
        return any(each.hash == block for each in leaf.ancestors())

    def make_final(self, block: Hash32) -> list[Hash32]:
        """Move the root to a block of the tree; the blocks that left, the old root included (FC-7)."""
        root = self._blocks[block]
        if root is self._root:
            return []
        gone = [each for each in _below(self._root, root) if each is not root]
        self._root, root.parent = root, None
        for each in gone:
            del self._blocks[each.hash]
        for each in gone:
            self._forget_slot(each)
        return [each.hash for each in gone]

    # ── Weight ──────────────────────────────────────────────────────────────────────────────────────────────

    def _weigh(self, added: TreeBlock) -> None:
        """A slot counts for its block while it is the slot's only one (FC-3, FC-4)."""
        rivals = self._slots.setdefault(added.slot, {})
        rivals[added.hash] = added
        if len(rivals) == 1:
            _change_weight(added, 1)
        elif len(rivals) == 2:
            _change_weight(next(iter(rivals.values())), -1)

    def _forget_slot(self, gone: TreeBlock) -> None:
        """What is left alone in its slot weighs again (FC-8)."""
        rivals = self._slots.get(gone.slot)
        if rivals is None or rivals.pop(gone.hash, None) is None:
            return
        if not rivals:
            del self._slots[gone.slot]
        elif len(rivals) == 1:
            (left,) = rivals.values()
            if left.hash in self._blocks:
                _change_weight(left, 1)

    # ── Room ────────────────────────────────────────────────────────────────────────────────────────────────

    def _make_room(self, below: TreeBlock, block: Hash32) -> bool:
        """Drop the lowest leaf beside the head's branch, unless the new block would be it (FC-9)."""
        leaves = [each for each in self._blocks.values() if not each.children and each is not self.head]
        if not leaves:
            return False
        worst = min(leaves, key=lambda each: (each.height, _descending(each.hash)))
        if worst is below or (below.height + 1, _descending(block)) < (
            worst.height,
            _descending(worst.hash),
        ):
            return False
        self._remove_leaf(worst)
        return True

    def _remove_leaf(self, leaf: TreeBlock) -> None:
        below = leaf.parent
        if below is None:
            return
        rivals = self._slots[leaf.slot]
        if len(rivals) == 1:
            _change_weight(leaf, -1)
        del self._blocks[leaf.hash]
        del below.children[leaf.hash]
        _lowered(leaf)
        self._forget_slot(leaf)


def is_better(one: TreeBlock, other: TreeBlock) -> bool:
    """Whether the first of two children of a block wins (FC-2, FC-3, FC-5)."""
    return _rank(one) < _rank(other)


def _rank(child: TreeBlock) -> tuple[int, int, bytes]:
    return (-child.leaf.height, -child.weight, child.hash)


def _change_weight(block: TreeBlock, difference: int) -> None:
    for each in block.ancestors():
        each.weight += difference
    if difference > 0:
        _raised(block)
    else:
        _lowered(block)


def _raised(block: TreeBlock) -> None:
    """A block gained length or weight: it and those below it may now win where they lost."""
    for each in block.ancestors():
        below = each.parent
        if below is not None:
            if below.best is None or is_better(each, below.best):
                below.best = each
            below.leaf = below.best.leaf


def _lowered(block: TreeBlock) -> None:
    """A block lost weight, or left: where it had won, the winner is looked for again."""
    for each in block.ancestors():
        below = each.parent
        if below is not None:
            if below.best is each:
                below.best = min(below.children.values(), key=_rank, default=None)
            below.leaf = below if below.best is None else below.best.leaf


def _below(start: TreeBlock, end: TreeBlock) -> Iterator[TreeBlock]:
    """All blocks of a subtree, but for what stands on `end`."""
    waiting = [start]
    while waiting:
        block = waiting.pop()
        yield block
        if block is not end:
            waiting.extend(block.children.values())


def _descending(name: Hash32) -> bytes:
    return bytes(255 - byte for byte in name)
