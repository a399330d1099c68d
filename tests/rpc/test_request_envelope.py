"""What comes back for a body, whatever the method: ids, versions, notifications, and JSON that is none."""

import msgspec
import pytest

from coc.primitives.limits_rpc import RPC_ID_BYTES_MAX, RPC_JSON_DEPTH_LEVELS_MAX, RPC_METHOD_CHARS_MAX
from tests.rpc.fakes import Node


def error_code(answer: bytes | None) -> int:
    assert answer is not None
    decoded = msgspec.json.decode(answer)
    assert decoded["jsonrpc"] == "2.0"
    code: int = decoded["error"]["code"]
    return code


@pytest.mark.parametrize(
    "request_id",
    [
        b"1",
        b"0",
        b"-7",
        b"null",
        b'"a"',
        b'""',
        b"1.5",
        b'"\\u00e9\\n"',
        '"é"'.encode(),
        b"123456789012345678901234567890",
    ],
)
def test_an_id_comes_back_as_it_was_sent(request_id: bytes) -> None:
    answer = Node().send(b'{"jsonrpc":"2.0","method":"eth_chainId","id":%b}' % request_id)

    assert answer is not None
    sent = msgspec.json.decode(b'{"id":%b}' % request_id)["id"]
    assert msgspec.json.decode(answer) == {"jsonrpc": "2.0", "id": sent, "result": "0x539"}


@pytest.mark.parametrize("request_id", [b"true", b"{}", b"[1]", b'{"a":1}', b"false"])
def test_an_id_of_another_kind_is_an_invalid_request_answered_to_null(request_id: bytes) -> None:
    answer = Node().send(b'{"jsonrpc":"2.0","method":"eth_chainId","id":%b}' % request_id)

    assert error_code(answer) == -32600
    assert answer is not None
    assert msgspec.json.decode(answer)["id"] is None


@pytest.mark.parametrize("kind", [b'"%b"', b"%b"])
def test_an_id_is_bounded_in_bytes(kind: bytes) -> None:
    fits, too_long = (
        kind % (b"7" * (size - kind.count(b'"'))) for size in (RPC_ID_BYTES_MAX, RPC_ID_BYTES_MAX + 1)
    )

    assert Node().send(b'{"jsonrpc":"2.0","method":"eth_chainId","id":%b}' % fits) is not None
    assert error_code(Node().send(b'{"jsonrpc":"2.0","method":"eth_chainId","id":%b}' % too_long)) == -32600


def test_a_request_without_an_id_is_done_and_not_answered() -> None:
    node = Node()

    answer = node.send(b'{"jsonrpc":"2.0","method":"evm_mine"}')

    assert answer is None
    assert node.chain.head.number == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"nonsense",
        b'{"jsonrpc":"2.0",}',
        b"[1,",
        b'{"a":"\xff"',
        b"\x00\x01",
        b"[" * 5,
        b'{"id":1}}',
    ],
)
def test_bytes_that_are_no_json_are_a_parse_error(body: bytes) -> None:
    assert error_code(Node().send(body)) == -32700


@pytest.mark.parametrize(
    "body",
    [
        b"1",
        b"null",
        b'"eth_chainId"',
        b"{}",
        b'{"jsonrpc":"2.0","id":1}',
        b'{"jsonrpc":"2.0","id":1,"method":5}',
        b'{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}',
        b'{"id":1,"method":"eth_chainId"}',
        b'{"jsonrpc":2.0,"id":1,"method":"eth_chainId"}',
        b"[]",
    ],
)
def test_json_that_is_no_request_is_an_invalid_request(body: bytes) -> None:
    assert error_code(Node().send(body)) == -32600


def test_an_invalid_request_is_answered_to_the_id_it_has() -> None:
    answer = Node().send(b'{"jsonrpc":"2.0","id":"x","method":7}')

    assert answer is not None
    assert msgspec.json.decode(answer)["id"] == "x"


def test_an_unknown_method_is_named_in_the_error() -> None:
    code, message = Node().refusal("eth_nothing")

    assert code == -32601
    assert message == "the method eth_nothing does not exist/is not available"


def test_a_long_method_name_is_cut_in_the_error() -> None:
    _, message = Node().refusal("x" * (RPC_METHOD_CHARS_MAX + 1))

    assert "x" * RPC_METHOD_CHARS_MAX + "…" in message


@pytest.mark.parametrize("parameters", [b'{"address":"0x"}', b"5", b'"0x1"', b"true"])
def test_parameters_that_are_no_array_are_invalid(parameters: bytes) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":%b}' % parameters

    assert error_code(Node().send(body)) == -32602


@pytest.mark.parametrize("parameters", [b"", b',"params":[]', b',"params":null', b',"params":[ ]'])
def test_absent_null_and_empty_parameters_mean_the_same(parameters: bytes) -> None:
    answer = Node().send(b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"%b}' % parameters)

    assert answer == b'{"jsonrpc":"2.0","id":1,"result":"0x539"}'


def test_too_many_and_too_few_parameters_are_invalid() -> None:
    node = Node()

    assert node.refusal("eth_chainId", 1) == (-32602, "too many arguments: got 1, want at most 0")
    assert node.refusal("eth_getBalance")[0] == -32602


def test_parameters_are_bounded_in_depth() -> None:
    def nested(levels: int) -> bytes:
        return b'{"jsonrpc":"2.0","id":1,"method":"eth_getLogs","params":%b}' % (
            b"[" * levels + b"]" * levels
        )

    at_the_limit = Node().send(nested(RPC_JSON_DEPTH_LEVELS_MAX))
    above = Node().send(nested(RPC_JSON_DEPTH_LEVELS_MAX + 1))

    assert at_the_limit is not None
    assert b"RPC_JSON_DEPTH_LEVELS_MAX" not in at_the_limit
    assert above is not None
    assert b"RPC_JSON_DEPTH_LEVELS_MAX" in above
    assert error_code(above) == -32602


def test_brackets_inside_strings_do_not_count_as_depth() -> None:
    text = "[{" * 100

    assert Node().refusal("eth_getCode", text)[1].startswith("invalid argument 0 (address)")


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"method":' + b"[" * 100_000 + b"]" * 100_000 + b"}"]
)
def test_depth_that_would_exhaust_the_stack_is_refused(body: bytes) -> None:
    assert error_code(Node().send(body)) in (-32600, -32700)


def test_white_space_around_a_body_is_allowed() -> None:
    answer = Node().send(b' \r\n{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}\n')

    assert answer == b'{"jsonrpc":"2.0","id":1,"result":"0x539"}'
