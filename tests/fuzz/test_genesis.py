"""Genesis files from strangers: both readers take one or say why not; what both take makes a chain."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from coc import _native
from coc.execution.dev_genesis import DevGenesis, dev_genesis
from coc.execution.forks import ForksInvalid
from coc.execution.genesis import read_genesis
from coc.execution.genesis_fields import GenesisInvalid
from coc.primitives.types import Address
from coc.primitives.validators import Validator, address_of_key
from tests.fuzz.budget import tries
from tests.fuzz.chains import FORKS, SECRET, attributes, genesis
from tests.fuzz.mutation import rewritten, torn
from tests.fuzz.refusals import judge, judge_named

OPTIONS = b'{"node_cache_bytes": 1048576}'


@cache
def ours() -> Any:
    """A genesis file of one of our own chains."""
    key = _native.public_key_of(SECRET)
    validator = Validator(address_of_key(key), key, key, 1, Address(bytes(20)))
    return json.loads(dev_genesis(DevGenesis([Address(_native.address_of(SECRET))], validator)))


GENESES = st.one_of(st.sampled_from(FORKS).map(genesis), st.deferred(lambda: st.just(ours())))


def look_at(text: bytes) -> None:
    try:
        checked = read_genesis(text)
    except (GenesisInvalid, ForksInvalid) as refusal:
        judge(refusal)
        return
    try:
        chain = _native.Chain.open(checked.text, None, OPTIONS)
    except _native.GenesisInvalid as refusal:
        judge(refusal)
        return
    assert chain.is_coc == (checked.coc is not None)
    head = chain.head
    assert head.timestamp == checked.timestamp
    json.loads(chain.block_json(head.hash, True) or b"")
    json.loads(chain.fee_history_json(head.hash, 1, [50.0]))
    try:
        chain.build(head.hash, attributes(head), [], None)
    except _native.BlockInvalid as refusal:
        judge_named(refusal)


@tries(400)
@given(rewritten(GENESES, 2))
def test_a_rewritten_genesis_makes_a_chain_or_is_refused(root: Any) -> None:
    look_at(json.dumps(root).encode())


@tries(200)
@given(torn(GENESES.map(lambda root: json.dumps(root).encode())))
def test_a_torn_genesis_makes_a_chain_or_is_refused(text: bytes) -> None:
    look_at(text)


@tries(300)
@given(st.one_of(rewritten(GENESES, 2).map(lambda root: json.dumps(root).encode()), st.binary(max_size=200)))
def test_the_core_alone_refuses_what_it_cannot_use(text: bytes) -> None:
    try:
        chain = _native.Chain.open(text, None, OPTIONS)
    except _native.GenesisInvalid as refusal:
        judge(refusal)
        return
    json.loads(chain.block_json(chain.head.hash, True) or b"")


@tries(100)
@given(rewritten(st.just({"node_cache_bytes": 2**20, "block_cache_bytes": 2**20, "reserve_bytes": 2**20})))
def test_options_are_used_or_refused(options: Any) -> None:
    small = options if not isinstance(options, dict) else {name: options[name] for name in options}
    try:
        _native.Chain.open(json.dumps(genesis("frontier")).encode(), None, json.dumps(small).encode())
    except ValueError as refusal:
        judge(refusal)
