"""Judging a finality proof: forward from what the verifier trusts, one certified block after the other.

A walk stands at a block that is proved, and knows the set that votes after it. A link takes it to the end of
that set's period and names the next set; the target ends it. Nothing is taken over that a certificate of the
very set at its height does not cover; why that is enough stands in the rules FIN-1 … FIN-14.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, TypeVar

from coc.consensus.bft.certificates import verify_certificate
from coc.consensus.bft.power import Electorate
from coc.consensus.finality.checkpoint import Checkpoint, TrustedBlock
from coc.consensus.finality.faults import AnchorUnfit, FinalityRefused, ProofFileInvalid, ProofInvalid
from coc.consensus.finality.header import Header, decode_header
from coc.consensus.finality.records import Anchor, CheckpointAnchor, GenesisAnchor, Link, Record, Target
from coc.consensus.finality.rules import ChainRules, Registry
from coc.primitives.consensus_data import decode_consensus_data
from coc.primitives.consensus_root import (
    NEXT_VALIDATORS_FIELD,
    VALIDATORS_FIELD,
    leaf_of,
    root_from,
    root_of,
)
from coc.primitives.errors import CocError
from coc.primitives.frozen import frozen
from coc.primitives.keccak import keccak256
from coc.primitives.secp256k1 import recover_address
from coc.primitives.types import Hash32, Height
from coc.primitives.validators import ValidatorSet
from coc.primitives.votes import decode_certificate

T = TypeVar("T")

ReadRules: TypeAlias = Callable[[Header, bytes], ChainRules]
"""Reads a chain's rules from the header of its block 0 and the `config` that this one covers."""


@frozen
class Trust:
    """What a verifier knows without the proof: which chain, and perhaps a final block of it."""

    genesis_hash: Hash32
    checkpoint: Checkpoint | None = None


@frozen
class Finality:
    """What a proof has shown. `checkpoint` is None on a chain whose validators never change."""

    block: Header
    anchor_height: Height
    periods: int
    set_changes: int
    signatures: int
    checkpoint: Checkpoint | None


def verify_proof(records: Iterable[Record], trust: Trust, now_s: int, read_rules: ReadRules) -> Finality:
    """What a proof shows to somebody with this trust and this clock.

    Raises:
        ProofFileInvalid: there is no anchor at the beginning, or no target at the end.
        ProofInvalid: something in it is not proved.
        AnchorUnfit: it begins elsewhere than at what is trusted, or that is too old.
    """
    in_order = iter(records)
    anchor = next(in_order, None)
    if not isinstance(anchor, GenesisAnchor | CheckpointAnchor):
        raise ProofFileInvalid("the proof does not begin with an anchor")
    walk = _explained(1, partial(_begin, anchor, trust, now_s, read_rules))
    for position, record in enumerate(in_order, start=2):
        match record:
            case Link():
                _explained(position, partial(walk.follow, record))
            case Target():
                found = _explained(position, partial(walk.finish, record))
                if next(in_order, None) is not None:
                    raise ProofFileInvalid("the proof goes on after its target")
                return found
            case _:
                raise ProofFileInvalid("the proof has a second anchor")
    raise ProofFileInvalid("the proof ends before its target", cure="get the file again; it was cut short")


