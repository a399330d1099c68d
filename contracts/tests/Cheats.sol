// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev What forge lets a test do to the chain it runs on; only what these tests use.
interface Cheats {
    struct Wallet {
        address addr;
        uint256 publicKeyX;
        uint256 publicKeyY;
        uint256 privateKey;
    }

    function createWallet(uint256 privateKey) external returns (Wallet memory);
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function etch(address target, bytes calldata code) external;
    function deal(address account, uint256 balanceWei) external;
    function roll(uint256 number) external;
    function warp(uint256 timestamp) external;
    function chainId(uint256 id) external;
    function prank(address caller) external;
    function expectRevert(bytes calldata data) external;
    function assume(bool condition) external pure;
    function getCode(string calldata artifact) external view returns (bytes memory creationCode);
    function load(address target, bytes32 slot) external view returns (bytes32);
    function record() external;
    function accesses(address target) external returns (bytes32[] memory reads, bytes32[] memory writes);
    function snapshotState() external returns (uint256 id);
    function revertToState(uint256 id) external returns (bool);
}

/// @dev Assertions that say what was expected, as plain reverts.
abstract contract Asserting {
    Cheats internal constant cheats = Cheats(address(uint160(uint256(keccak256("hevm cheat code")))));

    error Differs(string what, uint256 found, uint256 expected);
    error DiffersInAddress(string what, address found, address expected);
    error DoesNotHold(string what);

    function assertEqual(uint256 found, uint256 expected, string memory what) internal pure {
        if (found != expected) revert Differs(what, found, expected);
    }

    function assertEqual(address found, address expected, string memory what) internal pure {
        if (found != expected) revert DiffersInAddress(what, found, expected);
    }

    function assertHolds(bool condition, string memory what) internal pure {
        if (!condition) revert DoesNotHold(what);
    }

    /// @dev A number from `low` to `high`, both included, out of whatever the fuzzer gave.
    function within(uint256 given, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + given % (high - low + 1);
    }
}
