"""From words to keys: published vectors, the well-known development accounts, and refusals."""

from __future__ import annotations

import hashlib

import pytest

from coc.primitives import mnemonic
from coc.primitives.checksum import format_checked
from coc.primitives.limits import DERIVATION_DEPTH_LEVELS_MAX, DEV_ACCOUNTS_MAX, MNEMONIC_CHARS_MAX
from coc.primitives.mnemonic_words import ENGLISH
from coc.primitives.secp256k1 import address_of

DEV_ADDRESSES = [
    "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
    "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
    "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
    "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
    "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
    "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
    "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
    "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
]


def test_the_word_list_is_that_of_bip_39() -> None:
    digest = hashlib.sha256(("\n".join(ENGLISH) + "\n").encode()).hexdigest()
    assert digest == "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"


def test_the_ten_development_accounts_are_those_that_every_tool_knows() -> None:
    secrets = mnemonic.dev_secrets(mnemonic.DEV_MNEMONIC, 10)
    assert [format_checked(address_of(secret)) for secret in secrets] == DEV_ADDRESSES
    assert secrets[0].hex() == "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"


@pytest.mark.parametrize(
    ("words", "seed"),
    [
        (
            "abandon " * 11 + "about",
            "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04",
        ),
        (
            "zoo " * 23 + "vote",
            "dd48c104698c30cfe2b6142103248622fb7bb0ff692eebb00089b32d22484e1613912f0a5b694407be899ffd31ed3992c456cdf60f5d4564b8ba3f05a69890ad",
        ),
    ],
)
def test_seeds_are_those_of_the_bip_39_vectors(words: str, seed: str) -> None:
    assert mnemonic.seed_of(words, "TREZOR").hex() == seed


@pytest.mark.parametrize(
    ("path", "secret"),
    [
        ("m", "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35"),
        ("m/0'", "edb2e14f9ee77d26dd93b4ecede8d16ed408ce149b6cd80b0715a2d911a0afea"),
        ("m/0'/1", "3c6cb8d0f6a264c91ea8b5030fadaa8e538b020f0a387421a12de9319dc93368"),
        ("m/0'/1/2'", "cbce0d719ecf7431d88e6a89fa1483e02e35092af60c042b1df2ff59fa424dca"),
        ("m/0'/1/2'/2/1000000000", "471b76e389e528d6de6d816857e012c5455051cad6660850e58372a6c3e6e7c8"),
    ],
)
def test_derived_keys_are_those_of_the_first_bip_32_vector(path: str, secret: str) -> None:
    assert mnemonic.derive(bytes(range(16)), path).hex() == secret


@pytest.mark.parametrize(
    "words", ["", "test", "test " * 11, "test " * 12, "test " * 13, "tset " + "test " * 10 + "junk"]
)
def test_words_that_are_no_sentence_are_refused(words: str) -> None:
    with pytest.raises(mnemonic.MnemonicInvalid):
        mnemonic.seed_of(words)


def test_case_and_spaces_do_not_matter() -> None:
    loose = "  TEST  test test test test test\ttest test test test test Junk\n"
    assert mnemonic.normal_sentence(loose) == mnemonic.DEV_MNEMONIC


def test_text_longer_than_any_sentence_is_refused_unread() -> None:
    with pytest.raises(mnemonic.MnemonicInvalid, match="longer"):
        mnemonic.normal_sentence("x" * (MNEMONIC_CHARS_MAX + 1))


@pytest.mark.parametrize(
    "path", ["", "44'/60'", "m/", "m/x", "m/-1", "m/01", "m/2147483648", "m/1''", "m//1", "M/1", "m/1h"]
)
def test_text_that_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(mnemonic.PathInvalid):
        mnemonic.parse_path(path)


def test_a_path_has_at_most_as_many_steps_as_bip_32_can_count() -> None:
    assert len(mnemonic.parse_path("m" + "/0" * DERIVATION_DEPTH_LEVELS_MAX)) == DERIVATION_DEPTH_LEVELS_MAX
    with pytest.raises(mnemonic.PathInvalid):
        mnemonic.parse_path("m" + "/0" * (DERIVATION_DEPTH_LEVELS_MAX + 1))


def test_a_devnet_has_at_most_as_many_accounts_as_the_limit() -> None:
    secrets = mnemonic.dev_secrets(mnemonic.DEV_MNEMONIC, DEV_ACCOUNTS_MAX)
    assert len(set(secrets)) == DEV_ACCOUNTS_MAX
    with pytest.raises(mnemonic.PathInvalid, match="too many accounts"):
        mnemonic.dev_secrets(mnemonic.DEV_MNEMONIC, DEV_ACCOUNTS_MAX + 1)
