"""The key files of ethereum/tests open with their passwords to their keys."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from coc.primitives.keystore import PasswordWrong, open_key_file, parse_key_file

FOLDER = os.environ.get("CONFORMANCE_DIR")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="CONFORMANCE_DIR is not set")


def cases() -> list[Any]:
    if FOLDER is None:
        return []
    text = (Path(FOLDER) / "ethereum-tests" / "KeyStoreTests" / "basic_tests.json").read_text()
    return [pytest.param(case, id=name) for name, case in json.loads(text).items()]


@pytest.mark.parametrize("case", cases())
def test_the_file_opens_with_its_password_and_no_other(case: dict[str, Any]) -> None:
    key_file = parse_key_file(json.dumps(case["json"]).encode())
    assert open_key_file(key_file, case["password"].encode()).hex() == case["priv"]
    with pytest.raises(PasswordWrong):
        open_key_file(key_file, case["password"].encode() + b"x")
