//! The way back from a node's Merkle encoding: strict, so that every node has exactly one encoding that is
//! accepted.

use crate::children::{FANOUT, Gathering};
use crate::encode::{EMPTY_STRING, HASH_STRING};
use crate::node::{Child, HASHED_FROM_BYTES, Node, NodeKind, Reference};
use crate::{Loc, Nibbles, Value};
use alloy_primitives::B256;
use std::sync::Arc;

const FIRST_LIST: u8 = 0xc0;
const LONGEST_SHORT_PAYLOAD: usize = 55;

/// What is wrong with an encoding.
pub(crate) type Flaw = &'static str;

/// Bytes of a hash with its header.
const HASH_ITEM_BYTES: usize = 33;

/// Where a decoder takes the places of hashed children from, in order.
pub(crate) trait Places {
    /// The place of the next hashed child.
    fn next_place(&mut self) -> Result<Loc, Flaw>;
}

impl<Next: FnMut() -> Result<Loc, Flaw>> Places for Next {
    fn next_place(&mut self) -> Result<Loc, Flaw> {
        self()
    }
}

/// One RLP item: its payload, and whether it is a list.
struct Item<'a> {
    is_list: bool,
    payload: &'a [u8],
    /// The item with its header.
    whole: &'a [u8],
}

/// Reads a node from exactly `rlp`. An account leaf comes without its storage trie.
pub(crate) fn decode_node(rlp: &[u8], places: &mut impl Places) -> Result<NodeKind, Flaw> {
    let mut rest = rlp;
    let node = next_item(&mut rest)?;
    if !node.is_list || !rest.is_empty() {
        return Err("its encoding is not one RLP list");
    }
    let mut items = node.payload;
    let first = next_item(&mut items)?;
    let second = next_item(&mut items)?;
    if items.is_empty() {
        return decode_short(&first, &second, places);
    }
    let mut items = node.payload;
    // Without inline children and value this is how many there are: of the sixteen, each there takes 33 bytes and each other one.
    let likely = items.len().saturating_sub(FANOUT + 1) / (HASH_ITEM_BYTES - 1);
    let mut children = Gathering::with_capacity(likely.min(FANOUT));
    for nibble in 0..FANOUT as u8 {
        match take_child(&mut items, places)? {
            Child::Empty => {}
            child => children.push(nibble, child),
        }
    }
    let value = next_item(&mut items)?;
    if value.is_list || !items.is_empty() {
        return Err("a branch must end with its value");
    }
    let children = children.finish();
    if children.count() + usize::from(!value.payload.is_empty()) < 2 {
        return Err("a branch must fork");
    }
    let value = (!value.payload.is_empty()).then(|| Box::new(Value::new(value.payload)));
    Ok(NodeKind::Branch { children, value })
}

fn decode_short(path: &Item<'_>, target: &Item<'_>, places: &mut impl Places) -> Result<NodeKind, Flaw> {
    if path.is_list {
        return Err("a path must be a string");
    }
    let (path, is_leaf) =
        Nibbles::from_hex_prefix(path.payload).ok_or("its path is not in hex-prefix form")?;
    if is_leaf {
        if target.is_list || target.payload.is_empty() {
            return Err("a leaf's value must be a string that is not empty");
        }
        return Ok(NodeKind::Leaf { path, value: Value::new(target.payload) });
    }
    let child = decode_child(target, places)?;
    if path.is_empty() || child.is_empty() {
        return Err("an extension must have a path and a child");
    }
    Ok(NodeKind::Extension { path, child: Box::new(child) })
}

/// The next child of a branch.
fn take_child(items: &mut &[u8], places: &mut impl Places) -> Result<Child, Flaw> {
    match *items {
        [HASH_STRING, rest @ ..] if rest.len() >= HASH_ITEM_BYTES - 1 => {
            let (hash, rest) = rest.split_at(HASH_ITEM_BYTES - 1);
            *items = rest;
            Ok(Child::Stored { hash: B256::from_slice(hash), loc: places.next_place()? })
        }
        [EMPTY_STRING, rest @ ..] => {
            *items = rest;
            Ok(Child::Empty)
        }
        _ => decode_child(&next_item(items)?, places),
    }
}

fn decode_child(item: &Item<'_>, places: &mut impl Places) -> Result<Child, Flaw> {
    if item.is_list {
        if item.whole.len() >= HASHED_FROM_BYTES {
            return Err("a child of 32 bytes or more must stand by its hash");
        }
        let kind = decode_node(item.whole, places)?;
        return Ok(Child::Node(Arc::new(Node::with_reference(kind, Reference::of(item.whole)))));
    }
    match item.payload.len() {
        0 => Ok(Child::Empty),
        32 => Ok(Child::Stored { hash: B256::from_slice(item.payload), loc: places.next_place()? }),
        _ => Err("a child must be a hash, a node or nothing"),
    }
}

