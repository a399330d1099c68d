"""The tree against a slow reference that knows nothing but the blocks and the rules (FC-1 to FC-10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coc.consensus.fork_choice.tree import ForkTree, TreeBlock
from coc.primitives.limits_rotation import FORK_TREE_BLOCKS_MAX
from coc.primitives.types import Hash32, Height

ROOT = Hash32(b"\x80" * 32)


@dataclass(frozen=True)
class Block:
    hash: Hash32
    parent: Hash32
    slot: int


def name(number: int) -> Hash32:
    return Hash32(bytes([number]) * 32)


def reference_head(root: Hash32, blocks: list[Block]) -> Hash32:
    """The head by the rules, found from scratch."""
    children: dict[Hash32, list[Block]] = {}
    for block in blocks:
        children.setdefault(block.parent, []).append(block)
    reached: list[Block] = []
    waiting = [root]
    while waiting:
        standing = children.get(waiting.pop(), [])
        reached += standing
        waiting += [block.hash for block in standing]
    signed = Counter(block.slot for block in reached)

    def subtree(block: Block) -> list[Block]:
        return [block, *(each for child in children.get(block.hash, []) for each in subtree(child))]

    def length(block: Block) -> int:
        return 1 + max((length(child) for child in children.get(block.hash, [])), default=0)

    def rank(block: Block) -> tuple[int, int, bytes]:
        weight = sum(signed[each.slot] == 1 for each in subtree(block))
        return (-length(block), -weight, block.hash)

    at = root
    while children.get(at):
        at = min(children[at], key=rank).hash
    return at


@st.composite
def block_trees(draw: st.DrawFn) -> list[Block]:
    """Blocks in an order in which each stands on an earlier one; slots are often signed twice."""
    names = draw(st.lists(st.integers(0, 127), min_size=1, max_size=24, unique=True))
    blocks: list[Block] = []
    slots = {ROOT: 0}
    for number in names:
        parent = draw(st.sampled_from(sorted(slots)))
        slot = slots[parent] + draw(st.integers(1, 3))
        blocks.append(Block(name(number), parent, slot))
        slots[name(number)] = slot
    return blocks


def built(blocks: list[Block]) -> ForkTree:
    tree = ForkTree(ROOT, Height(10), 0)
    waiting = list(blocks)
    while waiting:
        left = [block for block in waiting if not tree.add(block.hash, block.parent, block.slot)]
        assert len(left) < len(waiting)
        waiting = left
    return tree


@given(block_trees())
def test_the_head_is_what_the_rules_say_after_every_block(blocks: list[Block]) -> None:  # FC-2, FC-3, FC-6
    tree = ForkTree(ROOT, Height(10), 0)
    for count, block in enumerate(blocks, start=1):
        assert tree.add(block.hash, block.parent, block.slot)
        assert tree.head.hash == reference_head(ROOT, blocks[:count])


@given(st.data())
def test_the_order_in_which_blocks_come_changes_nothing(data: st.DataObject) -> None:  # FC-6
    blocks = data.draw(block_trees())
    shuffled = data.draw(st.permutations(blocks))

    assert built(shuffled).head.hash == built(blocks).head.hash


@given(st.data())
def test_a_new_root_leaves_the_choice_among_what_stands_on_it(data: st.DataObject) -> None:  # FC-7, FC-8
    blocks = data.draw(block_trees())
    tree = built(blocks)
    final = data.draw(st.sampled_from([ROOT, *(block.hash for block in blocks)]))
    standing = {final}
    for _ in blocks:
        standing |= {block.hash for block in blocks if block.parent in standing}

    gone = tree.make_final(final)

    assert set(gone) == ({ROOT} | {block.hash for block in blocks}) - standing
    assert all(block not in tree for block in gone)
    kept = [block for block in blocks if block.hash in standing and block.hash != final]
    assert tree.head.hash == reference_head(final, kept)
    late = [block for block in blocks if block.hash in gone]
    assert not any(tree.add(block.hash, block.parent, block.slot) for block in late)


@given(st.data())
def test_a_tree_with_a_new_root_goes_on_as_one_that_began_there(data: st.DataObject) -> None:  # FC-7, FC-8
    blocks = data.draw(block_trees())
    cut = data.draw(st.integers(0, len(blocks)))
    tree = built(blocks[:cut])
    final = tree.head.hash
    tree.make_final(final)
    for count in range(cut, len(blocks)):
        tree.add(blocks[count].hash, blocks[count].parent, blocks[count].slot)
        standing = [block for block in blocks[: count + 1] if block.hash in tree and block.hash != final]
        assert tree.head.hash == reference_head(final, standing)


def test_a_block_must_stand_on_the_tree_in_a_later_slot() -> None:  # FC-1
    tree = ForkTree(ROOT, Height(10), 5)

    assert not tree.add(name(1), name(2), 9)
    assert not tree.add(name(1), ROOT, 5)
    assert tree.add(name(1), ROOT, 6)
    assert not tree.add(name(1), ROOT, 6)
    assert tree.head.height == 11


def test_the_longer_branch_wins_over_the_heavier_one() -> None:  # FC-2
    tree = ForkTree(ROOT, Height(0), 0)
    for number, parent, slot in ((1, ROOT, 1), (2, name(1), 7), (3, name(2), 8)):
        tree.add(name(number), parent, slot)
    for number, parent, slot in (
        (4, ROOT, 2),
        (5, name(4), 3),
        (6, name(4), 4),
        (7, name(4), 5),
        (8, ROOT, 6),
    ):
        tree.add(name(number), parent, slot)

    assert tree.head.hash == name(3)


def test_a_slot_signed_twice_weighs_nothing_and_one_left_alone_weighs_again() -> None:  # FC-4, FC-8
    tree = ForkTree(ROOT, Height(0), 0)
    tree.add(name(9), ROOT, 1)
    tree.add(name(8), name(9), 3)
    tree.add(name(7), ROOT, 2)
    tree.add(name(6), name(7), 4)
    assert tree.head.hash == name(6), "equal weights: the lower hash at the fork"
    tree.add(name(99), name(9), 5)
    assert tree.head.hash == name(8), "a signature beside the branch decides"
    tree.add(name(98), name(7), 5)
    assert tree.head.hash == name(6), "and stops deciding when its signer signs for the other side too"

    tree.make_final(name(9))
    tree.add(name(97), name(99), 6)
    assert (tree.root.weight, tree.head.hash) == (4, name(97)), "the other side is gone"


@given(st.sets(st.integers(0, 127), min_size=2, max_size=12))
def test_equal_branches_are_told_apart_by_the_lower_hash(numbers: set[int]) -> None:  # FC-5
    tree = ForkTree(ROOT, Height(0), 0)
    for slot, number in enumerate(sorted(numbers, reverse=True), start=1):
        tree.add(name(number), ROOT, slot)

    assert tree.head.hash == name(min(numbers))


def numbered(number: int) -> Hash32:
    return Hash32(number.to_bytes(32, "big"))


def full_tree() -> ForkTree:
    """A branch of three and as many tree blocks at height 1 as there is room for."""
    tree = ForkTree(ROOT, Height(0), 0)
    for number, parent in ((1, ROOT), (2, numbered(1)), (3, numbered(2))):
        tree.add(numbered(number), parent, number)
    for number in range(4, FORK_TREE_BLOCKS_MAX + 1):
        tree.add(numbered(number), ROOT, number)
    return tree


def test_a_full_tree_lets_its_lowest_leaf_go_and_never_the_heads_branch() -> None:  # FC-9
    tree = full_tree()
    assert len(tree) == FORK_TREE_BLOCKS_MAX + 1

    assert not tree.add(numbered(2**200), ROOT, 9_000), "it would itself be the one to go"
    assert tree.add(numbered(2**200), numbered(1), 9_000)
    assert numbered(FORK_TREE_BLOCKS_MAX) not in tree
    assert len(tree) == FORK_TREE_BLOCKS_MAX + 1
    assert not tree.add(numbered(2**201), numbered(FORK_TREE_BLOCKS_MAX - 1), 9_001), "it stands on that one"
    assert tree.head.hash == numbered(3)
    assert tree.add(numbered(2**202), numbered(3), 9_002)
    assert tree.head.hash == numbered(2**202)


def test_a_tree_that_is_one_branch_has_nothing_to_let_go(monkeypatch: pytest.MonkeyPatch) -> None:  # FC-9
    room = 64
    monkeypatch.setattr("coc.consensus.fork_choice.tree.FORK_TREE_BLOCKS_MAX", room)
    tree = ForkTree(ROOT, Height(0), 0)
    below = ROOT
    for number in range(1, room + 1):
        assert tree.add(numbered(number), below, number)
        below = numbered(number)

    assert not tree.add(numbered(2**200), below, 9_999)


@settings(max_examples=20)
@given(st.integers(2, 40), st.integers(0, 400))
def test_a_block_costs_the_way_to_the_root_whatever_else_there_is(depth: int, others: int) -> None:  # FC-10
    tree = ForkTree(ROOT, Height(0), 0)
    below = ROOT
    for number in range(1, depth + 1):
        tree.add(numbered(number), below, number)
        below = numbered(number)
    for number in range(others):
        tree.add(numbered(1_000 + number), numbered(1), 1_000 + number)
    sound, steps = TreeBlock.ancestors, 0

    def counted(block: TreeBlock) -> Iterator[TreeBlock]:
        nonlocal steps
        for each in sound(block):
            steps += 1
            yield each

    TreeBlock.ancestors = counted  # type: ignore[method-assign,assignment]
    try:
        tree.add(numbered(5_000), below, 5_000)
    finally:
        TreeBlock.ancestors = sound  # type: ignore[method-assign]
    assert steps <= 3 * (depth + 2)
