"""The root over consensus data and its paths. Against the native core: `tests/consensus/finality`."""

from __future__ import annotations

import pytest

from coc.primitives import rlp
from coc.primitives.consensus_data import ConsensusDataInvalid
from coc.primitives.consensus_root import FIELD_COUNT, leaf_of, root_from, root_of, siblings_of
from coc.primitives.keccak import keccak256
from coc.primitives.rlp import RlpInvalid

FIELDS: list[rlp.Encodable] = [
    1,
    b"certificate",
    bytes(20),
    0,
    b"",
    [[b"evidence"]],
    [[b"a", 1]],
    [[b"b", 2]],
]
DATA = rlp.encode(FIELDS)


def test_the_root_is_that_of_a_tree_by_position() -> None:  # FIN-6
    leaves = [keccak256(b"\x00" + bytes([index]) + rlp.encode(field)) for index, field in enumerate(FIELDS)]
    pairs = [keccak256(b"\x01" + leaves[index] + leaves[index + 1]) for index in (0, 2, 4, 6)]
    halves = [keccak256(b"\x01" + pairs[index] + pairs[index + 1]) for index in (0, 2)]

    assert root_of(DATA) == keccak256(b"\x01" + halves[0] + halves[1])
    assert siblings_of(DATA, 7) == (leaves[6], pairs[2], halves[0])


@pytest.mark.parametrize("index", range(FIELD_COUNT))
def test_every_field_is_proved_by_its_path_and_by_no_other(index: int) -> None:  # FIN-6
    root, path, field = root_of(DATA), siblings_of(DATA, index), FIELDS[index]

    assert root_from(index, field, path) == root
    assert root_from(index, b"another", path) != root
    assert root_from(index ^ 1, field, path) != root
    for position in range(len(path)):
        other = [*path[:position], leaf_of(0, b"another"), *path[position + 1 :]]
        assert root_from(index, field, other) != root


def test_what_is_no_list_of_eight_fields_has_no_root() -> None:  # FIN-7
    for fields in (FIELDS[:-1], [*FIELDS, b""]):
        with pytest.raises(ConsensusDataInvalid):
            root_of(rlp.encode(fields))
    for data in (b"", rlp.encode(b"text"), DATA[:-1], DATA + b"\0"):
        with pytest.raises(RlpInvalid):
            root_of(data)
