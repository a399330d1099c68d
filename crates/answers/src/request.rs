//! A transaction object of a request (execution-apis `GenericTransaction`), as the EVM or a signer takes it.

use alloy_consensus::{TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy};
use alloy_eips::Encodable2718 as _;
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use coc_evm::json::{self, JsonError};
use coc_evm::types::Transaction;
use serde_json::Value;

/// The fields of a transaction object; what is `None` was not given.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct Request {
    pub tx_type: Option<u64>,
    pub from: Option<Address>,
    pub to: Option<Address>,
    pub gas: Option<u64>,
    pub gas_price: Option<u128>,
    pub max_fee_per_gas: Option<u128>,
    pub max_priority_fee_per_gas: Option<u128>,
    pub max_fee_per_blob_gas: Option<u128>,
    pub value: U256,
    pub input: Bytes,
    pub nonce: Option<u64>,
    pub chain_id: Option<u64>,
    pub access_list: Option<AccessList>,
    pub blob_hashes: Option<Vec<B256>>,
    pub authorizations: Option<Vec<SignedAuthorization>>,
}

impl Request {
    /// Parses the JSON of a transaction object.
    pub fn parse(text: &[u8]) -> Result<Request, JsonError> {
        let object: Value =
            serde_json::from_slice(text).map_err(|error| JsonError::new("transaction", error.to_string()))?;
        if !object.is_object() {
            return Err(JsonError::new("transaction", "is not an object"));
        }
        let input =
            json::maybe(&object, "input", json::bytes)?.or(json::maybe(&object, "data", json::bytes)?);
        Ok(Request {
            tx_type: json::maybe(&object, "type", json::u64)?,
            from: json::maybe(&object, "from", json::address)?,
            to: json::maybe(&object, "to", json::address)?,
            gas: json::maybe(&object, "gas", json::u64)?,
            gas_price: json::maybe(&object, "gasPrice", json::u128)?,
            max_fee_per_gas: json::maybe(&object, "maxFeePerGas", json::u128)?,
            max_priority_fee_per_gas: json::maybe(&object, "maxPriorityFeePerGas", json::u128)?,
            max_fee_per_blob_gas: json::maybe(&object, "maxFeePerBlobGas", json::u128)?,
            value: json::maybe(&object, "value", json::u256)?.unwrap_or_default(),
            input: input.unwrap_or_default(),
            nonce: json::maybe(&object, "nonce", json::u64)?,
            chain_id: json::maybe(&object, "chainId", json::u64)?,
            access_list: json::maybe(&object, "accessList", access_list)?,
            blob_hashes: json::maybe(&object, "blobVersionedHashes", |list, place| {
                each(list, place, json::b256)
            })?,
            authorizations: json::maybe(&object, "authorizationList", |list, place| {
                each(list, place, authorization)
            })?,
        })
    }

    /// The EIP-2718 type: as given, or the oldest that has all the fields that are there.
    pub fn kind(&self) -> u8 {
        if let Some(given) = self.tx_type {
            return u8::try_from(given).unwrap_or(u8::MAX);
        }
        match () {
            () if self.authorizations.is_some() => 4,
            () if self.blob_hashes.is_some() || self.max_fee_per_blob_gas.is_some() => 3,
            () if self.max_fee_per_gas.is_some() || self.max_priority_fee_per_gas.is_some() => 2,
            () if self.access_list.is_some() => 1,
            () => 0,
        }
    }

    /// Signs the transaction, which must be complete, and gives its canonical encoding.
    pub fn sign(&self, secret: &[u8; 32]) -> Result<Vec<u8>, JsonError> {
        let (value, input) = (self.value, self.input.clone());
        let to = self.to.map_or(TxKind::Create, TxKind::Call);
        let access_list = self.access_list.clone().unwrap_or_default();
        let nonce = stated(self.nonce, "nonce")?;
        let gas_limit = stated(self.gas, "gas")?;
        let chain_id = stated(self.chain_id, "chainId")?;
        match self.kind() {
            0 => {
                let gas_price = stated(self.gas_price, "gasPrice")?;
                let chain_id = Some(chain_id);
                signed(TxLegacy { chain_id, nonce, gas_price, gas_limit, to, value, input }, secret)
            }
            1 => {
                let gas_price = stated(self.gas_price, "gasPrice")?;
                signed(
                    TxEip2930 { chain_id, nonce, gas_price, gas_limit, to, value, access_list, input },
                    secret,
                )
            }
            2..=4 => {
                let max_fee_per_gas = stated(self.max_fee_per_gas, "maxFeePerGas")?;
                let max_priority_fee_per_gas = stated(self.max_priority_fee_per_gas, "maxPriorityFeePerGas")?;
                self.sign_dynamic(
                    TxEip1559 {
                        chain_id,
                        nonce,
                        gas_limit,
                        max_fee_per_gas,
                        max_priority_fee_per_gas,
                        to,
                        value,
                        access_list,
                        input,
                    },
                    secret,
                )
            }
            other => Err(JsonError::new("type", format!("{other:#x} is not a transaction type"))),
        }
    }

