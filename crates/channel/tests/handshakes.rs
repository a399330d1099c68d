//! The handshake: both sides end up with each other's keys, and nobody in between changes, repeats or reads anything.

use coc_channel::{
    ChannelError, HANDSHAKE_PAYLOAD_BYTES_MAX, Handshake, PLAIN_BYTES_MAX, WIRE_BYTES_MAX, public_key,
};

const CALLER: [u8; 32] = [1; 32];
const CALLED: [u8; 32] = [2; 32];
const PROLOGUE: &[u8] = b"genesis and version";

fn pair() -> [Handshake; 2] {
    let begin = |initiator, secret| Handshake::begin(initiator, secret, None, PROLOGUE).unwrap();
    [begin(true, CALLER), begin(false, CALLED)]
}

/// Whose turn each of the three messages is.
const SENDERS: [usize; 3] = [0, 1, 0];

/// Sends the first `count` messages over, with payloads of their number.
fn talk(sides: &mut [Handshake; 2], count: usize) {
    for (number, sender) in SENDERS.into_iter().enumerate().take(count) {
        let payload = [number as u8; 5];
        let message = sides[sender].write(&payload).unwrap();
        assert_eq!(sides[1 - sender].read(&message).unwrap(), payload);
    }
}

#[test]
fn after_three_messages_each_side_has_the_others_key_and_both_have_one_hash() {
    let mut sides = pair();
    talk(&mut sides, 2);
    assert!(!sides[0].is_finished() && !sides[1].is_finished());
    let message = sides[0].write(b"").unwrap();
    assert_eq!(sides[1].read(&message).unwrap(), b"");

    assert!(sides[0].is_finished() && sides[1].is_finished());
    assert_eq!(sides[0].remote_static(), Some(public_key(&CALLED).unwrap()));
    assert_eq!(sides[1].remote_static(), Some(public_key(&CALLER).unwrap()));
    assert_eq!(sides[0].hash().unwrap(), sides[1].hash().unwrap());
    let [mut caller, mut called] = sides.map(|side| side.finish().unwrap());
    let question = caller.seal(b"question").unwrap();
    let answer = called.seal(b"answer").unwrap();
    assert_eq!(called.open(&question).unwrap(), b"question");
    assert_eq!(caller.open(&answer).unwrap(), b"answer");
}

#[test]
fn a_key_is_known_only_when_the_message_that_carries_it_was_read() {
    let mut sides = pair();
    talk(&mut sides, 1);
    assert_eq!(sides[1].remote_static(), None);
    talk_second(&mut sides);
    assert_eq!(sides[0].remote_static(), Some(public_key(&CALLED).unwrap()));
    assert_eq!(sides[1].remote_static(), None);
}

fn talk_second(sides: &mut [Handshake; 2]) {
    let message = sides[1].write(b"").unwrap();
    sides[0].read(&message).unwrap();
}

/// Changes one byte of message `number` and goes on until somebody refuses: which message that was.
fn refused_at(number: usize, byte: usize) -> Option<usize> {
    let mut sides = pair();
    for (current, sender) in SENDERS.into_iter().enumerate() {
        let mut message = sides[sender].write(b"payload").unwrap();
        if current == number {
            message[byte] ^= 1;
        }
        if let Err(error) = sides[1 - sender].read(&message) {
            assert_eq!(error, ChannelError::Refused);
            assert_eq!(sides[1 - sender].read(&message), Err(ChannelError::Spent));
            assert_eq!(sides[1 - sender].write(b""), Err(ChannelError::Spent));
            assert_eq!(sides[1 - sender].remote_static(), None);
            assert!(!sides[1 - sender].is_finished());
            return Some(current);
        }
    }
    None
}

#[test]
fn a_changed_byte_of_the_first_message_is_refused_with_the_second() {
    for byte in 0..32 + 7 {
        assert_eq!(refused_at(0, byte), Some(1), "byte {byte}");
    }
}

#[test]
fn a_changed_byte_of_the_second_or_third_message_is_refused_at_once() {
    for byte in 0..96 + 7 {
        assert_eq!(refused_at(1, byte), Some(1), "byte {byte}");
    }
    for byte in 0..64 + 7 {
        assert_eq!(refused_at(2, byte), Some(2), "byte {byte}");
    }
}

#[test]
fn a_cut_message_is_refused() {
    for (number, sender) in SENDERS.into_iter().enumerate() {
        let shortest = [32, 96, 64][number];
        for length in [0, 1, 31, shortest - 1] {
            let mut sides = pair();
            talk(&mut sides, number);
            let message = sides[sender].write(b"").unwrap();
            assert_eq!(sides[1 - sender].read(&message[..length]), Err(ChannelError::Refused));
        }
    }
}

#[test]
fn sides_with_different_prologues_do_not_meet() {
    let mut caller = Handshake::begin(true, CALLER, None, b"one chain").unwrap();
    let mut called = Handshake::begin(false, CALLED, None, b"another chain").unwrap();
    called.read(&caller.write(b"").unwrap()).unwrap();
    assert_eq!(caller.read(&called.write(b"").unwrap()), Err(ChannelError::Refused));
}

