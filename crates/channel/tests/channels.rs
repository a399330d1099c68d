//! The channel: what is sealed opens once, whole, in order, on the other side, and nothing else opens.

use coc_channel::{Channel, ChannelError, Handshake, PLAIN_BYTES_MAX, REKEY_MESSAGES, WIRE_BYTES_MAX};
use snow::{Builder, TransportState};

fn pair() -> [Channel; 2] {
    let mut caller = Handshake::begin(true, [1; 32], Some([3; 32]), b"").unwrap();
    let mut called = Handshake::begin(false, [2; 32], Some([4; 32]), b"").unwrap();
    called.read(&caller.write(b"").unwrap()).unwrap();
    caller.read(&called.write(b"").unwrap()).unwrap();
    called.read(&caller.write(b"").unwrap()).unwrap();
    [caller.finish().unwrap(), called.finish().unwrap()]
}

#[test]
fn messages_of_every_length_go_both_ways() {
    let mut sides = pair();
    for length in [0, 1, 15, 16, 17, 1_000, PLAIN_BYTES_MAX] {
        for sender in [0, 1] {
            let plain: Vec<u8> = (0..length).map(|index| (index * 7) as u8).collect();
            let sealed = sides[sender].seal(&plain).unwrap();
            assert_eq!(sealed.len(), length + 16);
            assert_eq!(sides[1 - sender].open(&sealed).unwrap(), plain);
        }
    }
}

#[test]
fn the_longest_message_fills_the_wire_and_a_longer_one_is_refused_on_both_sides() {
    let [mut caller, mut called] = pair();
    assert_eq!(caller.seal(&vec![0; PLAIN_BYTES_MAX]).unwrap().len(), WIRE_BYTES_MAX);
    let bytes = PLAIN_BYTES_MAX + 1;
    assert_eq!(caller.seal(&vec![0; bytes]), Err(ChannelError::PlainTooLong { bytes, max: PLAIN_BYTES_MAX }));
    let bytes = WIRE_BYTES_MAX + 1;
    assert_eq!(
        called.open(&vec![0; bytes]),
        Err(ChannelError::MessageTooLong { bytes, max: WIRE_BYTES_MAX })
    );
    assert_eq!(called.seal(b""), Err(ChannelError::Spent));
}

#[test]
fn our_own_too_long_message_costs_neither_channel_nor_nonce() {
    let [mut caller, mut called] = pair();
    caller.seal(&vec![0; PLAIN_BYTES_MAX + 1]).unwrap_err();
    assert_eq!(called.open(&caller.seal(b"short").unwrap()).unwrap(), b"short");
}

#[test]
fn a_message_with_any_bit_changed_is_refused_and_spends_the_channel() {
    for bit in 0..(5 + 16) * 8 {
        let [mut caller, mut called] = pair();
        let sealed = caller.seal(b"plain").unwrap();
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(called.open(&changed), Err(ChannelError::Refused), "bit {bit}");
        assert_eq!(called.open(&sealed), Err(ChannelError::Spent));
        assert_eq!(called.seal(b"plain"), Err(ChannelError::Spent));
    }
}

#[test]
fn a_message_that_is_cut_or_longer_is_refused() {
    for length in 0..5 + 16 {
        let [mut caller, mut called] = pair();
        let sealed = caller.seal(b"plain").unwrap();
        assert_eq!(called.open(&sealed[..length]), Err(ChannelError::Refused));
    }
    let [mut caller, mut called] = pair();
    let longer = [caller.seal(b"plain").unwrap(), vec![0]].concat();
    assert_eq!(called.open(&longer), Err(ChannelError::Refused));
}

#[test]
fn a_repeated_skipped_or_returned_message_is_refused() {
    let [mut caller, mut called] = pair();
    let first = caller.seal(b"first").unwrap();
    called.open(&first).unwrap();
    assert_eq!(called.open(&first), Err(ChannelError::Refused));

    let [mut caller, mut called] = pair();
    caller.seal(b"first").unwrap();
    assert_eq!(called.open(&caller.seal(b"second").unwrap()), Err(ChannelError::Refused));

    let [mut caller, _] = pair();
    let first = caller.seal(b"first").unwrap();
    assert_eq!(caller.open(&first), Err(ChannelError::Refused));
}

#[test]
fn equal_plaintexts_never_give_equal_messages() {
    let [mut caller, mut called] = pair();
    let messages = [caller.seal(b"same"), caller.seal(b"same"), called.seal(b"same")].map(Result::unwrap);
    assert!(messages[0] != messages[1] && messages[0] != messages[2] && messages[1] != messages[2]);
}

#[test]
fn directions_change_their_keys_together_on_both_sides_and_apart_from_each_other() {
    let [mut caller, mut called] = pair();
    for number in 0..2 * REKEY_MESSAGES + 2 {
        let plain = number.to_be_bytes();
        assert_eq!(called.open(&caller.seal(&plain).unwrap()).unwrap(), plain);
        if number % 3 == 0 {
            assert_eq!(caller.open(&called.seal(&plain).unwrap()).unwrap(), plain);
        }
    }
}

/// A channel, and a peer of the library's own that changes no key unasked.
fn channel_and_bare_peer() -> (Channel, TransportState) {
    let mut caller = Handshake::begin(true, [1; 32], None, b"prologue").unwrap();
    let builder = Builder::new("Noise_XX_25519_ChaChaPoly_SHA256".parse().unwrap());
    let builder = builder.local_private_key(&[2; 32]).unwrap().prologue(b"prologue").unwrap();
    let mut bare = builder.build_responder().unwrap();
    let mut buffer = vec![0; WIRE_BYTES_MAX];
    bare.read_message(&caller.write(b"").unwrap(), &mut buffer).unwrap();
    let length = bare.write_message(b"", &mut buffer).unwrap();
    caller.read(&buffer[..length]).unwrap();
    bare.read_message(&caller.write(b"").unwrap(), &mut buffer).unwrap();
    (caller.finish().unwrap(), bare.into_transport_mode().unwrap())
}

#[test]
fn what_is_sealed_has_a_new_key_after_so_many_messages_and_not_before() {
    let (mut channel, mut bare) = channel_and_bare_peer();
    let mut buffer = vec![0; WIRE_BYTES_MAX];
    for _ in 0..REKEY_MESSAGES {
        bare.read_message(&channel.seal(b"").unwrap(), &mut buffer).unwrap();
    }
    let next = channel.seal(b"").unwrap();
    assert!(bare.read_message(&next, &mut buffer).is_err());
    bare.rekey_incoming();
    assert!(bare.read_message(&next, &mut buffer).is_ok());
}

#[test]
fn what_is_opened_must_have_a_new_key_after_so_many_messages_and_not_before() {
    let (mut channel, mut bare) = channel_and_bare_peer();
    let mut buffer = vec![0; WIRE_BYTES_MAX];
    for _ in 0..REKEY_MESSAGES {
        let length = bare.write_message(b"", &mut buffer).unwrap();
        channel.open(&buffer[..length]).unwrap();
    }
    let length = bare.write_message(b"", &mut buffer).unwrap();
    assert_eq!(channel.open(&buffer[..length]), Err(ChannelError::Refused));
}
