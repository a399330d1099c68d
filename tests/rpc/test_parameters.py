"""Parameters are taken in exactly one form, and what is refused is said."""

from typing import Any

import pytest

from coc.rpc.errors import CallError
from coc.rpc.parameters import (
    REQUIRED,
    TEXT,
    Kind,
    Parameter,
    ParameterInvalid,
    bind,
    decode_address,
    decode_boolean,
    decode_count,
    decode_data,
    decode_hash32,
    decode_percentiles,
    decode_quantity,
    decode_storage_slot,
    decode_uint64,
    list_of,
)


@pytest.mark.parametrize(
    ("text", "value"), [("0x0", 0), ("0xff", 255), ("0xAb", 171), ("0x" + "f" * 64, 2**256 - 1)]
)
def test_a_quantity_is_read(text: str, value: int) -> None:
    assert decode_quantity(text) == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0x",
        "2",
        "0x00",
        "0x01",
        "0xg",
        "0X1",
        " 0x1",
        "0x1 ",
        "0x_1",
        "0x1_0",
        "+0x1",
        "-0x1",
        "0x" + "1" * 65,
        "0x١",
    ],
)
def test_a_quantity_in_another_form_is_refused(value: str) -> None:
    with pytest.raises(ParameterInvalid):
        decode_quantity(value)


@pytest.mark.parametrize("value", [1, 1.0, True, None, [], {}, ["0x1"]])
@pytest.mark.parametrize(
    "decode", [decode_quantity, decode_data, decode_address, decode_hash32, decode_uint64]
)
def test_nothing_but_text_is_taken_for_text(decode: Any, value: object) -> None:
    with pytest.raises(ParameterInvalid, match="want a string"):
        decode(value)


def test_a_64_bit_quantity_is_bounded() -> None:
    assert decode_uint64("0xffffffffffffffff") == 2**64 - 1
    with pytest.raises(ParameterInvalid):
        decode_uint64("0x10000000000000000")


@pytest.mark.parametrize("value", ["0x1", "0x 12", "0x12 ", "0xzz", "12", "0x1g", "0x\u0661\u0661"])
def test_data_in_another_form_is_refused(value: str) -> None:
    with pytest.raises(ParameterInvalid):
        decode_data(value)


@pytest.mark.parametrize("size", [0, 19, 21, 32])
def test_an_address_has_twenty_bytes(size: int) -> None:
    with pytest.raises(ParameterInvalid, match="20 bytes"):
        decode_address("0x" + "ab" * size)


def test_an_address_is_taken_in_any_letter_case() -> None:
    assert decode_address("0x" + "aB" * 20) == bytes.fromhex("ab" * 20)


@pytest.mark.parametrize("value", [0, 1, "true", "false", None, "0x1"])
def test_a_boolean_is_true_or_false_and_nothing_like_it(value: object) -> None:
    with pytest.raises(ParameterInvalid):
        decode_boolean(value)


@pytest.mark.parametrize(("value", "count"), [("0x5", 5), (5, 5), (0, 0)])
def test_a_count_may_be_a_plain_integer(value: object, count: int) -> None:
    assert decode_count(value) == count


@pytest.mark.parametrize("value", [True, -1, 1.5, "5", 2**64])
def test_a_count_is_no_boolean_fraction_or_negative_number(value: object) -> None:
    with pytest.raises(ParameterInvalid):
        decode_count(value)


@pytest.mark.parametrize(
    ("text", "slot"), [("0x0", 0), ("0x", 0), ("0x1", 1), ("0x01", 1), ("0x" + "00" * 31 + "07", 7)]
)
def test_a_storage_slot_may_be_short(text: str, slot: int) -> None:
    assert decode_storage_slot(text) == slot.to_bytes(32, "big")


@pytest.mark.parametrize("text", ["0x" + "0" * 65, "0xasdf", "00", "0x 1", "0x+1"])
def test_a_bad_storage_slot_has_the_code_of_the_tests_of_execution_apis(text: str) -> None:
    with pytest.raises(CallError) as refusal:
        decode_storage_slot(text)

    assert refusal.value.code == -32000


@pytest.mark.parametrize("value", [[101], [-1], [50, 25], [True], ["5"], "5", [None]])
def test_percentiles_rise_between_0_and_100(value: object) -> None:
    with pytest.raises(ParameterInvalid):
        decode_percentiles(value)


def test_an_optional_parameter_may_be_absent_or_null() -> None:
    parameters = (Parameter("a", TEXT), Parameter("b", TEXT, default="b"), Parameter("c", TEXT, default="c"))

    assert bind(parameters, ["x"]) == ("x", "b", "c")
    assert bind(parameters, ["x", None, "z"]) == ("x", "b", "z")


@pytest.mark.parametrize("values", [[], [None]])
def test_a_required_parameter_may_be_neither(values: list[object]) -> None:
    with pytest.raises(CallError) as refusal:
        bind((Parameter("a", TEXT),), values)

    assert refusal.value.code == -32602


def test_a_refusal_names_the_parameter() -> None:
    with pytest.raises(CallError, match=r"invalid argument 1 \(second\): want a string, got a number"):
        bind((Parameter("first", TEXT), Parameter("second", TEXT)), ["x", 5])


def test_a_list_is_bounded_and_names_its_limit() -> None:
    kind: Kind[list[str]] = list_of(TEXT, 2, "SOME_LIMIT")

    assert kind.decode(["a", "b"]) == ["a", "b"]
    with pytest.raises(ParameterInvalid, match="SOME_LIMIT"):
        kind.decode(["a", "b", "c"])


def test_a_parameter_without_default_is_required() -> None:
    assert Parameter("a", TEXT, REQUIRED).required
    assert not Parameter("a", TEXT, None).required
