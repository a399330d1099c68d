//! Hashing what an update left unhashed.

use crate::node::Node;

/// Gives `root` and every node below it its reference.
pub(crate) fn hash_all_below(root: &Node) {
    root.reference();
}
