// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IValidatorRegistry} from "../src/IValidatorRegistry.sol";
import {Stage} from "./Stage.sol";

/// @dev SET-5: whatever changes in period p counts from the first block of p + 2, and not a block earlier.
contract PeriodsTest is Stage {
    function setUp() public {
        openChain(3);
    }

    /// SET-5
    function test_the_period_of_a_block_is_its_number_over_the_length(uint256 given) public {
        uint256 number = within(given, 0, uint256(type(uint32).max) * PERIOD_BLOCKS);
        jump(number);
        assertEqual(registry.currentPeriod(), number / PERIOD_BLOCKS, "period");
    }

    /// SET-6
    function test_sets_are_known_for_this_period_and_the_two_after_it_only() public {
        toBlock(59);
        setAt(5);
        setAt(6);
        setAt(7);
        cheats.expectRevert(abi.encodeWithSelector(IValidatorRegistry.PeriodUnknown.selector, 4, 5));
        registry.validatorSet(4);
        cheats.expectRevert(abi.encodeWithSelector(IValidatorRegistry.PeriodUnknown.selector, 8, 5));
        registry.validatorSet(8);
    }

    /// SET-5
    function test_every_kind_of_change_waits_for_the_period_after_next(uint256 given) public {
        uint64 period = uint64(within(given, 0, 40));
        toBlock(uint256(period) * PERIOD_BLOCKS + within(given >> 128, 0, PERIOD_BLOCKS - 1));
        register(4, STAKE_MIN);
        addStake(1, 8 ether);
        setFeeRecipient(1, address(0xABC));
        requestExit(2);
        report(3, 1);
        uint64 old = uint64(STAKE_MIN / POWER_UNIT);
        for (uint64 p = period; p < period + 2; ++p) {
            assertEqual(setAt(p), 123, "nobody came or went yet");
            assertEqual(powerAt(1, p), old, "power before");
            assertEqual(recipientAt(1, p), recipientOf(1), "recipient before");
        }
        toPeriod(period + 1);
        assertEqual(setAt(period + 1), 123, "nor in the next period");
        toBlock(uint256(period + 2) * PERIOD_BLOCKS - 1);
        assertEqual(setAt(period + 1), 123, "nor at its last block");
        toPeriod(period + 2);
        assertEqual(setAt(period + 2), 14, "but now");
        assertEqual(powerAt(1, period + 2), old + 8, "power after");
        assertEqual(recipientAt(1, period + 2), address(0xABC), "recipient after");
    }

    /// SET-5
    function test_changes_of_one_period_add_up_and_the_last_word_counts() public {
        addStake(1, 1 ether);
        setFeeRecipient(1, address(0xA));
        addStake(1, 2 ether);
        setFeeRecipient(1, address(0xB));
        toPeriod(2);
        assertEqual(powerAt(1, 2), STAKE_MIN / POWER_UNIT + 3, "power");
        assertEqual(recipientAt(1, 2), address(0xB), "recipient");
    }

    /// SET-5: three settings are known at once, and a fourth drops none that still counts.
    function test_a_change_in_every_period_shows_two_periods_later() public {
        uint64 base = uint64(STAKE_MIN / POWER_UNIT);
        for (uint64 period = 0; period < 9; ++period) {
            toPeriod(period);
            assertEqual(powerAt(1, period), base + (period < 2 ? 0 : period - 1), "now");
            assertEqual(powerAt(1, period + 1), base + period, "next");
            addStake(1, 1 ether);
            assertEqual(powerAt(1, period), base + (period < 2 ? 0 : period - 1), "still");
            assertEqual(powerAt(1, period + 1), base + period, "still next");
            assertEqual(powerAt(1, period + 2), base + period + 1, "after next");
        }
    }

    /// SET-6
    function test_the_order_is_that_of_registration_whoever_leaves() public {
        register(5, STAKE_MIN);
        register(4, STAKE_MIN);
        requestExit(2);
        toPeriod(2);
        assertEqual(setAt(2), 1354, "a gap closes, and the others keep their order");
        requestExit(1);
        toPeriod(4);
        register(2 + 4, STAKE_MIN);
        toPeriod(6);
        assertEqual(setAt(6), 3546, "at the beginning and at the end too");
    }
}

/// @dev The shortest periods.
contract ShortPeriodsTest is Stage {
    function rules() internal pure override returns (IValidatorRegistry.Rules memory chosen) {
        chosen = super.rules();
        chosen.periodBlocks = 2;
    }

    /// SET-5
    function test_two_blocks_a_period_are_enough() public {
        openChain(2);
        toBlock(3);
        register(3, STAKE_MIN);
        toBlock(5);
        assertEqual(setAt(2), 12, "period 2");
        assertEqual(setAt(3), 123, "period 3");
        toBlock(6);
        assertEqual(setAt(3), 123, "period 3, which is now");
    }
}
