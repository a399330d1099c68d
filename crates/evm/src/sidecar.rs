//! Blob transactions as they travel: with blobs, commitments and proofs beside them (EIP-4844, EIP-7594).
//!
//! Blocks hold the transaction alone. Whoever sends one brings the blobs along; they are checked against the hashes that the transaction
//! names and then let go, since this chain promises nothing about their availability.

use crate::transaction::TransactionInvalid;
use alloy_primitives::{B256, Bytes};
use alloy_rlp::{Decodable, Header as RlpHeader};
use c_kzg::{Blob, Bytes48, Cell, KzgSettings};
use sha2::{Digest, Sha256};

/// Bytes of a blob.
const BLOB_BYTES: usize = 131_072;
/// Cells that a blob extended for sampling has, each with a proof (EIP-7594).
const CELLS_PER_BLOB: usize = 128;
/// Version byte of the wrapper with cell proofs (EIP-7594).
const CELL_PROOFS_VERSION: u8 = 1;
/// First byte of a blob's versioned hash (EIP-4844).
const KZG_VERSION: u8 = 1;
/// Blobs a transaction may bring (EIP-7594; before Osaka a block holds at most nine).
const BLOBS_MAX: usize = 9;
/// Longest transaction with blobs in bytes: nine blobs, their proofs for every cell, and the transaction.
pub const WRAPPED_BYTES_MAX: usize = BLOBS_MAX * (BLOB_BYTES + 48 * (CELLS_PER_BLOB + 1)) + (128 << 10);

/// The blobs of a transaction with what proves them.
pub struct Sidecar {
    blobs: Vec<Blob>,
    commitments: Vec<Bytes48>,
    proofs: Vec<Bytes48>,
    by_cell: bool,
}

/// Splits a blob transaction with blobs into its canonical encoding and the blobs; `None` for any other encoding.
pub fn split(raw: &[u8]) -> Result<Option<(Bytes, Sidecar)>, TransactionInvalid> {
    let Some((3, wrapped)) = raw.split_first() else { return Ok(None) };
    let mut rest = wrapped;
    let Ok(outer) = RlpHeader::decode(&mut rest) else { return Ok(None) };
    // In the wrapper the first item is the transaction, a list; in the transaction it is the chain id, a number.
    if !outer.list || outer.payload_length != rest.len() || rest.first().is_none_or(|byte| *byte < 0xc0) {
        return Ok(None);
    }
    read(rest).map(Some).map_err(|error| {
        TransactionInvalid::new(
            "RLP_ENCODING",
            format!("the blobs beside the transaction cannot be decoded: {error}"),
        )
    })
}

fn read(mut rest: &[u8]) -> Result<(Bytes, Sidecar), alloy_rlp::Error> {
    let start = rest;
    let inner = RlpHeader::decode(&mut rest)?;
    let end = start.len() - rest.len() + inner.payload_length;
    let body = start.get(..end).ok_or(alloy_rlp::Error::InputTooShort)?;
    rest = &start[end..];
    let by_cell = rest.first() == Some(&CELL_PROOFS_VERSION);
    if by_cell {
        rest = &rest[1..];
    }
    let blobs = Vec::<Bytes>::decode(&mut rest)?;
    let commitments = Vec::<Bytes>::decode(&mut rest)?;
    let proofs = Vec::<Bytes>::decode(&mut rest)?;
    if !rest.is_empty() {
        return Err(alloy_rlp::Error::UnexpectedLength);
    }
    let canonical: Bytes = [&[3u8], body].concat().into();
    let wrong = |_| alloy_rlp::Error::UnexpectedLength;
    let short = |list: Vec<Bytes>| -> Result<Vec<Bytes48>, alloy_rlp::Error> {
        list.iter().map(|each| Bytes48::from_bytes(each).map_err(wrong)).collect()
    };
    let blobs = blobs.iter().map(|blob| Blob::from_bytes(blob).map_err(wrong)).collect::<Result<_, _>>()?;
    Ok((canonical, Sidecar { blobs, commitments: short(commitments)?, proofs: short(proofs)?, by_cell }))
}

impl Sidecar {
    /// Checks that these are the blobs whose hashes the transaction names.
    pub fn verify(&self, hashes: &[B256]) -> Result<(), TransactionInvalid> {
        let refuse = |sentence: String| Err(TransactionInvalid::new("TYPE_3_TX_INVALID_SIDECAR", sentence));
        let count = hashes.len();
        let proofs = if self.by_cell { count * CELLS_PER_BLOB } else { count };
        if self.blobs.len() != count || self.commitments.len() != count || self.proofs.len() != proofs {
            return refuse(format!(
                "the transaction names {count} blobs, and {} come with {} commitments and {} proofs",
                self.blobs.len(),
                self.commitments.len(),
                self.proofs.len()
            ));
        }
        let committed = self.commitments.iter().map(versioned_hash);
        if !committed.eq(hashes.iter().copied()) {
            return refuse("a blob's commitment does not have the hash that the transaction names".into());
        }
        match self.proven(c_kzg::ethereum_kzg_settings(0)) {
            Ok(true) => Ok(()),
            Ok(false) => refuse("a proof does not fit its blob".into()),
            Err(error) => refuse(format!("a blob, commitment or proof is malformed: {error}")),
        }
    }

    fn proven(&self, settings: &KzgSettings) -> Result<bool, c_kzg::Error> {
        if !self.by_cell {
            return settings.verify_blob_kzg_proof_batch(&self.blobs, &self.commitments, &self.proofs);
        }
        let (mut cells, mut commitments, mut indices): (Vec<Cell>, Vec<Bytes48>, Vec<u64>) =
            Default::default();
        for (blob, commitment) in self.blobs.iter().zip(&self.commitments) {
            cells.extend(settings.compute_cells(blob)?.iter().copied());
            commitments.extend(std::iter::repeat_n(*commitment, CELLS_PER_BLOB));
            indices.extend(0..CELLS_PER_BLOB as u64);
        }
        settings.verify_cell_kzg_proof_batch(&commitments, &indices, &cells, &self.proofs)
    }
}

fn versioned_hash(commitment: &Bytes48) -> B256 {
    let mut hash = B256::from_slice(&Sha256::digest(commitment.as_slice()));
    hash[0] = KZG_VERSION;
    hash
}
