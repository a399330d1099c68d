//! Keccak-f\[1600\] (FIPS 202, section 3.3) written once for vectors of any width.

/// Round constants (FIPS 202, algorithm 5).
pub(super) const IOTA: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

/// The 24 rounds over `$words`, an array of 25 vectors: word `x + 5y` of every state.
///
/// A vector set gives `$xor3!(a, b, c)` = a ⊕ b ⊕ c, `$xor!`, `$chi!(a, b, c)` = a ⊕ (¬b ∧ c), `$rotate!`
/// (by a number of bits, to the left) and `$splat!` (one word in every lane). They are macros because an
/// intrinsic takes its count as a constant.
macro_rules! keccak_rounds {
    ($words:ident, $xor:ident, $xor3:ident, $chi:ident, $rotate:ident, $splat:ident) => {
        for constant in $crate::keccak::rounds::IOTA {
            // θ: each column is mixed with the parities of two others.
            let parity: [_; 5] = ::std::array::from_fn(|x| {
                $xor3!($xor3!($words[x], $words[x + 5], $words[x + 10]), $words[x + 15], $words[x + 20])
            });
            let mix: [_; 5] =
                ::std::array::from_fn(|x| $xor!(parity[(x + 4) % 5], $rotate!(parity[(x + 1) % 5], 1)));
            // ρ and π: word (x, y) is rotated and goes to (y, 2x + 3y).
            macro_rules! moved {
                ($from:literal, 0) => {
                    $xor!($words[$from], mix[$from % 5])
                };
                ($from:literal, $bits:literal) => {
                    $rotate!($xor!($words[$from], mix[$from % 5]), $bits)
                };
            }
            let moved = [
                [moved!(0, 0), moved!(6, 44), moved!(12, 43), moved!(18, 21), moved!(24, 14)],
                [moved!(3, 28), moved!(9, 20), moved!(10, 3), moved!(16, 45), moved!(22, 61)],
                [moved!(1, 1), moved!(7, 6), moved!(13, 25), moved!(19, 8), moved!(20, 18)],
                [moved!(4, 27), moved!(5, 36), moved!(11, 10), moved!(17, 15), moved!(23, 56)],
                [moved!(2, 62), moved!(8, 55), moved!(14, 39), moved!(15, 41), moved!(21, 2)],
            ];
            // χ: the only step that is not linear, along the rows.
            for y in 0..5 {
                let row = moved[y];
                for x in 0..5 {
                    $words[5 * y + x] = $chi!(row[x], row[(x + 1) % 5], row[(x + 2) % 5]);
                }
            }
            // ι: one constant a round, so that rounds differ.
            $words[0] = $xor!($words[0], $splat!(constant as i64));
        }
    };
}

pub(super) use keccak_rounds;
