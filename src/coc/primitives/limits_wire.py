"""Bounds of the network between nodes: frames, queues, sessions, peers and transaction gossip.

Whoever connects is a stranger first, so each of these is what one hostile peer, or all of them together, can
cost us. Each is met by a test.
"""

from __future__ import annotations

from typing import Final

from coc.primitives.limits import KIB, MEMPOOL_TRANSACTION_BYTES_MAX, MIB
from coc.primitives.limits_consensus import MESSAGE_BYTES_MAX

# ── Frames and pieces ───────────────────────────────────────────────────────────────────────────────────────

WIRE_FRAME_BYTES_MAX: Final = 16 * MIB
"""Bytes of the largest payload of any kind: a block (EIP-7934 allows 10 MiB) with its consensus data."""

WIRE_NOISE_MESSAGE_BYTES_MAX: Final = 65_535
"""Bytes of one sealed message: what the Noise specification allows, and what two bytes of length can say."""

WIRE_HANDSHAKE_MESSAGE_BYTES_MAX: Final = 1 * KIB
"""Bytes of one handshake message: the largest has some 320, and nobody has proven anything yet."""

WIRE_CONTROL_BYTES_MAX: Final = 8 * KIB
"""Bytes of a control payload: addresses in bulk need 4 KiB; all of it fits one piece, so that a goodbye never
waits for the rest of another frame.
"""

WIRE_CONSENSUS_BYTES_MAX: Final = MESSAGE_BYTES_MAX
"""Bytes of a consensus payload: exactly what the BFT codec accepts."""

WIRE_REQUEST_BYTES_MAX: Final = 64 * KIB
"""Bytes of a request for blocks, state or code: a thousand hashes with room to spare."""

WIRE_TRANSACTIONS_BYTES_MAX: Final = 1 * MIB
"""Bytes of transactions in one frame: eight of the largest, some thousands of the usual."""

WIRE_POSE_BYTES_MAX: Final = 1 * MIB
"""Bytes of a PoSe message: a storage answer with a few chunks of 256 KiB in part, and their paths."""

WIRE_STORAGE_BYTES_MAX: Final = 4 * MIB
"""Bytes of a storage message: content blocks have up to 2 MiB in IPFS; two of them."""

WIRE_DHT_BYTES_MAX: Final = 64 * KIB
"""Bytes of a DHT message: twenty peers with addresses need 2 KiB, a stored value the rest."""

# ── Queues of one connection ────────────────────────────────────────────────────────────────────────────────

WIRE_QUEUE_FRAMES_MAX: Final = 4_096
"""Frames that wait in one class of one connection: each costs some 300 bytes beside its payload."""

WIRE_KERNEL_BYTES_MAX: Final = 256 * KIB
"""Bytes that the kernel is asked to hold for one peer: a vote waits behind them, and a peer 50 ms away still
gets some 5 MB/s.
"""

WIRE_UNSENT_BYTES_MAX: Final = 32 * KIB
"""Bytes that the kernel is asked to take for one peer beyond those on their way: on a slow line it would else
fill its buffer, and a vote would wait for seconds behind transactions. Half a record keeps a fast one busy.
"""

WIRE_QUEUE_CONTROL_BYTES_MAX: Final = 64 * KIB
"""Bytes that wait in the control class: a few answers with addresses; an older one is not missed."""

WIRE_QUEUE_CONSENSUS_BYTES_MAX: Final = 4 * MIB
"""Bytes that wait in the consensus class: some 25,000 votes. Whoever is that far behind reconnects and is
told by status what it lacks.
"""

WIRE_QUEUE_BLOCKS_BYTES_MAX: Final = 2 * (WIRE_FRAME_BYTES_MAX + KIB)
"""Bytes that wait in the class of blocks and state: two of the largest frames, so the line never runs dry."""

WIRE_QUEUE_TRANSACTIONS_BYTES_MAX: Final = 4 * MIB
"""Bytes that wait in the transaction class: seconds of a full pool's announcements; the oldest go first."""

WIRE_QUEUE_POSE_BYTES_MAX: Final = 4 * MIB
"""Bytes that wait in the PoSe class: a few storage answers; its deadlines are seconds."""

WIRE_QUEUE_STORAGE_BYTES_MAX: Final = 8 * MIB
"""Bytes that wait in the storage class: two full messages while others are fetched from disk."""

WIRE_QUEUE_DHT_BYTES_MAX: Final = 1 * MIB
"""Bytes that wait in the DHT class: hundreds of answers, more than any lookup has under way."""

# ── All connections together ────────────────────────────────────────────────────────────────────────────────

WIRE_QUEUED_BYTES_MAX: Final = 256 * MIB
"""Bytes that wait for all peers together: above it only consensus and control are taken, so that peers who
ask and never read cannot fill the memory.
"""

