// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title One contract with every observable thing a client decodes: slots, events, value, and each kind of revert.
contract Probe {
    /// @dev Slot 0. The storage proofs of the client tests rely on this position.
    uint256 public value;
    /// @dev Slot 1 is the mapping's base; an entry lies at keccak256(key ++ 1).
    mapping(uint256 key => uint256 entry) public entries;

    event ValueChanged(address indexed by, uint256 indexed tag, uint256 value, string note);

    error Refused(address caller, uint256 code);

    constructor(uint256 start) payable {
        value = start;
    }

    receive() external payable {}

    function set(uint256 tag, uint256 newValue, string calldata note) external {
        value = newValue;
        entries[tag] = newValue;
        emit ValueChanged(msg.sender, tag, newValue, note);
    }

    function revertWithReason() external pure {
        revert("the probe says no");
    }

    function revertWithError(uint256 code) external view {
        revert Refused(msg.sender, code);
    }

    function revertWithNothing() external pure {
        assembly {
            revert(0, 0)
        }
    }

    /// @return The value over `by`; panics with 0x12 when `by` is zero.
    function divide(uint256 by) external view returns (uint256) {
        return value / by;
    }

    /// @return One of three numbers; panics with 0x32 beyond the third.
    function pick(uint256 index) external pure returns (uint256) {
        uint256[3] memory three = [uint256(10), 20, 30];
        return three[index];
    }

    /// @notice Writes only if it is paid, and keeps what it is sent.
    function setPaid(uint256 newValue) external payable {
        require(msg.value > 0, "pay something");
        value = newValue;
    }

    /// @notice Facts of the block in which the call runs.
    function blockFacts() external view returns (uint256 number, uint256 time, uint256 chain, uint256 baseFee) {
        return (block.number, block.timestamp, block.chainid, block.basefee);
    }
}