@dataclass(slots=True)
class Walk:
    """A proof half read: a block that is proved, and the set that votes after it.

    `clock_s` is the verifier's clock where its trust depends on one.
    """

    rules: ChainRules
    anchor_height: Height
    block: Header
    validators: ValidatorSet
    electorate: Electorate
    clock_s: int | None
    periods: int = 0
    set_changes: int = 0
    signatures: int = 0

    def follow(self, link: Link) -> None:
        """Go to the last block of the period, which names the next set (FIN-5, FIN-6).

        Raises:
            ProofInvalid, PrimitivesError, CertificateInvalid: it is another block, or not proved.
        """
        header = decode_header(link.header)
        due = self._holds_until()
        if header.height != due:
            raise ProofInvalid(
                f"block {header.height} is no link of this proof",
                why=f"after {self.block.height} {due} is due",
            )
        if link.next_validators == self.validators:
            raise ProofInvalid(f"the link at {header.height} repeats the set that it does not change")
        next_validators = link.next_validators or self.validators
        own_leaf = leaf_of(VALIDATORS_FIELD, self.validators.encode())
        path = (own_leaf, *link.siblings)
        if root_from(NEXT_VALIDATORS_FIELD, next_validators.encode(), path) != header.consensus_root:
            raise ProofInvalid(f"block {header.height} does not name these sets")
        self._check_certified(header, link.certificate)
        self.periods += 1
        if link.next_validators is not None:
            self.set_changes += 1
            self.validators = next_validators
            self.electorate = Electorate.of(next_validators)

    def finish(self, target: Target) -> Finality:
        """Judge the block that the proof is about (FIN-7).

        Raises:
            ProofInvalid, PrimitivesError, CertificateInvalid: it is not proved.
            AnchorUnfit: it shows that the verifier's clock is wrong.
        """
        header = decode_header(target.header)
        last = self._holds_until()
        if header.height <= self.block.height or (last is not None and header.height > last):
            raise ProofInvalid(
                f"nothing is known about the set of block {header.height}",
                why=f"the proof stands at {self.block.height}, and its set holds until {last}",
            )
        if root_of(target.consensus_data) != header.consensus_root:
            raise ProofInvalid(f"the consensus data are not those of block {header.height}")
        data = decode_consensus_data(target.consensus_data)
        if data.validators != self.validators:
            raise ProofInvalid(f"block {header.height} names another set than votes on it")
        if header.height != last and data.next_validators != self.validators:
            raise ProofInvalid(f"block {header.height} changes the set inside a period")
        self._check_certified(header, target.certificate)
        if self.clock_s is not None and header.time_s > self.clock_s + self.rules.clock_tolerance_s:
            raise AnchorUnfit(
                "this machine's clock is wrong, so nothing is known about the checkpoint's age",
                why=f"block {header.height} was made {header.time_s - self.clock_s} s ahead of it",
                cure="set the clock and verify again",
            )
        return self._finality(header, data.next_validators.hash())

    def _finality(self, header: Header, next_set_hash: Hash32) -> Finality:
        checkpoint = Checkpoint(
            self.rules.genesis_hash, header.height, header.hash, next_set_hash, header.time_s
        )
        return Finality(
            header,
            self.anchor_height,
            self.periods,
            self.set_changes,
            self.signatures,
            None if self.rules.registry is None else checkpoint,
        )

    def _holds_until(self) -> Height | None:
        return self.rules.holds_until(Height(self.block.height + 1))

    def _check_certified(self, header: Header, encoded: bytes) -> None:
        """A quorum of the set of its height decided this very block, and it comes after the last one."""
        if header.time_s <= self.block.time_s:
            raise ProofInvalid(f"block {header.height} is not later than block {self.block.height}")
        if header.height == self.block.height + 1 and header.parent_hash != self.block.hash:
            raise ProofInvalid(f"block {header.height} is no child of block {self.block.height}")
        certificate = decode_certificate(encoded)
        if (certificate.height, certificate.block) != (header.height, header.hash):
            raise ProofInvalid(
                f"the certificate of block {header.height} is another block's",
                why=f"it is of {certificate.height} 0x{certificate.block.hex()}",
            )
        verify_certificate(certificate, self.rules.genesis_hash, self.electorate, recover_address)
        self.signatures += len(certificate.signatures)
        self.block = header


def walk_from(anchor: CheckpointAnchor, trusted: TrustedBlock, rules: ChainRules, now_s: int) -> Walk:
    """Stand at a trusted block of a chain whose rules are known, with the set that its anchor names.

    Raises:
        ProofInvalid, PrimitivesError: it is the anchor of another block, or does not prove its set.
        AnchorUnfit: the block is the trusted one, and nothing can begin there.
    """
    header = decode_header(anchor.header)
    if (header.height, header.hash) != (trusted.height, trusted.block):
        raise ProofInvalid(f"block {header.height} is not the checkpoint's", why=f"it is {header.hash.hex()}")
    set_hash = anchor.next_validators.hash()
    found = Checkpoint(rules.genesis_hash, header.height, header.hash, set_hash, header.time_s)
    known = trusted if isinstance(trusted, Checkpoint) else found
    _check_anchor(anchor, header)
    return _at_checkpoint(anchor, known, rules, now_s)


def refuse_unfit(trusted: TrustedBlock, rules: ChainRules, now_s: int) -> None:
    """See before anything is asked whether one can begin at this block, as far as that is known (FIN-11).

    Raises:
        AnchorUnfit: it is of another chain, or too old, or the chain has no checkpoints.
    """
    if rules.registry is None:
        raise _without_checkpoints()
    if trusted.height == 0:
        raise AnchorUnfit("block 0 is no checkpoint", cure="begin at genesis: leave the checkpoint out")
    if not isinstance(trusted, Checkpoint):
        return
    if trusted.genesis_hash != rules.genesis_hash:
        raise AnchorUnfit(
            "the checkpoint is of another chain",
            why=f"its genesis is 0x{trusted.genesis_hash.hex()}, here it is 0x{rules.genesis_hash.hex()}",
            cure="get a checkpoint of this chain from somebody you trust",
        )
    _refuse_old(trusted.time_s, rules.registry, now_s)


