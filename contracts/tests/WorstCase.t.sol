// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IValidatorRegistry} from "../src/IValidatorRegistry.sol";
import {Predeploys} from "../src/Predeploys.sol";
import {Stage} from "./Stage.sol";

/// @dev SET-22: whatever people do, the protocol's own calls stay far below the 30,000,000 gas they are given, and a set
///      can be read.
contract WorstCaseTest is Stage {
    uint16 private constant MOST = 128;
    uint256 private constant SYSTEM_CALL_GAS = 30_000_000;
    uint256 private constant CALL_GAS = 50_000_000;

    function rules() internal pure override returns (IValidatorRegistry.Rules memory chosen) {
        chosen = super.rules();
        chosen.validatorsMax = MOST;
    }

    /// @dev The worst there is: the whole set is replaced in one period, and again in the next, and again in the third.
    function replaceAll(uint256 oldest) private {
        for (uint256 n = oldest; n < oldest + MOST; ++n) {
            if (n != oldest) requestExit(n - 1);
            if (n != oldest) register(n - 1 + MOST, STAKE_MIN);
        }
        requestExit(oldest + MOST - 1);
        register(oldest + 2 * MOST - 1, STAKE_MIN);
    }

    function gasOfOpening() private returns (uint256 used) {
        cheats.prank(Predeploys.SYSTEM);
        uint256 gasBefore = gasleft();
        registry.beginPeriod();
        used = gasBefore - gasleft();
    }

    /// SET-22
    function test_opening_a_period_stays_within_a_system_call_when_everybody_is_replaced() public {
        openChain(MOST);
        replaceAll(1);
        toPeriod(1);
        replaceAll(1 + MOST);
        jump(2 * PERIOD_BLOCKS);
        // Storage is warm in a test's one transaction; in a block of its own every first touch of a slot costs 2,000 more.
        uint256 touched = 3 * uint256(MOST) * 8;
        assertHolds(gasOfOpening() + touched * 2_000 < SYSTEM_CALL_GAS, "gas of beginPeriod");
        assertEqual(sizeAt(2), MOST, "the set");
        assertEqual(sizeAt(3), MOST, "the next set");
    }

    /// SET-22
    function test_a_full_set_can_be_read_within_the_gas_of_a_call() public {
        openChain(MOST);
        replaceAll(1);
        toPeriod(1);
        replaceAll(1 + MOST);
        uint256 gasBefore = gasleft();
        registry.validatorSet(2);
        uint256 used = gasBefore - gasleft();
        uint256 touched = 3 * uint256(MOST) * 8;
        assertHolds(used + touched * 2_000 < CALL_GAS, "gas of validatorSet");
    }

    /// SET-22: coming and going within one period leaves nothing to be walked over at its end.
    function test_coming_and_going_within_a_period_costs_the_protocol_nothing() public {
        openChain(2);
        uint256 snapshot = cheats.snapshotState();
        jump(PERIOD_BLOCKS);
        uint256 quiet = gasOfOpening();
        cheats.revertToState(snapshot);
        for (uint256 n = 10; n < 40; ++n) {
            register(n, STAKE_MIN);
            requestExit(n);
        }
        jump(PERIOD_BLOCKS);
        assertHolds(gasOfOpening() <= quiet, "gas of beginPeriod");
    }

    /// SET-22: those who left are not walked over again.
    function test_opening_a_period_costs_no_more_after_many_have_come_and_gone() public {
        openChain(2);
        jump(PERIOD_BLOCKS);
        uint256 young = gasOfOpening();
        for (uint256 n = 3; n < 20; ++n) {
            register(n, STAKE_MIN);
            requestExit(n - 2);
            toPeriod(registry.currentPeriod() + 1);
        }
        toPeriod(registry.currentPeriod() + 3);
        assertHolds(gasOfOpening() <= young, "gas of beginPeriod");
    }

    /// SET-22
    function test_a_report_stays_within_a_system_call() public {
        openChain(MOST);
        address id = idOf(64);
        cheats.prank(Predeploys.SYSTEM);
        uint256 gasBefore = gasleft();
        detector.report(id, 1, 0, 0, PROPOSER);
        assertHolds(gasBefore - gasleft() < SYSTEM_CALL_GAS / 50, "gas of report");
    }
}
