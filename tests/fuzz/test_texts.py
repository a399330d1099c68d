"""The pure readers: key files, RLP, consensus data and seals, JSON."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from coc import _native
from coc.primitives import rlp
from coc.primitives.errors import PrimitivesError
from coc.primitives.keystore import parse_key_file
from coc.primitives.strict_json import decode_json
from tests.fuzz.budget import tries
from tests.fuzz.chains import attributes, chain
from tests.fuzz.mutation import misspelled, reshaped, rewritten, torn
from tests.fuzz.refusals import judge, judge_named

KEY_FILE = {
    "version": 3,
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "address": "7e5f4552091a69125d5dfcb7b8c2659029395bdf",
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "83dbcc02d8ccb40e466191a123791e0e"},
        "ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
        "kdf": "scrypt",
        "kdfparams": {"dklen": 32, "n": 4096, "p": 6, "r": 8, "salt": "ab" * 32},
        "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
    },
}
PBKDF2 = {"c": 262144, "dklen": 32, "prf": "hmac-sha256", "salt": "ab" * 32}
KEY_FILES = st.sampled_from(
    [KEY_FILE, KEY_FILE | {"crypto": KEY_FILE["crypto"] | {"kdf": "pbkdf2", "kdfparams": PBKDF2}}]  # type: ignore[operator]
)


def read(reader: Any, data: bytes) -> Any:
    try:
        return reader(data)
    except PrimitivesError as refusal:
        judge(refusal, refusal.what)
        return None


@tries(500)
@given(st.one_of(rewritten(KEY_FILES).map(lambda file: json.dumps(file).encode()), st.binary(max_size=200)))
def test_a_rewritten_key_file_is_read_or_refused_before_it_costs_anything(text: bytes) -> None:
    read(parse_key_file, text)


@tries(300)
@given(torn(KEY_FILES.map(lambda file: json.dumps(file).encode())))
def test_a_torn_key_file_is_read_or_refused_before_it_costs_anything(text: bytes) -> None:
    read(parse_key_file, text)


ITEMS: st.SearchStrategy[rlp.Item] = st.recursive(
    st.binary(max_size=70), lambda inner: st.lists(inner, max_size=4), max_leaves=12
)


@tries(400)
@given(st.one_of(misspelled(ITEMS), torn(ITEMS.map(rlp.encode)), st.binary(max_size=60)))
def test_rlp_has_one_spelling(data: bytes) -> None:
    item = read(rlp.decode, data)
    if item is not None:
        assert rlp.encode(item) == data
        assert rlp.encoded_length(data[:9]) == len(data)


@tries(300)
@given(
    st.one_of(torn(st.just(b'{"a": [1, "\\u00e9\\"", {"b": null}], "c": "0x1"}')), st.binary(max_size=80)),
    st.integers(0, 400),
    st.sampled_from([b'"', b"[", b'{"a":', b'"\\', b"\\", b"9", b"-", b"1e", b'"\\ud800"']),
)
def test_json_is_read_or_refused_however_long_its_parts(text: bytes, count: int, part: bytes) -> None:
    for document in (text, part * count, text + part * count, part * (50 * count)):
        read(lambda data: decode_json(data, name="file", bytes_max=len(data) + 1), document)


CONSENSUS: st.SearchStrategy[rlp.Item] = st.just([b"\x01", b"", b"p" * 20, b"", b"", [], [[b"v"]], [[b"v"]]])


CONSENSUS_REFUSALS = ("COC_CONSENSUS_DATA", "COC_VRF", "COC_EVIDENCE")


@tries(300)
@given(st.one_of(reshaped(CONSENSUS).map(rlp.encode), misspelled(CONSENSUS), st.binary(max_size=60)))
def test_consensus_data_makes_a_root_or_is_refused_by_name(data: bytes) -> None:
    node = chain("osaka")
    asked = attributes(node.head, consensus_data="0x" + data.hex())
    try:
        built = node.build(node.head.hash, asked, [], None)
    except _native.BlockInvalid as refusal:
        judge_named(refusal, *CONSENSUS_REFUSALS)
        return
    try:
        chain("prague").execute(built.block_rlp, data)
    except _native.BlockInvalid as refusal:
        judge_named(refusal)