WIRE_ASSEMBLING_BYTES_MAX: Final = 256 * MIB
"""Bytes of unfinished frames of all peers together: above it the peer that holds most of them is dropped."""

# ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────

WIRE_TICK_MS: Final = 250
"""Milliseconds between two looks at deadlines and dials: the precision of every timeout below."""

WIRE_HANDSHAKE_MS_MAX: Final = 10_000
"""Milliseconds from the connection to both sides' welcome: three messages over the worst line, and no more
for who only wants the slot.
"""

WIRE_PING_MS: Final = 10_000
"""Milliseconds of a peer's silence after which it is pinged, and again each time so many more have passed."""

WIRE_IDLE_MS_MAX: Final = 30_000
"""Milliseconds of silence after which a peer is gone: three pings were not answered."""

WIRE_STALL_MS_MAX: Final = 30_000
"""Milliseconds in which a peer must read something of what waits for it."""

WIRE_ASSEMBLY_MS_MAX: Final = 120_000
"""Milliseconds from a frame's first piece to its last: 16 MiB at 140 KB/s."""

WIRE_LINGER_MS: Final = 2_000
"""Milliseconds that a closed connection stays, so that the peer can read the goodbye and hang up itself."""

WIRE_CONTROL_WINDOW_MS: Final = 10_000
"""Milliseconds over which a peer's control frames are counted."""

WIRE_CONTROL_PER_WINDOW_FRAMES_MAX: Final = 64
"""Control frames of a peer in one window; an honest one sends a ping, a pong and a request for addresses."""

# ── Peers ───────────────────────────────────────────────────────────────────────────────────────────────────

PEERS_OUTBOUND_MAX: Final = 24
"""Connections that we dialled: of 24 random peers all are hostile only where nearly everybody is."""

PEERS_INBOUND_MAX: Final = 40
"""Connections that others dialled. Their own share: a flood of them never takes a place of the dialled."""

PEERS_INBOUND_PER_IP_MAX: Final = 4
"""Inbound connections from one address (IPv4) or network (IPv6 /64), handshakes included: a household."""

PEERS_OUTBOUND_PER_NETWORK_MAX: Final = 4
"""Dialled learned peers in one network (IPv4 /16, IPv6 /32): who rents one gets a sixth of the places."""

PEERS_CONFIGURED_MAX: Final = 256
"""Peers that an operator adds while the node runs, and configured ones: each is dialled for ever."""

PEERS_PRIVILEGED_MAX: Final = 256
"""Network identities that are let in beyond the inbound share: two validator sets of the largest size."""

HANDSHAKES_INBOUND_MAX: Final = 32
"""Inbound connections that have not proven an identity yet; each lives at most the handshake's time."""

HANDSHAKES_ON_TRIAL_MAX: Final = 8
"""Callers that would be dropped unheard and may yet turn out to be validators, one of an address at a time:
a neighbour who misbehaves behind the same address must not silence a validator.
"""

DIALS_MAX: Final = 8
"""Dials under way at the same time: enough to fill the places in seconds, no burst of packets."""

ERRANDS_MAX: Final = 16
"""Connections dialled for a question of the moment, beside the outbound share: lookups in the DHT."""

ERRAND_MS: Final = 30_000
"""Milliseconds that such a connection stays when the outbound share has no place for it."""

DIAL_MS_MAX: Final = 5_000
"""Milliseconds for a TCP connection: two lost SYN packets."""

GENESIS_FETCH_MS_MAX: Final = 120_000
"""Milliseconds from the connection to a genesis: the longest one over a line of 1.2 Mbit/s."""

DIAL_BACKOFF_MS_MIN: Final = 1_000
"""Milliseconds until a failed address is dialled again; doubled with every further failure."""

DIAL_BACKOFF_MS_MAX: Final = 30_000
"""Milliseconds between dials at the most: a validator that comes back is found within half a minute."""

DIAL_STABLE_MS: Final = 60_000
"""Milliseconds that a connection must last to count as success: who only drops us is backed off from."""

DIAL_FAILURES_MAX: Final = 10
"""Failures in a row after which a learned address is forgotten: some four minutes of trying."""

NAME_RESOLVED_MS: Final = 600_000
"""Milliseconds between two looks at what a configured name stands for: seeds change within days."""

NAME_ADDRESSES_MAX: Final = 32
"""Addresses taken of one name: more than there are places to fill, and one message of DNS."""

ADDRESSES_KNOWN_MAX: Final = 1_024
"""Addresses that are remembered: forty times the places to fill, some 300 KiB."""

ADDRESSES_PER_NETWORK_MAX: Final = 32
"""Remembered learned addresses of one network (IPv4 /16, IPv6 /32): one owner cannot fill the list."""

