//! Answers that may never change: the RFC's for P-256, and ours for secp256k1, on which chains depend.

use alloy_primitives::hex;
use coc_vrf::{NistP256, PublicKey, Secp256k1, Suite, proof_to_output, prove, verify};

struct Answer {
    secret: [u8; 32],
    public_key: [u8; 33],
    alpha: &'static [u8],
    proof: [u8; 81],
    output: [u8; 32],
}

/// RFC 9381, appendix B.1.
const P256: [Answer; 3] = [
    Answer {
        secret: hex!("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"),
        public_key: hex!("0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"),
        alpha: b"sample",
        proof: hex!(
            "035b5c726e8c0e2c488a107c600578ee75cb702343c153cb1eb8dec77f4b5071b4a53f0a46f018bc2c56e58d383f2305e0"
            "975972c26feea0eb122fe7893c15af376b33edf7de17c6ea056d4d82de6bc02f"
        ),
        output: hex!("a3ad7b0ef73d8fc6655053ea22f9bede8c743f08bbed3d38821f0e16474b505e"),
    },
    Answer {
        secret: hex!("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"),
        public_key: hex!("0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"),
        alpha: b"test",
        proof: hex!(
            "034dac60aba508ba0c01aa9be80377ebd7562c4a52d74722e0abae7dc3080ddb56c19e067b15a8a8174905b13617804534"
            "214f935b94c2287f797e393eb0816969d864f37625b443f30f1a5a33f2b3c854"
        ),
        output: hex!("a284f94ceec2ff4b3794629da7cbafa49121972671b466cab4ce170aa365f26d"),
    },
    Answer {
        secret: hex!("2ca1411a41b17b24cc8c3b089cfd033f1920202a6c0de8abb97df1498d50d2c8"),
        public_key: hex!("03596375e6ce57e0f20294fc46bdfcfd19a39f8161b58695b3ec5b3d16427c274d"),
        alpha: b"Example using ECDSA key from Appendix L.4.2 of ANSI.X9-62-2005",
        proof: hex!(
            "03d03398bf53aa23831d7d1b2937e005fb0062cbefa06796579f2a1fc7e7b8c667d091c00b0f5c3619d10ecea44363b5a5"
            "99cadc5b2957e223fec62e81f7b4825fc799a771a3d7334b9186bdbee87316b1"
        ),
        output: hex!("90871e06da5caa39a3c61578ebb844de8635e27ac0b13e829997d0d95dd98c19"),
    },
];

/// From an implementation that shares nothing with this one (`tests/primitives/plain_ecvrf.py`).
const SECP256K1: [Answer; 3] = [
    Answer {
        secret: hex!("0000000000000000000000000000000000000000000000000000000000000007"),
        public_key: hex!("025cbdf0646e5db4eaa398f365f2ea7a0e3d419b7e0330e39ce92bddedcac4f9bc"),
        alpha: b"",
        proof: hex!(
            "037f1876f90a4bb51354d440107988e339b610ba662babefb6344aa01deeba518af1e79fbfef0196a1180b7e3b96610edd"
            "1082af8b7cf7eb5e91176d5c21b83c5a14060e8759b6a393f435e5b1f9ddf083"
        ),
        output: hex!("11b00d6e652cc2db8c9823de3613f8cfe19add39f6a6537310d6d38ddfd1c5f1"),
    },
    Answer {
        secret: hex!("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"),
        public_key: hex!("032c8c31fc9f990c6b55e3865a184a4ce50e09481f2eaeb3e60ec1cea13a6ae645"),
        alpha: b"sample",
        proof: hex!(
            "0338ec99b5d0f94ebcc2c704c04af3de8b4289df8798e5fb9f920d7f5d77ac03d7718b9677d1c9348649ac2ec4f7ecbe51"
            "9b30dd10c4eb5efc21dd5944709f2f3b7e97a25f6f095334593502d05103bc5b"
        ),
        output: hex!("d466c22e14dc3b7fd169668dd3ee9ac6351429a24aebc5e8af61a0f0de89b65a"),
    },
    Answer {
        secret: hex!("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140"),
        public_key: hex!("0379be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
        alpha: &[0; 40],
        proof: hex!(
            "03d988f79ea2e3e36ed9b515fcf2dee6698bb4d51434b964d9b38e3057c0cedf4f9a954b7b4484ad94a703f0ed6d7602ec"
            "575347bf1b6d62ce0053384570b4e308579cecd19f73c3e52f2a547667972745"
        ),
        output: hex!("9d1db411de21f2375851473d1a4446a60605dced545708e287268377a65c4e5e"),
    },
];

fn check<S: Suite>(answer: &Answer) {
    let key = PublicKey::<S>::from_compressed(&answer.public_key).unwrap();
    assert_eq!(hex::encode(prove::<S>(&answer.secret, answer.alpha).unwrap()), hex::encode(answer.proof));
    assert_eq!(verify(&key, answer.alpha, &answer.proof), Ok(answer.output));
    assert_eq!(proof_to_output::<S>(&answer.proof), Ok(answer.output));
}

#[test]
fn the_vectors_of_rfc_9381_hold() {
    P256.iter().for_each(check::<NistP256>);
}

#[test]
fn our_suite_gives_what_it_always_gave() {
    SECP256K1.iter().for_each(check::<Secp256k1>);
}
