//! What both sides hold after the handshake: a key a direction, and the number of the next message as its nonce.

use crate::error::ChannelError;
use snow::TransportState;

/// The longest message of Noise, so that a length of two bytes can stand before it.
pub const WIRE_BYTES_MAX: usize = 65_535;
/// Bytes that prove a ciphertext: Poly1305's.
pub(crate) const TAG_BYTES: usize = 16;
/// The longest plaintext of one message.
pub const PLAIN_BYTES_MAX: usize = WIRE_BYTES_MAX - TAG_BYTES;
/// Messages under one key. Both sides then replace the direction's key by one that the old one gives and that does not give
/// the old one (Noise section 4.2), so a key stolen from memory opens at most the last 64 MiB. It costs one short encryption.
pub const REKEY_MESSAGES: u64 = 1_024;

/// An encrypted channel over a stream that delivers in order.
pub struct Channel {
    transport: TransportState,
    spent: bool,
}

impl Channel {
    pub(crate) fn new(transport: TransportState) -> Channel {
        Channel { transport, spent: false }
    }

    /// Encrypts the next message to the peer, which is 16 bytes longer than the plaintext.
    pub fn seal(&mut self, plain: &[u8]) -> Result<Vec<u8>, ChannelError> {
        self.check_sound()?;
        check_plain(plain, PLAIN_BYTES_MAX)?;
        let mut sealed = vec![0; plain.len() + TAG_BYTES];
        let length = self.transport.write_message(plain, &mut sealed)?;
        sealed.truncate(length);
        if self.transport.sending_nonce().is_multiple_of(REKEY_MESSAGES) {
            self.transport.rekey_outgoing();
        }
        Ok(sealed)
    }

    /// Decrypts the peer's next message. After a refusal the channel is spent, in both directions.
    pub fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>, ChannelError> {
        self.check_sound()?;
        let opened = self.decrypt(sealed);
        self.spent = opened.is_err();
        opened
    }

    fn decrypt(&mut self, sealed: &[u8]) -> Result<Vec<u8>, ChannelError> {
        check_message(sealed)?;
        let mut plain = vec![0; sealed.len()];
        let length = self.transport.read_message(sealed, &mut plain)?;
        plain.truncate(length);
        if self.transport.receiving_nonce().is_multiple_of(REKEY_MESSAGES) {
            self.transport.rekey_incoming();
        }
        Ok(plain)
    }

    fn check_sound(&self) -> Result<(), ChannelError> {
        if self.spent { Err(ChannelError::Spent) } else { Ok(()) }
    }
}

pub(crate) fn check_plain(plain: &[u8], max: usize) -> Result<(), ChannelError> {
    if plain.len() > max {
        return Err(ChannelError::PlainTooLong { bytes: plain.len(), max });
    }
    Ok(())
}

pub(crate) fn check_message(message: &[u8]) -> Result<(), ChannelError> {
    if message.len() > WIRE_BYTES_MAX {
        return Err(ChannelError::MessageTooLong { bytes: message.len(), max: WIRE_BYTES_MAX });
    }
    Ok(())
}
