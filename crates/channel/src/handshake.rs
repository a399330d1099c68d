//! The three messages of Noise XX.

use crate::channel::{Channel, TAG_BYTES, WIRE_BYTES_MAX, check_message, check_plain};
use crate::error::ChannelError;
use snow::params::DHChoice;
use snow::resolvers::{CryptoResolver as _, DefaultResolver};
use snow::{Builder, HandshakeState};

/// The protocol's name, which is also the first thing that is hashed.
const PROTOCOL: &str = "Noise_XX_25519_ChaChaPoly_SHA256";
/// Bytes of a public key and of a secret key.
const KEY_BYTES: usize = 32;
/// Bytes that the longest message, the second, adds to its payload: an ephemeral key, a static key with its tag, a tag.
const OVERHEAD_BYTES_MAX: usize = KEY_BYTES + KEY_BYTES + TAG_BYTES + TAG_BYTES;
/// The longest payload of any of the three messages, so that each of them fits.
pub const HANDSHAKE_PAYLOAD_BYTES_MAX: usize = WIRE_BYTES_MAX - OVERHEAD_BYTES_MAX;

/// One side of a handshake.
pub struct Handshake {
    state: HandshakeState,
    spent: bool,
}

impl Handshake {
    /// Begins one side. `ephemeral_secret` is for simulated runs: two handshakes with the same one have the same keys.
    pub fn begin(
        initiator: bool,
        static_secret: [u8; KEY_BYTES],
        ephemeral_secret: Option<[u8; KEY_BYTES]>,
        prologue: &[u8],
    ) -> Result<Handshake, ChannelError> {
        let mut builder =
            Builder::new(PROTOCOL.parse()?).local_private_key(&static_secret)?.prologue(prologue)?;
        if let Some(secret) = &ephemeral_secret {
            builder = builder.fixed_ephemeral_key_for_testing_only(secret);
        }
        let state = if initiator { builder.build_initiator() } else { builder.build_responder() }?;
        Ok(Handshake { state, spent: false })
    }

    /// Our next message.
    pub fn write(&mut self, payload: &[u8]) -> Result<Vec<u8>, ChannelError> {
        self.check_turn(true)?;
        check_plain(payload, HANDSHAKE_PAYLOAD_BYTES_MAX)?;
        let mut message = vec![0; payload.len() + OVERHEAD_BYTES_MAX];
        let length = self.state.write_message(payload, &mut message)?;
        message.truncate(length);
        Ok(message)
    }

    /// The payload of the peer's next message. After a refusal the handshake is spent.
    pub fn read(&mut self, message: &[u8]) -> Result<Vec<u8>, ChannelError> {
        self.check_turn(false)?;
        let read = check_message(message).and_then(|()| {
            let mut payload = vec![0; message.len()];
            let length = self.state.read_message(message, &mut payload)?;
            payload.truncate(length);
            Ok(payload)
        });
        self.spent = read.is_err();
        read
    }

    /// Whether all three messages went over.
    pub fn is_finished(&self) -> bool {
        !self.spent && self.state.is_handshake_finished()
    }

    /// The peer's static public key, once a message that proves it was read.
    pub fn remote_static(&self) -> Option<[u8; KEY_BYTES]> {
        if self.spent {
            return None;
        }
        self.state.get_remote_static()?.try_into().ok()
    }

    /// The hash of prologue and messages so far; in the end it is equal on both sides and different for every connection.
    pub fn hash(&self) -> Result<[u8; 32], ChannelError> {
        exactly(self.state.get_handshake_hash())
    }

    /// The channel.
    pub fn finish(self) -> Result<Channel, ChannelError> {
        if !self.is_finished() {
            return Err(if self.spent { ChannelError::Spent } else { ChannelError::Unfinished });
        }
        Ok(Channel::new(self.state.into_transport_mode()?))
    }

    fn check_turn(&self, ours: bool) -> Result<(), ChannelError> {
        if self.spent {
            return Err(ChannelError::Spent);
        }
        if self.state.is_handshake_finished() || self.state.is_my_turn() != ours {
            return Err(ChannelError::OutOfTurn);
        }
        Ok(())
    }
}

/// The public key of an X25519 secret (RFC 7748): any 32 bytes are one.
pub fn public_key(secret: &[u8; KEY_BYTES]) -> Result<[u8; KEY_BYTES], ChannelError> {
    let mut key = DefaultResolver
        .resolve_dh(&DHChoice::Curve25519)
        .ok_or_else(|| ChannelError::Library("X25519 is not built in".into()))?;
    key.set(secret);
    exactly(key.pubkey())
}

fn exactly<const N: usize>(bytes: &[u8]) -> Result<[u8; N], ChannelError> {
    bytes.try_into().map_err(|_| ChannelError::Library(format!("{} bytes where {N} belong", bytes.len())))
}
