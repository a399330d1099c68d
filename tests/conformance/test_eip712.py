"""The typed-data documents of eth-account: valid ones have the digest it gives, invalid ones are refused.

The documents come without digests; those below were computed with eth-account 0.14.
"""

# ruff: noqa: E501 - the names are the suite's own

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from coc.primitives.eip712 import hash_typed_data
from coc.primitives.eip712_types import TypedDataInvalid

FOLDER = os.environ.get("CONFORMANCE_DIR")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="CONFORMANCE_DIR is not set")

DIGESTS = {
    "fx_valid_eip712_example": "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2",
    "fx_valid_eip712_example_with_array": "1780e7e042fa9ec126ccb68cd707d61580d00601b3eff8a5ec05116b46007fdb",
    "fx_valid_eip712_example_with_multi_array": "da275374c3a0790d389b6490d6fdf499f39c72105423f09d7b9be62d2fc08671",
    "fx_valid_message_nested_structs": "0c9b68928afbff5af30e99ae29fcdf1cc36974f7ba4a6e4336cc98daa4f0c2af",
    "valid_space_in_custom_type_fieldname": "71a6b0afa1e5dcddf680d85068e2674a73d60e07a9d047c8f210871804dbba80",
    "valid_multi_no_fixed_len_array": "9d4ed1abf83bd225db7e2023022a780ab06ef130800e9cc8f4550f73e027a5ca",
    "valid_eip712_example": "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2",
    "valid_issue_201_with_array": "3251bee8474b58a5df1adab9be78e2b18462d7a5ddf423389dcf98042188bef3",
    "valid_eip712_example_with_array": "1780e7e042fa9ec126ccb68cd707d61580d00601b3eff8a5ec05116b46007fdb",
    "valid_eip712_example_addresses_not_checksummed": "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2",
    "valid_issue_201_no_array": "09eb75cfd1cd5661523c7a3e681f07d57b108a6aff997658939c4dff0006e74a",
    "valid_multi_array": "da275374c3a0790d389b6490d6fdf499f39c72105423f09d7b9be62d2fc08671",
    "valid_primary_type_is_empty_string": "da5079987d5ea68beca14009948a4034b066bc86426dc802f4a5762f435b91ff",
    "valid_space_in_custom_type_metamask_returns_empty_string_if_non_alphanum_in_custom_type": "2400908e325752e9254840a4c509b5e8110a5a6c0f96d83d714b87ac6a20735a",
    "valid_missing_eip712_type_metamask_ignores_domain_data_if_domain_types_not_present": "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2",
    "valid_missing_primary_type_key_metamask_requires_primary_type_key": "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2",
    "valid_missing_primary_type_key_and_eip712domain_type_metamask_needs_primarytype": "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2",
    "valid_int_value_for_string_type_ethers_handles_mismatched_type_and_value_differently": "a33fb511c69c282a4d9bf1d8a38e06c5b33b427e1bcf478cf0e28264ec5e305c",
    "valid_null_value_for_custom_type_ethers_requires_non_null": "56467729e7f0d32c0111820eb989210f3b1a435e3b1029f5e4dfad8ee77df6b0",
    "valid_nested_structs_ethers_does_not_accept_recursive_custom_type_arrays": "0c9b68928afbff5af30e99ae29fcdf1cc36974f7ba4a6e4336cc98daa4f0c2af",
    "valid_eip712_example_ethers_does_not_accept_recursive_custom_types": "dd2f8d6d34b76907e5f62c9be7226eb27afea844816197751b3da2c9660aba7f",
}

CONTRADICTED = {
    # An earlier suite calls a number in a string invalid; a later one (`valid_int_value_for_string_type…`) calls
    # it valid, and wallets agree with the later.
    "fx_invalid_message_value_type_mismatch_type",
}


def documents() -> dict[str, tuple[bool, Any]]:
    """Every document by name, and whether it is valid."""
    found: dict[str, tuple[bool, Any]] = {}
    if FOLDER is None:
        return found
    for path in sorted((Path(FOLDER) / "eip712").glob("eth-account_*.json")):
        name = path.stem.removeprefix("eth-account_")
        content = json.loads(path.read_text())
        cases = {name: content} if "domain" in content else content
        found |= {title: ("invalid" not in name, document) for title, document in cases.items()}
    return found


DOCUMENTS = documents()


@pytest.mark.parametrize("name", [name for name, (is_valid, _) in DOCUMENTS.items() if is_valid])
def test_a_valid_document_has_its_digest(name: str) -> None:
    assert hash_typed_data(json.dumps(DOCUMENTS[name][1]).encode()).digest.hex() == DIGESTS[name]


@pytest.mark.parametrize("name", [name for name, (is_valid, _) in DOCUMENTS.items() if not is_valid])
def test_an_invalid_document_is_refused(name: str) -> None:
    text = json.dumps(DOCUMENTS[name][1]).encode()
    if name in CONTRADICTED:
        assert len(hash_typed_data(text).digest) == 32
        return
    with pytest.raises(TypedDataInvalid):
        hash_typed_data(text)


def test_every_document_was_seen() -> None:
    assert len(DOCUMENTS) == 40
