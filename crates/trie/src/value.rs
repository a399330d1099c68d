//! What stands at a key: bytes, and for an account its storage trie.

use crate::Trie;
use crate::node::ARC_COUNTS_BYTES;
use std::fmt;
use std::sync::Arc;

/// Values up to this size (all contents of storage slots, at most 33 bytes) stand in their node, without
/// memory of their own; it fills the words that their other form and their lengths need.
const SHORT_BYTES: usize = 38;

/// A value of the trie. Cheap to clone.
#[derive(Clone)]
pub struct Value {
    rlp: Rlp,
    storage: Option<Arc<Trie>>,
}

#[derive(Clone)]
enum Rlp {
    Short { len: u8, bytes: [u8; SHORT_BYTES] },
    Long(Arc<[u8]>),
}

impl Value {
    /// A value that is exactly these bytes. An empty one stands for "delete".
    pub fn new(rlp: impl AsRef<[u8]>) -> Value {
        Value { rlp: Rlp::of(rlp.as_ref()), storage: None }
    }

    /// An account: `rlp` is its encoding, `storage` the trie whose root that encoding names.
    ///
    /// The trie is carried so that its root is found, after a flush, without an index.
    pub fn account(rlp: impl AsRef<[u8]>, storage: Trie) -> Value {
        Value { rlp: Rlp::of(rlp.as_ref()), storage: (!storage.is_empty()).then(|| Arc::new(storage)) }
    }

    /// The bytes that were put in the trie.
    pub fn rlp(&self) -> &[u8] {
        match &self.rlp {
            Rlp::Short { len, bytes } => &bytes[..usize::from(*len)],
            Rlp::Long(bytes) => bytes,
        }
    }

    /// The storage trie of an account that has one.
    pub fn storage(&self) -> Option<&Trie> {
        self.storage.as_deref()
    }

    /// Whether putting `self` where `other` stands would change nothing.
    pub(crate) fn is_same(&self, other: &Value) -> bool {
        self == other && self.storage.is_some() == other.storage.is_some()
    }

    /// Bytes of memory the value takes beside itself.
    pub(crate) fn memory_bytes(&self) -> usize {
        let storage = self.storage.as_ref().map_or(0, |_| ARC_COUNTS_BYTES + size_of::<Trie>());
        match &self.rlp {
            Rlp::Short { .. } => storage,
            Rlp::Long(bytes) => ARC_COUNTS_BYTES + bytes.len() + storage,
        }
    }
}

impl Rlp {
    fn of(rlp: &[u8]) -> Rlp {
        if rlp.len() > SHORT_BYTES {
            return Rlp::Long(rlp.into());
        }
        let mut bytes = [0; SHORT_BYTES];
        bytes[..rlp.len()].copy_from_slice(rlp);
        Rlp::Short { len: rlp.len() as u8, bytes }
    }
}

impl PartialEq for Value {
    /// Values are equal when their bytes are: a storage root among them stands for its whole trie.
    fn eq(&self, other: &Value) -> bool {
        self.rlp() == other.rlp()
    }
}

impl Eq for Value {}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", alloy_primitives::hex::encode_prefixed(self.rlp()))?;
        self.storage.as_ref().map_or(Ok(()), |_| f.write_str(" with storage"))
    }
}
