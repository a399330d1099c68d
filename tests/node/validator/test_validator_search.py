"""Validators that are not connected are looked for by their keys, and dialled where their records say."""

from __future__ import annotations

from collections.abc import Sequence

from coc.node.validator.effects import DialNode
from coc.node.validator.inputs import MessageReceived, PeerDown
from coc.node.validator.validator_search import ValidatorSearch
from coc.primitives.frozen import replace
from coc.primitives.limits_dht import UPKEEP_MS, VALIDATOR_SEARCHES_MAX
from coc.primitives.secp256k1 import address_of, public_key_of
from coc.primitives.types import Address
from coc.primitives.validators import Validator
from coc.sim.full.network import validator_secret
from coc.wire.dht.effects import Found
from coc.wire.dht.endpoints import endpoint_key
from coc.wire.dht.hosts import Contact, HostPolicy, parse_host
from coc.wire.dht.inputs import FindValue
from coc.wire.dht.messages import FindValue as Asked
from coc.wire.dht.messages import Values, encode_message
from coc.wire.dht.records import Record
from coc.wire.dht.rules import peer_id_of
from tests.node.validator.test_dht_side import DHT, PEER, Stage, answers_nothing_known, asked, table
from tests.wire.dht.network import PORT, START_MS, Identity, grown

MEMBERS = [Identity.of(number, f"8.8.{number}.8") for number in range(10, 20)]


def entry(identity: Identity) -> Validator:
    return Validator(Address(identity.id[:20]), identity.public_key, bytes(64), 1, Address(bytes(20)))


def searched(
    search: ValidatorSearch, *connected: Identity, members: Sequence[Identity] = MEMBERS
) -> list[FindValue]:
    return search.due([entry(each) for each in members], [each.id for each in connected])


def dial_of(identity: Identity) -> DialNode:
    return DialNode(identity.contact.host_text, identity.contact.port, identity.id)


def test_those_who_are_here_are_not_looked_for() -> None:  # DHT-27
    missing, *here = MEMBERS[:3]
    (search,) = searched(ValidatorSearch(HostPolicy()), *here, members=MEMBERS[:3])
    assert search.key == endpoint_key(missing.public_key)


def test_a_few_are_looked_for_at_a_time_and_all_in_their_turn() -> None:  # DHT-27
    search = ValidatorSearch(HostPolicy())
    first = searched(search)
    assert len(first) == VALIDATOR_SEARCHES_MAX
    assert searched(search) == []
    asked_for = [each.key for each in first]
    while len(asked_for) < len(MEMBERS):
        for each in first[:2]:
            search.on_found(each.ticket, ())
        first = [*first[2:], *searched(search)]
        asked_for += [each.key for each in first[-2:]]
    assert len(set(asked_for)) == len(MEMBERS)


def test_what_was_refused_is_looked_for_again() -> None:  # DHT-27
    search = ValidatorSearch(HostPolicy())
    (first,) = searched(search, members=MEMBERS[:1])
    search.on_refused(first.ticket)
    (again,) = searched(search, members=MEMBERS[:1])
    assert (again.key, again.ticket > first.ticket) == (first.key, True)


def test_only_the_record_of_whom_was_looked_for_leads_to_a_dial() -> None:  # DHT-27
    member, other = MEMBERS[:2]
    search = ValidatorSearch(HostPolicy())
    (first,) = searched(search, members=[member])
    assert search.on_found(first.ticket, (other.endpoint(), member.endpoint())) == dial_of(member)
    assert search.on_found(first.ticket, (member.endpoint(),)) is None  # answered already
    (again,) = searched(search, members=[member])
    assert search.on_found(again.ticket, (other.endpoint(),)) is None


def test_a_host_that_may_not_be_dialled_and_a_record_without_meaning_lead_nowhere() -> None:  # DHT-27
    at_home = Identity.of(10, "127.0.0.1")
    claim = replace(MEMBERS[0].endpoint().claim, value=b"nothing")
    for record in (at_home.endpoint(), Record(claim, MEMBERS[0].endpoint().signature)):
        search = ValidatorSearch(HostPolicy())
        (first,) = searched(search, members=MEMBERS[:1])
        assert search.on_found(first.ticket, (record,)) is None


def test_a_newly_registered_node_is_found_in_a_network_that_loses_messages() -> None:  # DHT-27
    net = grown(27, 16, loss=0.05)
    newcomer = net.add(net.honest()[0].identity.contact)
    net.run(60_000)
    seeker = net.honest()[7]
    net.unlink(seeker, newcomer)
    search = ValidatorSearch(HostPolicy())
    (wish,) = searched(search, members=[newcomer.identity])
    net.feed(seeker, wish)
    net.run(60_000)

    (found,) = [each for each in seeker.told if isinstance(each, Found) and each.ticket == wish.ticket]
    assert search.on_found(found.ticket, found.records) == dial_of(newcomer.identity)


# ── In a node ───────────────────────────────────────────────────────────────────────────────────────────────


def validator(index: int) -> Identity:
    secret = validator_secret(index)
    key = public_key_of(secret)
    return Identity(secret, key, Contact(peer_id_of(key), parse_host(f"8.9.{index}.8"), PORT))


def test_a_validator_finds_another_that_nobody_configured_and_dials_it() -> None:  # DHT-27
    wanted = validator(1)
    stage = Stage(table(), own=address_of(validator_secret(0)))
    answers_nothing_known(stage, stage.meet(PEER))
    questions = asked(stage.upkeep_at(START_MS + UPKEEP_MS))
    keys = {body.key: number for number, body in questions if isinstance(body, Asked)}
    assert set(keys) == {endpoint_key(validator(index).public_key) for index in (1, 2, 3)}

    record = wanted.endpoint()
    number = keys[endpoint_key(wanted.public_key)]
    effects = stage.step(MessageReceived(PEER.id, DHT, encode_message(number, Values((record,), ()))))
    assert dial_of(wanted) in effects

    stage.meet(wanted)
    again = asked(stage.upkeep_at(START_MS + 2 * UPKEEP_MS))
    assert endpoint_key(wanted.public_key) not in [body.key for _, body in again if isinstance(body, Asked)]
    stage.step(PeerDown(wanted.id))
    back = asked(stage.upkeep_at(START_MS + 3 * UPKEEP_MS))
    assert endpoint_key(wanted.public_key) in [body.key for _, body in back if isinstance(body, Asked)]


def test_a_node_that_does_not_vote_looks_for_nobody() -> None:  # DHT-27
    stage = Stage(table())
    answers_nothing_known(stage, stage.meet(PEER))
    questions = asked(stage.upkeep_at(START_MS + UPKEEP_MS))
    assert not [body for _, body in questions if isinstance(body, Asked)]
