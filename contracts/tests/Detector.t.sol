// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EquivocationDetector} from "../src/EquivocationDetector.sol";
import {Predeploys} from "../src/Predeploys.sol";
import {Stage} from "./Stage.sol";

/// @dev SET-20: every offence counts once.
contract DetectorTest is Stage {
    function setUp() public {
        openChain(3);
        toBlock(12);
    }

    function report(uint256 n, uint64 height, uint64 round, uint8 step) private {
        address id = idOf(n);
        cheats.prank(Predeploys.SYSTEM);
        detector.report(id, height, round, step, PROPOSER);
    }

    /// SET-20
    function test_only_the_protocol_reports() public {
        address id = idOf(1);
        cheats.expectRevert(abi.encodeWithSelector(EquivocationDetector.NotSystem.selector, address(this)));
        detector.report(id, 5, 0, 1, PROPOSER);
    }

    /// SET-20
    function test_an_offence_is_written_down_with_what_it_cost() public {
        report(2, 5, 3, 2);
        EquivocationDetector.Offence[] memory found = detector.offences(idOf(2));
        assertEqual(found.length, 1, "offences");
        assertEqual(found[0].height, 5, "height");
        assertEqual(found[0].round, 3, "round");
        assertEqual(found[0].step, 2, "step");
        assertEqual(found[0].slashedWei, SLASH, "slashed");
        assertEqual(detector.offences(idOf(1)).length, 0, "nobody else's");
    }

    /// SET-20
    function test_the_same_offence_never_counts_twice() public {
        report(2, 5, 3, 2);
        report(2, 5, 3, 2);
        assertEqual(detector.offences(idOf(2)).length, 1, "offences");
        assertEqual(stakeOf(2), STAKE_MIN - SLASH, "stake");
    }

    /// SET-15, SET-20: other offences at a height are offences, but the height has been paid for.
    function test_a_second_offence_at_a_height_is_written_down_and_costs_nothing() public {
        report(2, 5, 3, 2);
        report(2, 5, 3, 1);
        report(2, 5, 4, 2);
        EquivocationDetector.Offence[] memory found = detector.offences(idOf(2));
        assertEqual(found.length, 3, "offences");
        assertEqual(found[1].slashedWei + found[2].slashedWei, 0, "slashed");
        assertEqual(stakeOf(2), STAKE_MIN - SLASH, "stake");
        report(2, 6, 3, 2);
        assertEqual(stakeOf(2), STAKE_MIN - 2 * SLASH, "another height costs");
    }

    /// SET-20: every part of the place tells one offence from another.
    function test_offences_at_different_places_are_different(uint64 height, uint64 round, uint8 step) public {
        cheats.assume(height != 5 && round != 5 && step != 1);
        report(2, 5, 5, 1);
        report(2, height, 5, 1);
        report(2, 5, round, 1);
        report(2, 5, 5, step);
        report(3, 5, 5, 1);
        assertEqual(detector.offences(idOf(2)).length, 4, "offences of one");
        assertEqual(detector.offences(idOf(3)).length, 1, "offences of the other");
    }
}
