"""Everything the Rust core offers Python, on one page."""

def keccak256(data: bytes) -> bytes:
    """keccak-256 of `data`: 32 bytes."""

def address_of(secret: bytes) -> bytes:
    """The 20-byte address of a 32-byte secret key."""

def public_key_of(secret: bytes) -> bytes:
    """The 64-byte public key of a 32-byte secret key."""

def sign(secret: bytes, digest: bytes) -> bytes:
    """A 65-byte signature r ‖ s ‖ y parity over a 32-byte digest (RFC 6979, low s)."""

def recover_public_key(digest: bytes, signature: bytes) -> bytes:
    """The 64-byte public key that made a 65-byte signature; ValueError where no key could have."""

def run_statetests(text: bytes) -> bytes:
    """Run the state tests of one file's text: a JSON array of {name, fork, pass, stateRoot, error}."""

def run_blocktests(text: bytes) -> bytes:
    """Run the block tests of one file's text: a JSON array of {name, fork, pass, stateRoot, error}."""