ADDRESSES_PER_MESSAGE_MAX: Final = 64
"""Addresses in one answer: more than anybody has places for, and a sixteenth of what is known."""

ADDRESSES_ASK_MS: Final = 300_000
"""Milliseconds between two requests for addresses to one peer."""

ADDRESSES_ANSWER_MS_MIN: Final = 60_000
"""Milliseconds between two answers to one peer: whoever asks more often learns nothing new."""

HOST_CHARS_MAX: Final = 253
"""Characters of a host name, as DNS allows."""

REPUTATION_HALF_LIFE_MS: Final = 600_000
"""Milliseconds in which points of misbehaviour lose half their weight: accidents never add up to a ban."""

REPUTATION_BAN_POINTS_MIN: Final = 100
"""Points at which a peer or address is banned."""

REPUTATION_ENTRIES_MAX: Final = 4_096
"""Peers and addresses with points or bans that are remembered; the least burdened are forgotten first."""

BAN_MS_MIN: Final = 1_800_000
"""Milliseconds of the first ban; doubled with each further one."""

BAN_MS_MAX: Final = 86_400_000
"""Milliseconds of the longest ban: addresses change hands within a day."""

BAN_MEMORY_MS: Final = 604_800_000
"""Milliseconds after the end of a ban during which the next one still counts as a repetition."""

PEER_STORE_BYTES_MAX: Final = 2 * MIB
"""Bytes of the file of known peers: all addresses and reputations at their longest stay below."""

PEER_STORE_SAVE_MS: Final = 60_000
"""Milliseconds between two saves of known peers: a crash loses a minute of what can be learned again."""

# ── Transaction gossip ──────────────────────────────────────────────────────────────────────────────────────

GOSSIP_FLUSH_MS: Final = 100
"""Milliseconds that a new transaction waits for company before it is announced."""

GOSSIP_ANNOUNCED_HASHES_MAX: Final = 1_024
"""Hashes in one announcement: 32 KiB; further ones go into the next."""

GOSSIP_REQUEST_HASHES_MAX: Final = 256
"""Hashes in one request: an answer's worth of usual transactions."""

GOSSIP_FETCH_MS_MAX: Final = 5_000
"""Milliseconds that a peer has for its answer before another announcer is asked."""

GOSSIP_ANNOUNCERS_PER_HASH_MAX: Final = 8
"""Announcers of one hash that are remembered as sources: one is enough, seven may be liars."""

GOSSIP_WANTED_HASHES_MAX: Final = 65_536
"""Hashes announced and not yet here: as many as the pool can hold."""

GOSSIP_WANTED_PER_PEER_HASHES_MAX: Final = 4_096
"""Hashes wanted that one peer has announced: what is beyond is not noted and will be heard from others."""

GOSSIP_KNOWN_HASHES_MAX: Final = 65_536
"""Hashes remembered as taken by the pool: as many as the pool can hold."""

GOSSIP_REFUSED_HASHES_MAX: Final = 16_384
"""Hashes remembered as refused by the pool; fetching one again costs a request, not more."""

GOSSIP_REFUSED_MS: Final = 60_000
"""Milliseconds that a refusal is remembered: pools move on, and what did not fit may fit."""

GOSSIP_PEER_KNOWN_HASHES_MAX: Final = 8_192
"""Hashes remembered as known to one peer: forgetting one costs a repeated announcement."""

GOSSIP_NEWCOMER_HASHES_MAX: Final = 8_192
"""Hashes of the pool announced to a new peer: eight frames; the rest travels in blocks or from others."""

GOSSIP_REPLY_BYTES_MAX: Final = 512 * KIB
"""Bytes of transactions after which an answer is sent without the rest; the asker asks again."""

GOSSIP_LOOKUPS_PER_PEER_MAX: Final = 4
"""Requests of one peer that wait for the pool at the same time; honest peers have one."""

# ── Relations ───────────────────────────────────────────────────────────────────────────────────────────────

assert WIRE_CONTROL_BYTES_MAX + 64 < WIRE_NOISE_MESSAGE_BYTES_MAX  # noqa: S101 - a control frame is one piece
assert WIRE_FRAME_BYTES_MAX * 2 <= WIRE_QUEUE_BLOCKS_BYTES_MAX  # noqa: S101 - two of the largest wait side by side
assert GOSSIP_REPLY_BYTES_MAX + 2 * MEMPOOL_TRANSACTION_BYTES_MAX <= WIRE_TRANSACTIONS_BYTES_MAX  # noqa: S101 - the last one fits
assert GOSSIP_ANNOUNCED_HASHES_MAX * 32 + 8 <= WIRE_REQUEST_BYTES_MAX  # noqa: S101 - so does a full announcement
assert WIRE_IDLE_MS_MAX >= 3 * WIRE_PING_MS  # noqa: S101 - three pings before a peer is given up
