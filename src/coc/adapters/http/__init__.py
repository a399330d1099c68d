"""The HTTP server of the JSON-RPC port: our own protocol on httptools.

    bytes ──▶ connection ──▶ policy (host, origin, type) ──▶ rpc.Dispatcher ──▶ answer, or an exchange
                  ▲                                                                   │
                  └── replies in the order of the requests ◀── carrier ◀── pool, submissions, node

`server` owns the listening sockets and the one timer, `connection` one client, `policy` who may ask,
`replies` the bytes of a response, `carrier` the work an exchange needs, and `submissions` the gathering of
transactions.
"""
