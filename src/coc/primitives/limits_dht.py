"""Bounds of the distributed hash table: what it keeps, what it asks at a time, what it says.

K and alpha are those of the Kademlia paper (Maymounkov and Mazieres, 2002); the others follow from them or
from what one hostile peer may cost. Each is met by a test.
"""

from __future__ import annotations

from typing import Final

from coc.primitives.limits import KIB

# ── the routing table ───────────────────────────────────────────────────────────────────────────────────────

BUCKET_ENTRIES_MAX: Final = 20
"""K: contacts in a bucket, in an answer, and holders of a record; 20 are unlikely to leave within an hour."""

BUCKET_SPARES_MAX: Final = 10
"""Contacts that wait for a place in a full bucket: half a bucket, since few of them ever get one."""

HOST_BUCKET_ENTRIES_MAX: Final = 2
"""Entries of one host group in one bucket: two machines behind one address are common, ten are an attack."""

HOST_TABLE_ENTRIES_MAX: Final = 10
"""Entries of one host group in the whole table: less than half of one bucket."""

ENTRY_FAILURES_MAX: Final = 2
"""Unanswered requests in a row after which an entry leaves: one may be a lost message."""

ENTRY_FRESH_MS_MAX: Final = 30_000
"""An entry heard within this time is not asked whether it lives: a flood of newcomers costs no pings."""

ENTRY_SILENT_MS_MAX: Final = 15 * 60_000
"""The least recently seen entry of a bucket is pinged after this silence, so that the table stays true."""

BUCKET_REFRESH_MS: Final = 60 * 60_000
"""A bucket in whose range nothing was looked up for an hour is refreshed (the paper's number)."""

# ── lookups ─────────────────────────────────────────────────────────────────────────────────────────────────

PATH_ASKS_MAX: Final = 3
"""Alpha: requests of one path that are under way at a time (the paper's number)."""

PATH_QUERIES_MAX: Final = 60
"""Contacts that one path may ask: three times K, which only a liar's endless answers can use up."""

PATH_CANDIDATES_MAX: Final = 64
"""Contacts that one path remembers: three answers' worth of K; the farthest make room."""

PATH_HOST_CANDIDATES_MAX: Final = 4
"""Candidates of one host group on one path, so that a liar cannot have one machine dialled over and over."""

CANDIDATE_ADDRESSES_MAX: Final = 2
"""Addresses tried for one candidate: a liar's wrong one must not hide the right one."""

PATH_VALUE_ANSWERS_MAX: Final = 2
"""Holders whose records end a path that looks for a value: two on each path, so a stale one is outvoted."""

LOOKUP_MS_MAX: Final = 60_000
"""How long a lookup may take: a path of twenty dead contacts, three at a time, five seconds each, fits."""

LOOKUPS_MAX: Final = 8
"""Lookups under way: each has at most six requests open. Our own upkeep uses at most half of them."""

LOOKUPS_WAITING_MAX: Final = 256
"""Lookups that wait for their turn, asked for by the node; any further one is refused at once."""

CHORES_WAITING_MAX: Final = 64
"""Lookups of our own upkeep that wait; what does not fit is due again with the next round of upkeep."""

FOUND_RECORDS_MAX: Final = 64
"""Records handed to whoever looked for a key: providers enough for any download."""

# ── requests and dials ──────────────────────────────────────────────────────────────────────────────────────

REQUEST_MS_MAX: Final = 5_000
"""How long an answer may take before its peer counts as failed: many times any round trip."""

DIAL_MS_MAX: Final = 5_000
"""How long a dial may take, handshake included, before the candidate counts as failed."""

DIALS_MAX: Final = 64
"""Dials under way: what all lookups can ask for together, and some checks beside them."""

UNREACHABLE_ADDRESSES_MAX: Final = 1_024
"""Addresses remembered as dead, oldest out first."""

UNREACHABLE_MS_MAX: Final = 60_000
"""How long a dead address is not dialled again: lookups in a row pay once, and a restart is seen soon."""

CONNECTED_PEERS_MAX: Final = 1_024
"""Connected peers that are served: above any node's number of connections."""

BARRED_PEERS_MAX: Final = 1_024
"""Liars remembered, oldest out first: the wire's own ban outlives this memory."""

BARRED_MS_MAX: Final = 30 * 60_000
"""How long a liar is neither heard nor entered: as long as the first ban of the wire."""

