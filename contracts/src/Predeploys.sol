// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Where the system contracts are, from genesis on, and who speaks for the protocol (SET-1).
/// @dev They find each other by these constants: nothing is configured, so nothing can be configured wrongly.
library Predeploys {
    /// @notice The caller of the protocol's own calls (EIP-4788): no key exists for it.
    address internal constant SYSTEM = 0xffffFFFfFFffffffffffffffFfFFFfffFFFfFFfE;

    /// @notice The validator set: stakes, keys, set periods.
    address internal constant VALIDATOR_REGISTRY = address(0xC0C00001);

    /// @notice Double signing, reported by the protocol.
    address internal constant EQUIVOCATION_DETECTOR = address(0xC0C00002);

    /// @notice The part of slashed stakes that is kept.
    address internal constant INSURANCE_FUND = address(0xC0C00003);

    /// @notice Where burned coins go; it has no key and no code.
    address internal constant BURNED = address(0);
}