#[test]
fn a_recorded_handshake_cannot_be_played_again() {
    let mut sides = pair();
    let first = sides[0].write(b"").unwrap();
    sides[1].read(&first).unwrap();
    talk_second(&mut sides);
    let third = sides[0].write(b"").unwrap();
    sides[1].read(&third).unwrap();

    let [_, mut again] = pair();
    again.read(&first).unwrap();
    again.write(b"").unwrap();
    assert_eq!(again.read(&third), Err(ChannelError::Refused));
}

#[test]
fn the_caller_cannot_be_answered_with_its_own_message() {
    let [mut caller, _] = pair();
    let as_long_as_an_answer = caller.write(&[0; 64]).unwrap();
    assert_eq!(caller.read(&as_long_as_an_answer), Err(ChannelError::Refused));
}

#[test]
fn equal_ephemeral_secrets_give_equal_bytes_and_others_do_not() {
    let run = |ephemeral: Option<u8>| {
        let secret = |offset: u8| ephemeral.map(|first| [first + offset; 32]);
        let mut sides = [
            Handshake::begin(true, CALLER, secret(0), PROLOGUE).unwrap(),
            Handshake::begin(false, CALLED, secret(1), PROLOGUE).unwrap(),
        ];
        let mut bytes = Vec::new();
        for sender in SENDERS {
            let message = sides[sender].write(b"payload").unwrap();
            sides[1 - sender].read(&message).unwrap();
            bytes.extend(message);
        }
        bytes.extend(sides[0].hash().unwrap());
        let [caller, _] = sides;
        bytes.extend(caller.finish().unwrap().seal(b"sealed").unwrap());
        bytes
    };
    assert_eq!(run(Some(7)), run(Some(7)));
    assert_ne!(run(Some(7)), run(Some(8)));
    assert_ne!(run(None), run(None));
}

#[test]
fn the_first_message_begins_with_the_public_key_of_the_ephemeral_secret() {
    let mut caller = Handshake::begin(true, CALLER, Some([9; 32]), PROLOGUE).unwrap();
    assert_eq!(
        caller.write(b"in clear").unwrap(),
        [&public_key(&[9; 32]).unwrap()[..], b"in clear"].concat()
    );
}

#[test]
fn nobody_speaks_out_of_turn_or_takes_the_channel_too_early() {
    let [mut caller, mut called] = pair();
    assert_eq!(called.write(b""), Err(ChannelError::OutOfTurn));
    assert_eq!(caller.read(b""), Err(ChannelError::OutOfTurn));
    let first = caller.write(b"").unwrap();
    assert_eq!(caller.write(b""), Err(ChannelError::OutOfTurn));
    called.read(&first).unwrap();
    assert_eq!(called.read(&first), Err(ChannelError::OutOfTurn));
    assert!(matches!(caller.finish(), Err(ChannelError::Unfinished)));

    let mut sides = pair();
    talk(&mut sides, 3);
    assert_eq!(sides[0].write(b""), Err(ChannelError::OutOfTurn));
    assert_eq!(sides[1].write(b""), Err(ChannelError::OutOfTurn));
}

#[test]
fn every_message_takes_the_longest_payload_and_none_a_longer_one() {
    let mut sides = pair();
    for sender in SENDERS {
        let longest = vec![3; HANDSHAKE_PAYLOAD_BYTES_MAX];
        let bytes = HANDSHAKE_PAYLOAD_BYTES_MAX + 1;
        assert_eq!(
            sides[sender].write(&vec![3; bytes]),
            Err(ChannelError::PlainTooLong { bytes, max: HANDSHAKE_PAYLOAD_BYTES_MAX })
        );
        let message = sides[sender].write(&longest).unwrap();
        assert!(message.len() <= WIRE_BYTES_MAX);
        assert_eq!(sides[1 - sender].read(&message).unwrap(), longest);
    }
    assert!(sides[0].is_finished() && PLAIN_BYTES_MAX > HANDSHAKE_PAYLOAD_BYTES_MAX);

    let [_, mut called] = pair();
    let bytes = WIRE_BYTES_MAX + 1;
    assert_eq!(
        called.read(&vec![0; bytes]),
        Err(ChannelError::MessageTooLong { bytes, max: WIRE_BYTES_MAX })
    );
}

#[test]
fn public_keys_are_those_of_rfc_7748() {
    // Section 6.1, Alice.
    let secret = *b"\x77\x07\x6d\x0a\x73\x18\xa5\x7d\x3c\x16\xc1\x72\x51\xb2\x66\x45\xdf\x4c\x2f\x87\xeb\xc0\x99\x2a\xb1\x77\xfb\xa5\x1d\xb9\x2c\x2a";
    let public = *b"\x85\x20\xf0\x09\x89\x30\xa7\x54\x74\x8b\x7d\xdc\xb4\x3e\xf7\x5a\x0d\xbf\x3a\x0d\x26\x38\x1a\xf4\xeb\xa4\xa9\x8e\xaa\x9b\x4e\x6a";
    assert_eq!(public_key(&secret).unwrap(), public);
}
