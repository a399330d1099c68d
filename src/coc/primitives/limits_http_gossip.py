"""Bounds of the way to peers over HTTP, for networks that let nothing else pass.

A connection over HTTP has all bounds of `limits_wire` too, since a session of the wire runs on it. These are
what the requests around it may cost.
"""

from __future__ import annotations

from typing import Final

from coc.primitives.limits import KIB
from coc.primitives.limits_wire import WIRE_KERNEL_BYTES_MAX, WIRE_NOISE_MESSAGE_BYTES_MAX

HTTP_GOSSIP_STREAM_BYTES_MAX: Final = WIRE_KERNEL_BYTES_MAX
"""Bytes of the stream in one request or answer: what the kernel may hold of a TCP connection, for the same
reason; a vote waits behind no more.
"""

HTTP_GOSSIP_LETTER_BYTES_MAX: Final = HTTP_GOSSIP_STREAM_BYTES_MAX + 1 * KIB
"""Bytes of one body: the stream's and an envelope of some 250. Proxies pass a megabyte unless told not to."""

HTTP_GOSSIP_CLOCK_MS_MAX: Final = 90_000
"""Milliseconds that the clocks of two nodes may differ: a minute that the chain survives, and the way."""

HTTP_GOSSIP_OPENERS_MAX: Final = 4_096
"""Senders whose last opening is remembered against its repetition: some 600 KiB."""

HTTP_GOSSIP_HOLD_MS: Final = 20_000
"""Milliseconds that a question for more of the stream is held open: proxies give up on silence after 30 s."""

HTTP_GOSSIP_TRIES_MAX: Final = 3
"""Tries of one request before the connection is lost: proxies drop a request now and then."""

HTTP_GOSSIP_ANSWER_MS_MAX: Final = 10_000
"""Milliseconds from a whole request to its answer, beside the time that it may be held."""

HTTP_GOSSIP_REQUEST_MS_MAX: Final = 10_000
"""Milliseconds from a request's first byte to its last: the longest at 26 KB/s."""

HTTP_GOSSIP_IDLE_MS_MAX: Final = 60_000
"""Milliseconds that a connection may stay without a request: a node that is up asks again at once."""

HTTP_GOSSIP_CONNECTIONS_MAX: Final = 640
"""TCP connections for HTTP: two for each of the peers that may be connected, and as many that come and go."""

HTTP_GOSSIP_CONNECTIONS_PER_IP_MAX: Final = 16
"""TCP connections for HTTP from one address (IPv4) or network (IPv6 /64): twice two for each of its peers."""

assert HTTP_GOSSIP_STREAM_BYTES_MAX > 2 * WIRE_NOISE_MESSAGE_BYTES_MAX  # noqa: S101 - a record always fits
assert HTTP_GOSSIP_HOLD_MS < HTTP_GOSSIP_IDLE_MS_MAX  # noqa: S101 - holding is not idling
