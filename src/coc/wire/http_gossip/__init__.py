"""The wire over HTTP: what stands around a session's stream where only HTTP gets through.

A node that cannot be reached, and may only make HTTP requests, takes part all the same:

    POST /p2p/open      ──▶ a session with an id        once
    POST /p2p/send      ──▶ bytes of our stream         one at a time, answered at once
    POST /p2p/receive   ──▶ bytes of the peer's stream  one at a time, held until there are some

The stream is that of `coc.wire.session`: the handshake, the classes with their budgets, the messages and the
goodbye are the same as over TCP, and the peer book sees a connection like any other. What HTTP adds is the
envelope of each request and answer (`envelope`), the order of requests and their repetition (`lane`), and who
may go on with which session (`door`). Read `specs/http-gossip.md` first.
"""