BOOTSTRAPS_MAX: Final = 64
"""Addresses dialled to join: a few seeds, and the best of the last run's peers."""

JOIN_RETRY_MS_MIN: Final = 5_000
"""Pause before the bootstraps are dialled again while nobody is connected; it doubles each time."""

JOIN_RETRY_MS_MAX: Final = 5 * 60_000
"""The longest such pause: a network that comes back is found within five minutes."""

UPKEEP_MS: Final = 30_000
"""How often buckets, publications and expired records are looked after."""

# ── what a peer may ask ─────────────────────────────────────────────────────────────────────────────────────

BURST_TOKENS_MAX: Final = 64
"""Requests a peer may make at once; each costs some 0.2 ms."""

TOKENS_PER_SECOND: Final = 16
"""Requests a peer may go on making: a node in the middle of its own lookups makes fewer."""

STORE_TOKENS: Final = 2
"""What storing costs of these: a signature is verified."""

DROPPED_MESSAGES_MAX: Final = 256
"""Messages beyond its budget after which a peer is reported: an honest one backs off long before."""

DHT_MESSAGE_BYTES_MAX: Final = 32 * KIB
"""Bytes of one message: the largest, 16 records and 20 contacts, has 24 KiB."""

# ── records ─────────────────────────────────────────────────────────────────────────────────────────────────

RECORD_VALUE_BYTES_MAX: Final = KIB
"""Bytes of a record's value: an address or a reference, never content."""

CONTENT_ID_BYTES_MAX: Final = 128
"""Bytes of a content id: a CIDv1 with a 64-byte digest has 70."""

RECORD_TTL_SECONDS_MAX: Final = 24 * 60 * 60
"""How far ahead a record may expire: what a node that left has stored is gone within a day."""

RECORD_CLOCK_SECONDS_MAX: Final = 120
"""How much further a record may expire because clocks differ: twice the 60 s that the chain allows."""

RECORDS_MAX: Final = 8_192
"""Records held for others: at most some 11 MiB."""

RECORDS_PER_PUBLISHER_MAX: Final = 256
"""Records held of one publisher: all it may publish, as happens in a network smaller than K."""

RECORDS_PER_HOST_MAX: Final = 1_024
"""Records held that came from one host group: an eighth of the store, however many keys its owner has."""

RECORDS_PER_KEY_MAX: Final = 32
"""Records held under one key: providers enough to start with; other holders know others."""

ANSWER_RECORDS_MAX: Final = 16
"""Records in one answer, drawn at random if there are more, so that askers hear of different ones."""

VALIDATOR_SEARCHES_MAX: Final = 4
"""Validators that are looked for at a time: half of the lookups; a set of 128 takes a quarter of an hour."""

PUBLICATIONS_MAX: Final = 256
"""Records that this node announces: one lookup each, an hour for all of them."""

ANNOUNCE_MS: Final = 60 * 60_000
"""How often a publication is stored again, so that nodes which joined since hold it (the paper's number)."""

ANNOUNCE_RETRY_MS: Final = 60_000
"""How soon it is tried again if nobody took it."""

ANNOUNCES_PER_UPKEEP_MAX: Final = 4
"""Announcements begun by one round of upkeep: all publications have their turn in 32 minutes."""

RENEW_SECONDS: Final = 2 * 60 * 60
"""A new signature is asked for when a publication expires sooner than this: before two more announcements."""

# ── relations ───────────────────────────────────────────────────────────────────────────────────────────────

assert LOOKUPS_MAX * 2 * PATH_ASKS_MAX <= DIALS_MAX  # noqa: S101 - a lookup never waits for a place to dial
assert ANSWER_RECORDS_MAX * (RECORD_VALUE_BYTES_MAX + 256) + BUCKET_ENTRIES_MAX * 52 < DHT_MESSAGE_BYTES_MAX  # noqa: S101 - the largest answer fits
assert PUBLICATIONS_MAX <= RECORDS_PER_PUBLISHER_MAX  # noqa: S101 - what we publish, others may hold
assert ANNOUNCES_PER_UPKEEP_MAX * ANNOUNCE_MS // UPKEEP_MS > PUBLICATIONS_MAX  # noqa: S101 - all are announced in time
assert BUCKET_ENTRIES_MAX * STORE_TOKENS <= BURST_TOKENS_MAX  # noqa: S101 - several publications reach one holder at once