    /// Signs a transaction of type 2, or one of type 3 or 4 that has all its fields and some more.
    fn sign_dynamic(&self, plain: TxEip1559, secret: &[u8; 32]) -> Result<Vec<u8>, JsonError> {
        let TxEip1559 { chain_id, nonce, gas_limit, max_fee_per_gas, max_priority_fee_per_gas, .. } = plain;
        let (value, input) = (plain.value, plain.input.clone());
        if self.kind() == 2 {
            return signed(plain, secret);
        }
        let access_list = plain.access_list;
        let to = stated(self.to, "to: this type of transaction cannot create")?;
        if self.kind() == 3 {
            let transaction = TxEip4844 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to,
                value,
                access_list,
                blob_versioned_hashes: self.blob_hashes.clone().unwrap_or_default(),
                max_fee_per_blob_gas: stated(self.max_fee_per_blob_gas, "maxFeePerBlobGas")?,
                input,
            };
            return signed(transaction, secret);
        }
        let transaction = TxEip7702 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to,
            value,
            access_list,
            authorization_list: self.authorizations.clone().unwrap_or_default(),
            input,
        };
        signed(transaction, secret)
    }
}

fn stated<T>(value: Option<T>, place: &str) -> Result<T, JsonError> {
    value.ok_or_else(|| JsonError::new(place, "is missing"))
}

fn signed<T>(transaction: T, secret: &[u8; 32]) -> Result<Vec<u8>, JsonError>
where
    T: alloy_consensus::SignableTransaction<Signature> + alloy_consensus::transaction::RlpEcdsaEncodableTx,
    Transaction: From<alloy_consensus::Signed<T>>,
{
    let wrong = |error: String| JsonError::new("secret key", error);
    let key = secp256k1::SecretKey::from_secret_bytes(*secret).map_err(|error| wrong(error.to_string()))?;
    let digest = transaction.signature_hash();
    let made = secp256k1::ecdsa::RecoverableSignature::sign_ecdsa_recoverable(
        secp256k1::Message::from_digest(digest.0),
        &key,
    );
    let (id, compact) = made.serialize_compact();
    let signature = Signature::new(
        U256::from_be_slice(&compact[..32]),
        U256::from_be_slice(&compact[32..]),
        id.to_u8() & 1 == 1,
    );
    Ok(Transaction::from(transaction.into_signed(signature)).encoded_2718())
}

fn each<T>(
    list: &Value,
    place: &str,
    read: impl Fn(&Value, &str) -> Result<T, JsonError>,
) -> Result<Vec<T>, JsonError> {
    let items = list.as_array().ok_or_else(|| JsonError::new(place, "is not a list"))?;
    items.iter().map(|item| read(item, place)).collect()
}

fn access_list(list: &Value, place: &str) -> Result<AccessList, JsonError> {
    let items = each(list, place, |item, _| {
        let keys = json::maybe(item, "storageKeys", |keys, place| each(keys, place, json::b256))?;
        Ok(AccessListItem {
            address: json::address(json::field(item, "address")?, "address")?,
            storage_keys: keys.unwrap_or_default(),
        })
    })?;
    Ok(AccessList(items))
}

fn authorization(item: &Value, _place: &str) -> Result<SignedAuthorization, JsonError> {
    let number = |name: &str| json::u256(json::field(item, name)?, name);
    let inner = Authorization {
        chain_id: number("chainId")?,
        address: json::address(json::field(item, "address")?, "address")?,
        nonce: json::u64(json::field(item, "nonce")?, "nonce")?,
    };
    let parity =
        u8::try_from(number("yParity")?).map_err(|_| JsonError::new("yParity", "is more than a byte"))?;
    Ok(SignedAuthorization::new_unchecked(inner, parity, number("r")?, number("s")?))
}
