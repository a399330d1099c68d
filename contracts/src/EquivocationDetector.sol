// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IValidatorRegistry} from "./IValidatorRegistry.sol";
import {Predeploys} from "./Predeploys.sol";

/// @title EquivocationDetector: remembers who signed twice, and has them slashed
/// @notice Evidence stands in the blocks, where every node verifies it before it accepts the block. What arrives here
///         has been verified: the protocol reports it by a system call, and nobody else can. No owner, no upgrade: the
///         code is replaced by a hard fork only.
contract EquivocationDetector {
    /// @notice Two messages signed for one place, where an honest validator signs one.
    struct Offence {
        uint64 height;
        uint64 round;
        uint8 step;
        uint256 slashedWei;
    }

    mapping(address validator => Offence[]) private _offences;
    mapping(bytes32 place => bool) private _isReported;

    /// @notice An offence was reported for the first time.
    /// @dev System calls leave no receipt, so that no log search finds this; `offences` does.
    event Reported(
        address indexed validator, uint64 indexed height, uint64 round, uint8 step, uint256 slashedWei
    );

    /// @notice The caller is not the protocol.
    error NotSystem(address caller);

    /// @notice Reports a double signature (SET-20). `step`: 0 proposal, 1 prevote, 2 precommit.
    /// @param beneficiary The fee recipient of the proposer whose block includes the evidence.
    function report(address validator, uint64 height, uint64 round, uint8 step, address beneficiary) external {
        if (msg.sender != Predeploys.SYSTEM) revert NotSystem(msg.sender);
        bytes32 place = keccak256(abi.encode(validator, height, round, step));
        if (_isReported[place]) return;
        _isReported[place] = true;
        uint256 slashedWei = IValidatorRegistry(Predeploys.VALIDATOR_REGISTRY).convict(validator, height, beneficiary);
        _offences[validator].push(Offence(height, round, step, slashedWei));
        emit Reported(validator, height, round, step, slashedWei);
    }

    /// @notice Every reported offence of a validator, oldest first, with what it cost.
    /// @dev A second offence at one height costs nothing (SET-15), but is an offence.
    function offences(address validator) external view returns (Offence[] memory) {
        return _offences[validator];
    }
}
