"""The sockets of the wire: links between nodes, and the network that keeps them.

    sockets ──▶ link ──▶ coc.wire session ──▶ network ──▶ router (the node's layers)
                 ▲                              │  ▲
                 └── bytes as the socket drains ┘  └── coc.wire peer book: whom to dial, whom to let in

`network` is what a node holds; `link` is one connection; `dialer` makes connections; `peer_store` keeps what
the book knows; `noise` opens the native channel.
"""
