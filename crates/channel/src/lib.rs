//! An encrypted channel between two peers: Noise_XX_25519_ChaChaPoly_SHA256 (Noise Protocol Framework, revision 34), on `snow`.
//!
//! A [`Handshake`] is three messages, each of which may carry a payload:
//!
//! | message | carries | its payload is |
//! |---|---|---|
//! | 1, initiator | e | in clear, and anybody's |
//! | 2, responder | e, ee, s, es | the responder's, readable by whoever sent message 1 |
//! | 3, initiator | s, se | the initiator's, readable by the responder alone |
//!
//! Afterwards each knows the other's static key and [`Handshake::finish`] gives the [`Channel`]. That a static key belongs to
//! a node is for the payloads to say, which carry the node's signature over it; what both must agree on beforehand is the
//! prologue. The hash is SHA-256 and not BLAKE2s: it runs a dozen times a connection, so speed does not matter, and SHA-256 is
//! in the program already, so a second hash function would only be more code to trust.
//!
//! Messages arrive whole and in order, as from TCP. One that is refused ends the handshake or the channel it came on: nothing
//! behind it can be told from an attacker's. A public key of low order is not looked for, as the Noise specification advises
//! (section 12.1): who sends one gives away only what was said to them.
//!
//! Ephemeral secrets come from the operating system. A simulated run hands them in instead, and then the same inputs give the
//! same bytes.

#![forbid(unsafe_code)]

mod channel;
mod error;
mod handshake;

pub use channel::{Channel, PLAIN_BYTES_MAX, REKEY_MESSAGES, WIRE_BYTES_MAX};
pub use error::ChannelError;
pub use handshake::{HANDSHAKE_PAYLOAD_BYTES_MAX, Handshake, public_key};
