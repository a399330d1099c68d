"""Typed data: the EIP's own example, every kind of value at its edges, and bounded work."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coc.primitives.eip712 import hash_document, hash_typed_data
from coc.primitives.eip712_types import TypedDataInvalid, parse_definitions
from coc.primitives.limits import (
    TYPED_DATA_BYTES_MAX,
    TYPED_DATA_DEPTH_LEVELS_MAX,
    TYPED_DATA_MEMBERS_MAX,
    TYPED_DATA_TYPES_MAX,
)

PERSON = [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}]
MAIL: dict[str, Any] = {
    "types": {
        "EIP712Domain": [
            {"name": "name", "type": "string"},
            {"name": "version", "type": "string"},
            {"name": "chainId", "type": "uint256"},
            {"name": "verifyingContract", "type": "address"},
        ],
        "Person": PERSON,
        "Mail": [
            {"name": "from", "type": "Person"},
            {"name": "to", "type": "Person"},
            {"name": "contents", "type": "string"},
        ],
    },
    "primaryType": "Mail",
    "domain": {
        "name": "Ether Mail",
        "version": "1",
        "chainId": 1,
        "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC",
    },
    "message": {
        "from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
        "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
        "contents": "Hello, Bob!",
    },
}


def holding(kind: str, value: Any, **structs: Any) -> Any:
    """A document whose message has one member `x`."""
    return {
        "types": {"EIP712Domain": [], "Box": [{"name": "x", "type": kind}], **structs},
        "primaryType": "Box",
        "domain": {},
        "message": {"x": value},
    }


def digest(document: Any) -> bytes:
    return hash_document(document).digest


def test_the_example_of_the_eip_has_its_published_hashes() -> None:
    found = hash_typed_data(json.dumps(MAIL).encode())
    assert found.domain_separator.hex() == "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f"
    assert found.message_hash is not None
    assert found.message_hash.hex() == "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e"
    assert found.digest.hex() == "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"


def test_a_type_is_encoded_with_all_it_reaches_in_alphabetical_order() -> None:
    definitions = parse_definitions(
        {
            "Z": [{"name": "b", "type": "B[2][]"}, {"name": "a", "type": "A"}],
            "A": [{"name": "again", "type": "Z"}],
            "B": [],
            "Unreached": [],
        }
    )
    assert definitions.encode_type("Z") == "Z(B[2][] b,A a)A(Z again)B()"


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("uint8", [0, 255, "255", "0xff"], [-1, 256, "256", "ff", "", "1.0", None, True, [], "0x"]),
        ("int8", [-128, 127, "-128"], [-129, 128, "-0x1"]),
        ("uint256", [2**256 - 1], [2**256]),
        ("uint", [5], [-5]),
        ("bool", [True, False], [0, 1, "true", None]),
        ("address", ["0x" + "aB" * 20], ["ab" * 20, "0x" + "ab" * 19, 5, None]),
        ("bytes4", ["0x01020304"], ["0x010203", "0x0102030405", "abcd", 1, None]),
        ("bytes", ["0x", "0xab", None], ["0xa", "text", True]),
        ("string", ["", "£", None, 5], [True, [], {}, -5, "\ud800"]),
        ("uint8[]", [[], [1, 2]], [None, 1, [256], [[1]], {}]),
        ("uint8[2]", [[1, 2]], [[1], [1, 2, 3]]),
        ("uint8[2][]", [[], [[1, 2]]], [[1, 2], [[1]]]),
    ],
)
def test_a_value_fits_its_type_or_is_refused(kind: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert len(digest(holding(kind, value))) == 32
    for value in bad:
        with pytest.raises(TypedDataInvalid):
            digest(holding(kind, value))


def test_text_numbers_mean_the_same_as_plain_ones() -> None:
    assert len({digest(holding("uint256", value)) for value in (255, "255", "0xff", "0x00ff")}) == 1
    assert digest(holding("int16", -1)) == digest(holding("int16", "-1"))


@pytest.mark.parametrize(
    "kind", ["uint7", "uint264", "uint08", "int0", "bytes0", "bytes33", "fixed", "Box2", "uint8[0]", "[]", ""]
)
def test_a_type_that_does_not_exist_is_refused(kind: str) -> None:
    with pytest.raises(TypedDataInvalid, match="there is no type"):
        digest(holding(kind, 0))


@pytest.mark.parametrize("name", ["uint256", "address", "Box[]"])
def test_a_struct_cannot_take_the_name_of_another_type(name: str) -> None:
    with pytest.raises(TypedDataInvalid, match="cannot be called"):
        digest(holding("bool", True, **{name: []}))


def test_recursive_structs_end_where_a_member_is_null_or_left_out() -> None:
    node = [{"name": "next", "type": "Node"}, {"name": "value", "type": "uint8"}]
    by_null = holding("Node", {"next": {"next": None, "value": 2}, "value": 1}, Node=node)
    by_absence = holding("Node", {"next": {"value": 2}, "value": 1}, Node=node)
    assert digest(by_null) == digest(by_absence)


@pytest.mark.parametrize(
    "change",
    [
        {"types": None},
        {"types": {"Mail": 5}},
        {"types": {"Mail": [5]}},
        {"types": {"Mail": [{"name": "x"}]}},
        {"types": {"Mail": [{"name": "x", "type": "bool"}, {"name": "x", "type": "bool"}]}},
        {"domain": None},
        {"domain": {**MAIL["domain"], "salt": "0x" + "00" * 32}},
        {"domain": {"name": "Ether Mail"}},
        {"primaryType": "Letter"},
        {"primaryType": 5},
        {"primaryType": "Person"},
        {"message": None},
        {"message": {**MAIL["message"], "cc": 1}},
        {"message": {"from": None, "to": None}},
    ],
)
def test_a_document_whose_parts_do_not_fit_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(TypedDataInvalid):
        digest(MAIL | change)


def test_the_primary_type_may_be_left_out_where_only_one_could_be_meant() -> None:
    implied = {key: value for key, value in MAIL.items() if key != "primaryType"}
    assert digest(implied) == digest(MAIL)
    with pytest.raises(TypedDataInvalid, match="primaryType"):
        digest({**implied, "types": {**MAIL["types"], "Other": []}})


def test_the_domain_type_may_be_left_out_where_its_members_have_their_usual_types() -> None:
    types = {name: members for name, members in MAIL["types"].items() if name != "EIP712Domain"}
    assert digest({**MAIL, "types": types}) == digest(MAIL)


def test_a_domain_alone_can_be_signed() -> None:
    found = hash_document({**MAIL, "primaryType": "EIP712Domain", "message": {}})
    assert found.message_hash is None
    assert found.digest != found.domain_separator


def test_every_limit_holds_at_its_bound_and_not_beyond() -> None:
    def nested(levels: int) -> Any:
        value: Any = None
        for _ in range(levels):
            value = {"next": value}
        return holding("Node", value, Node=[{"name": "next", "type": "Node"}])

    def dimensions(count: int) -> Any:
        return holding("bool" + "[]" * count, [])

    def types(count: int) -> Any:
        return holding("bool", True, **{f"T{number}": [] for number in range(count - 2)})

    def members(count: int) -> Any:
        return holding(
            "bool", True, Wide=[{"name": f"m{number}", "type": "bool"} for number in range(count - 1)]
        )

    for build, most in (
        (nested, TYPED_DATA_DEPTH_LEVELS_MAX),
        (dimensions, TYPED_DATA_DEPTH_LEVELS_MAX),
        (types, TYPED_DATA_TYPES_MAX),
        (members, TYPED_DATA_MEMBERS_MAX),
    ):
        digest(build(most))
        with pytest.raises(TypedDataInvalid):
            digest(build(most + 1))
    with pytest.raises(TypedDataInvalid, match="too large"):
        hash_typed_data(b" " * (TYPED_DATA_BYTES_MAX + 1))


@given(st.data())
def test_any_replaced_part_of_a_document_is_refused_or_hashed(data: st.DataObject) -> None:
    junk = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    )
    document = json.loads(json.dumps(MAIL))
    place: Any = document
    while isinstance(place, dict | list) and place:
        key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else list(range(len(place)))))
        if data.draw(st.booleans()) or not isinstance(place[key], dict | list):
            place[key] = data.draw(junk)
            break
        place = place[key]
    try:
        found = hash_document(document)
    except TypedDataInvalid:
        return
    assert len(found.digest) == 32