/// The storage root in an account's encoding: the third of four items. Nothing when the value is no account.
pub(crate) fn account_storage_root(value: &[u8]) -> Option<B256> {
    let mut rest = value;
    let account = next_item(&mut rest).ok()?;
    let mut items = account.payload;
    let mut item = || next_item(&mut items).ok().filter(|item| !item.is_list);
    let (_nonce, _balance, storage_root, code_hash) = (item()?, item()?, item()?, item()?);
    let is_account = account.is_list
        && rest.is_empty()
        && items.is_empty()
        && storage_root.payload.len() == 32
        && code_hash.payload.len() == 32;
    is_account.then(|| B256::from_slice(storage_root.payload))
}

fn next_item<'a>(rest: &mut &'a [u8]) -> Result<Item<'a>, Flaw> {
    let whole = *rest;
    let &first = whole.first().ok_or("its encoding ends early")?;
    if first == EMPTY_STRING {
        return take(rest, whole, false, 1, 0);
    }
    if first == HASH_STRING {
        return take(rest, whole, false, 1, 32);
    }
    if first < EMPTY_STRING {
        return take(rest, whole, false, 0, 1);
    }
    let is_list = first >= FIRST_LIST;
    let len = usize::from(first - if is_list { FIRST_LIST } else { EMPTY_STRING });
    if len > LONGEST_SHORT_PAYLOAD {
        let len_bytes = len - LONGEST_SHORT_PAYLOAD;
        let digits = whole.get(1..=len_bytes).ok_or("its encoding ends early")?;
        let len =
            digits.iter().try_fold(0_usize, |len, digit| Some(len.checked_mul(256)? | usize::from(*digit)));
        let len = len.ok_or("a length is too large")?;
        if digits[0] == 0 || len <= LONGEST_SHORT_PAYLOAD {
            return Err("a length is not in its shortest form");
        }
        return take(rest, whole, is_list, 1 + len_bytes, len);
    }
    let item = take(rest, whole, is_list, 1, len)?;
    if !is_list && matches!(item.payload, [0..EMPTY_STRING]) {
        return Err("a byte is not in its shortest form");
    }
    Ok(item)
}

fn take<'a>(
    rest: &mut &'a [u8],
    from: &'a [u8],
    is_list: bool,
    header: usize,
    payload: usize,
) -> Result<Item<'a>, Flaw> {
    let end = header.checked_add(payload).ok_or("a length is too large")?;
    let whole = from.get(..end).ok_or("its encoding ends early")?;
    *rest = &from[end..];
    Ok(Item { is_list, payload: &whole[header..], whole })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(rlp: &[u8]) -> Result<NodeKind, Flaw> {
        decode_node(rlp, &mut || Ok(Loc(1)))
    }

    #[test]
    fn a_leaf_in_any_form_but_the_shortest_is_refused() {
        assert!(decode(&[0xc2, 0x20, 0x01]).is_ok());
        for not_canonical in [
            &[0xc3, 0x20, 0x81, 0x01][..],                           // one byte with a header
            &[0xf8, 0x02, 0x20, 0x01],                               // long form of a short list
            &[0xc2, 0x20, 0x01, 0x00],                               // a byte after the node
            &[0xc4, 0x20, 0xb8, 0x01, 0x01],                         // long form of a short string
            &[0xc2, 0x20, 0x80],                                     // an empty value
            &[0xc2, 0x20, 0xc0],                                     // a list for a value
            &[0xc3, 0x20, 0x01, 0x01],                               // three items
            &[0xc2, 0x60, 0x01],                                     // an unknown path flag
            &[0xc2, 0x00, 0x01],                                     // an extension of nothing
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], // a length beyond memory
            &[0xc1, 0x20],
            &[0xc2, 0x20],
            &[0x80],
            &[],
        ] {
            assert!(decode(not_canonical).is_err(), "{not_canonical:02x?}");
        }
    }

    #[test]
    fn a_branch_that_does_not_fork_is_refused() {
        let mut only_one_child = vec![0xd3, 0xc2, 0x20, 0x01];
        only_one_child.extend([EMPTY_STRING; 16]);
        assert!(decode(&only_one_child).is_err());
        let mut child_and_value = only_one_child;
        child_and_value[19] = 0x05;
        assert!(decode(&child_and_value).is_ok());
    }

    #[test]
    fn only_an_account_has_a_storage_root() {
        let root = [7; 32];
        let mut account = vec![0xf8, 68, 0x01, 0x80, HASH_STRING];
        account.extend(root);
        account.push(HASH_STRING);
        account.extend([9; 32]);
        assert_eq!(account_storage_root(&account), Some(B256::from(root)));
        assert_eq!(account_storage_root(&account[..69]), None);
        assert_eq!(account_storage_root(&root), None);
        assert_eq!(account_storage_root(&[]), None);
    }
}