def _without_checkpoints() -> AnchorUnfit:
    return AnchorUnfit(
        "this chain has no checkpoints",
        why="its validators never change and have no stake to lose",
        cure="begin at genesis; that way is no longer",
    )


def _refuse_old(time_s: int, registry: Registry, now_s: int) -> None:
    age_s = now_s - time_s
    if age_s > registry.trust_s:
        raise AnchorUnfit(
            "the checkpoint is too old",
            why=f"it is {age_s} s old; stakes that answer for it are certain for {registry.trust_s} s",
            cure="get a younger checkpoint from somebody you trust, and a proof from there",
        )


def _begin(anchor: Anchor, trust: Trust, now_s: int, read_rules: ReadRules) -> Walk:
    """Stand at the anchor (FIN-3, FIN-4)."""
    genesis = decode_header(anchor.origin.genesis_header)
    if genesis.hash != trust.genesis_hash:
        raise AnchorUnfit(
            "the proof is of another chain",
            why=f"its genesis is 0x{genesis.hash.hex()}, expected 0x{trust.genesis_hash.hex()}",
            cure="compare the hash with a source you trust, and get a proof of that chain",
        )
    if genesis.height != 0:
        raise AnchorUnfit("the hash that is trusted as genesis is that of a later block")
    if keccak256(anchor.origin.config) != genesis.extra_data:
        raise ProofInvalid("the rules in the proof are not those of its genesis")
    rules = read_rules(genesis, anchor.origin.config)
    match anchor, trust.checkpoint:
        case GenesisAnchor(), None:
            electorate = Electorate.of(rules.validators)
            return Walk(rules, Height(0), genesis, rules.validators, electorate, None)
        case CheckpointAnchor(), Checkpoint() as checkpoint:
            return _at_checkpoint(anchor, checkpoint, rules, now_s)
        case CheckpointAnchor(), None:
            raise AnchorUnfit(
                f"the proof begins at the checkpoint {decode_header(anchor.header).height}, not at genesis",
                cure="get this checkpoint from somebody you trust and give it with --checkpoint",
            )
        case _:
            raise AnchorUnfit(
                "the proof begins at genesis, not at the checkpoint",
                cure="let it be made from the checkpoint, or verify it with the genesis hash",
            )


def _at_checkpoint(anchor: CheckpointAnchor, checkpoint: Checkpoint, rules: ChainRules, now_s: int) -> Walk:
    """Stand at a block that is trusted because somebody else told it, and not for longer than stakes stay."""
    if rules.registry is None:
        raise _without_checkpoints()
    header = decode_header(anchor.header)
    if header.hash != checkpoint.block:
        raise AnchorUnfit(
            "the proof begins at another checkpoint",
            why=f"at {header.height} 0x{header.hash.hex()}, expected 0x{checkpoint.block.hex()}",
        )
    next_set_hash = anchor.next_validators.hash()
    found = Checkpoint(rules.genesis_hash, header.height, header.hash, next_set_hash, header.time_s)
    if found != checkpoint:
        raise AnchorUnfit(
            "the checkpoint contradicts itself", why=f"its block makes it {found.text()}", cure="get it again"
        )
    _check_anchor(anchor, header)
    _refuse_old(header.time_s, rules.registry, now_s)
    electorate = Electorate.of(anchor.next_validators)
    return Walk(rules, header.height, header, anchor.next_validators, electorate, now_s)


def _check_anchor(anchor: CheckpointAnchor, header: Header) -> None:
    field = anchor.next_validators.encode()
    if root_from(NEXT_VALIDATORS_FIELD, field, anchor.siblings) != header.consensus_root:
        raise ProofInvalid("the checkpoint's block does not name the set that follows it")


def _explained(position: int, judge: Callable[[], T]) -> T:
    """Say of what the parts complain about which record it was."""
    try:
        return judge()
    except FinalityRefused:
        raise
    except CocError as error:
        why = f"{error.what}: {error.why}" if error.why else error.what
        raise ProofInvalid(f"record {position} of the proof shows nothing", why=why) from error
