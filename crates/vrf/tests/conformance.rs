//! Appendix B.1 of RFC 9381 from the file of all vectors. `CONFORMANCE_DIR` names the folder that holds `vrf`.

use alloy_primitives::hex;
use coc_vrf::{NistP256, PublicKey, proof_to_output, prove, verify};
use serde_json::Value;
use std::path::PathBuf;

const SUITE: &str = "ECVRF-P256-SHA256-TAI";

#[test]
fn every_vector_of_the_suite_holds() {
    let Some(folder) = std::env::var_os("CONFORMANCE_DIR") else {
        println!("skipped the vectors of RFC 9381: CONFORMANCE_DIR is not set");
        return;
    };
    let path = PathBuf::from(folder).join("vrf/rfc9381_ecvrf_appendixB.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let vectors: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    let ours: Vec<&Value> = vectors.iter().filter(|vector| vector["suite"] == SUITE).collect();
    assert_eq!(ours.len(), 3);
    for vector in ours {
        let bytes = |name: &str| hex::decode(vector[name].as_str().expect(name)).expect(name);
        let (secret, alpha, proof) = (bytes("SK").try_into().expect("32 bytes"), bytes("alpha"), bytes("pi"));
        let key = PublicKey::<NistP256>::from_compressed(&bytes("PK").try_into().expect("33 bytes"));
        assert_eq!(prove::<NistP256>(&secret, &alpha).unwrap()[..], proof);
        assert_eq!(verify(&key.unwrap(), &alpha, &proof).unwrap()[..], bytes("beta"));
        assert_eq!(proof_to_output::<NistP256>(&proof).unwrap()[..], bytes("beta"));
    }
}
