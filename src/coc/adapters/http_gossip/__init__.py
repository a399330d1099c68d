"""Peers over HTTP: sockets, requests and answers around the sessions of the wire.

    link ◀──▶ stream ◀──▶ server: connections of others, requests read by `coc.adapters.http.reader`
                    ◀──▶ client: two connections of ours, one to send and one that waits

`stream` is what a `Link` takes for its socket; `server` and `session` answer peers who dial us, `client` and
`poster` dial.
"""
