"""`coc wallet`: keys in, key files out, nothing secret on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coc.cli.wallet import command
from coc.primitives.keystore import open_key_file, parse_key_file
from coc.primitives.limits import PASSWORD_BYTES_MAX
from coc.primitives.mnemonic import DEV_MNEMONIC, dev_secrets

FIRST, SECOND = dev_secrets(DEV_MNEMONIC, 2)
FIRST_ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
SECOND_ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


class Wallet:
    """Runs the command against one folder of a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keystore = folder / "keystore"
        self.password_file = folder / "password"
        self.password_file.write_text("secret words\r\nsecond line\n")

    def run(self, *arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(command, [*arguments, "--keystore", str(self.keystore)], input=stdin)

    def make(self, *arguments: str, stdin: str | None = None) -> Result:
        return self.run(
            *arguments, "--light", "--password-file", str(self.password_file), "--json", stdin=stdin
        )


@pytest.fixture
def wallet(tmp_path: Path) -> Wallet:
    return Wallet(tmp_path)


def test_a_new_key_is_listed_and_opens_with_the_first_line_of_the_password_file(wallet: Wallet) -> None:
    made = json.loads(wallet.make("new").stdout)
    assert json.loads(wallet.run("list", "--json").stdout) == made
    key_file = parse_key_file(Path(made[0]["path"]).read_bytes())
    assert len(open_key_file(key_file, b"secret words")) == 32
    assert wallet.run("list").stdout == f"{made[0]['address']}  {made[0]['path']}\n"


@pytest.mark.parametrize("source", [f"0x{FIRST.hex()}\n", FIRST.hex(), DEV_MNEMONIC])
def test_hex_keys_and_mnemonics_are_imported_from_standard_input(wallet: Wallet, source: str) -> None:
    assert json.loads(wallet.make("import", "-", stdin=source).stdout)[0]["address"] == FIRST_ADDRESS


def test_another_account_of_a_mnemonic_is_reached_by_its_path(wallet: Wallet) -> None:
    made = wallet.make("import", "-", "--path", "m/44'/60'/0'/0/1", stdin=DEV_MNEMONIC)
    assert json.loads(made.stdout)[0]["address"] == SECOND_ADDRESS


def test_a_key_file_is_imported_with_its_own_password(wallet: Wallet, tmp_path: Path) -> None:
    source = json.loads(wallet.make("import", "-", stdin=SECOND.hex()).stdout)[0]["path"]
    old_password = tmp_path / "old-password"
    old_password.write_text("secret words")
    elsewhere = Wallet(tmp_path / "keystore")
    elsewhere.password_file.write_text("new words")
    made = json.loads(elsewhere.make("import", source, "--source-password-file", str(old_password)).stdout)
    assert made[0]["address"] == SECOND_ADDRESS
    assert open_key_file(parse_key_file(Path(made[0]["path"]).read_bytes()), b"new words") == SECOND


def test_key_and_password_are_asked_for_where_no_file_is_given(wallet: Wallet) -> None:
    result = wallet.run("import", "--light", "--json", stdin=f"{FIRST.hex()}\npw\npw\n")
    assert json.loads(result.stdout)[0]["address"] == FIRST_ADDRESS
    assert FIRST.hex() not in result.output


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("nonsense", "nothing to import"),
        ("00" * 32, "nothing to import"),
        (b"\xff\xfe".decode("latin-1"), "nothing to import"),
        ("test " * 12, "checksum"),
        ('{"version": 3}', "damaged"),
    ],
)
def test_what_cannot_be_imported_is_refused_in_one_line(wallet: Wallet, source: str, reason: str) -> None:
    result = wallet.make("import", "-", stdin=source)
    assert (result.exit_code, result.stdout, reason in result.stderr) == (1, "", True)
    assert result.stderr.count("\n") == 1
    assert wallet.run("list", "--json").stdout == "[]\n"


def test_a_wrong_password_is_called_so(wallet: Wallet, tmp_path: Path) -> None:
    source = json.loads(wallet.make("new").stdout)[0]["path"]
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    result = wallet.make("import", source, "--source-password-file", str(wrong))
    assert (result.exit_code, "COC-KEYFILE-PASSWORD" in result.stderr) == (1, True)


def test_an_empty_password_is_refused(wallet: Wallet) -> None:
    wallet.password_file.write_text("\n")
    result = wallet.make("new")
    assert (result.exit_code, "empty" in result.stderr) == (1, True)


def test_a_password_file_beyond_its_bound_is_the_wrong_file(wallet: Wallet) -> None:
    wallet.password_file.write_text("x" * PASSWORD_BYTES_MAX)
    assert wallet.make("new").exit_code == 0
    wallet.password_file.write_text("x" * (PASSWORD_BYTES_MAX + 1))
    assert wallet.make("new").exit_code == 1


def test_a_password_cannot_be_given_on_the_command_line(wallet: Wallet) -> None:
    assert wallet.run("new", "--password", "secret").exit_code == 2
