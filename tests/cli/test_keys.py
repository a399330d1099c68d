"""`coc keys`: three keys into a folder, public halves out, no secret on the screen, nothing overwritten."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from coc.adapters.keystore import Keystore
from coc.adapters.node_keys import network_key, read_plain_key
from coc.adapters.validator_file import read_validator_file
from coc.primitives.keystore import open_key_file, parse_key_file
from coc.primitives.secp256k1 import Secret, address_of, public_key_of
from tests.cli.folders import coc, facts, own_genesis, refusal

RECIPIENT = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
OPERATOR = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"

KEY_NAMES = ("network", "consensus", "fee-recipient")


def secret_in(path: Path) -> Secret:
    secret = read_plain_key(path)
    assert secret is not None
    return secret


@pytest.fixture
def password(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("secret words\n")
    return path


def test_plain_keys_fit_their_public_file_and_are_their_owners_alone(tmp_path: Path) -> None:
    said = facts(coc("keys", "new", "--data", tmp_path / "d", "--insecure", "--json"))
    keys = tmp_path / "d" / "keys"
    public = read_validator_file(keys / "validator.json")
    network, consensus, fees = (secret_in(keys / f"{name}.key") for name in KEY_NAMES)
    assert (public.network_key, public.consensus_key) == (public_key_of(network), public_key_of(consensus))
    assert (public.fee_recipient, public.operator) == (address_of(fees), address_of(fees))
    assert said["feeRecipientKey"] == str(keys / "fee-recipient.key")
    assert [stat.S_IMODE(path.stat().st_mode) for path in sorted(keys.glob("*.key"))] == [0o600] * 3


def test_no_secret_is_printed(tmp_path: Path) -> None:
    shown = [
        coc("keys", "new", "--data", tmp_path / "d", "--insecure").output,
        coc("keys", "new", "--data", tmp_path / "e", "--insecure", "--json").output,
        coc("keys", "show", "--data", tmp_path / "d").output,
        coc("keys", "show", "--data", tmp_path / "d", "--json").output,
    ]
    secrets = [path.read_text().strip() for path in tmp_path.rglob("*.key")]
    assert len(secrets) == 6
    assert not any(secret in text for secret in secrets for text in shown)


def test_with_a_password_the_key_that_votes_is_encrypted_and_the_recipients_is_in_the_keystore(
    tmp_path: Path, password: Path
) -> None:
    options = ["--password-file", password, "--light", "--keystore", tmp_path / "store"]
    said = facts(coc("keys", "new", "--data", tmp_path / "d", *options, "--operator", OPERATOR, "--json"))
    key_file = parse_key_file((tmp_path / "d" / "keys" / "consensus.key").read_bytes())
    consensus = open_key_file(key_file, b"secret words")
    public = read_validator_file(tmp_path / "d" / "keys" / "validator.json")
    assert public.consensus_key == public_key_of(consensus)
    (stored,) = Keystore(tmp_path / "store").list()
    assert (stored.address, str(stored.path)) == (public.fee_recipient, said["feeRecipientKey"])
    assert said["operator"] == OPERATOR


def test_a_fee_recipient_that_is_given_needs_no_key(tmp_path: Path) -> None:
    said = facts(
        coc("keys", "new", "--data", tmp_path / "d", "--insecure", "--fee-recipient", RECIPIENT, "--json")
    )
    assert (said["feeRecipient"], said["operator"]) == (RECIPIENT, RECIPIENT)
    assert "feeRecipientKey" not in said
    assert not (tmp_path / "d" / "keys" / "fee-recipient.key").exists()
    mistyped = RECIPIENT.replace("f39F", "f39f")
    assert "checksum" in refusal(
        coc("keys", "new", "--data", tmp_path / "e", "--insecure", "--fee-recipient", mistyped)
    )


def test_no_key_is_ever_overwritten(tmp_path: Path) -> None:
    coc("keys", "new", "--data", tmp_path / "d", "--insecure")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    said = refusal(coc("keys", "new", "--data", tmp_path / "d", "--insecure"))
    assert "never overwritten" in said
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_node_that_follows_keeps_its_identity_when_it_becomes_a_validator(tmp_path: Path) -> None:
    identity = network_key(tmp_path / "d")
    said = facts(coc("keys", "new", "--data", tmp_path / "d", "--insecure", "--json"))
    assert said["networkKey"] == f"0x{public_key_of(identity).hex()}"


def test_keys_may_be_there_before_the_chain(tmp_path: Path) -> None:
    coc("keys", "new", "--data", tmp_path / "d", "--insecure")
    made = facts(coc("init", "--data", tmp_path / "d", "--genesis", own_genesis(tmp_path), "--json"))
    assert made["created"]


def test_show_says_what_new_said_and_notices_keys_of_another_validator(
    tmp_path: Path, password: Path
) -> None:
    made = facts(coc("keys", "new", "--data", tmp_path / "d", "--insecure", "--json"))
    made.pop("feeRecipientKey")
    assert facts(coc("keys", "show", "--data", tmp_path / "d", "--json")) == made
    assert "coc keys new" in refusal(coc("keys", "show", "--data", tmp_path / "none"))
    encrypted = ["--password-file", password, "--light", "--fee-recipient", RECIPIENT]
    coc("keys", "new", "--data", tmp_path / "e", *encrypted)
    assert coc("keys", "show", "--data", tmp_path / "e").exit_code == 0
    for name in ("consensus.key", "network.key"):
        place = tmp_path / "d" / "keys" / name
        own = place.read_bytes()
        place.write_bytes((tmp_path / "e" / "keys" / name).read_bytes())
        assert "not of one validator" in refusal(coc("keys", "show", "--data", tmp_path / "d"))
        place.write_bytes(own)


def test_insecure_excludes_a_password_and_an_empty_one_is_refused(tmp_path: Path, password: Path) -> None:
    asked = ["keys", "new", "--data", tmp_path / "d"]
    assert coc(*asked, "--insecure", "--password-file", password).exit_code == 2
    password.write_text("\n")
    assert "empty" in refusal(coc(*asked, "--password-file", password))
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": RECIPIENT}, "not the address"),
        ({"consensusKey": "0x00"}, "64 bytes"),
        ({"operator": 7}, "not text"),
        ({"more": "x"}, "members"),
    ],
)
def test_a_public_file_that_was_changed_is_refused(
    tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    coc("keys", "new", "--data", tmp_path / "d", "--insecure")
    path = tmp_path / "d" / "keys" / "validator.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert reason in refusal(coc("keys", "show", "--data", tmp_path / "d"))
