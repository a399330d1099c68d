// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IValidatorRegistry} from "../src/IValidatorRegistry.sol";
import {Predeploys} from "../src/Predeploys.sol";
import {Stage} from "./Stage.sol";

/// @dev From the request to leave until the stake is paid out.
contract LeavingTest is Stage {
    function setUp() public {
        openChain(3);
        toBlock(14);
    }

    function locked(uint256 n) private {
        IValidatorRegistry.Status memory status = registry.status(idOf(n));
        address id = idOf(n);
        cheats.expectRevert(
            abi.encodeWithSelector(
                IValidatorRegistry.StillLocked.selector, id, status.unlockBlock, status.unlockTime
            )
        );
        cheats.prank(operatorOf(n));
        registry.withdraw(id);
    }

    /// SET-12: power ends with block 30, so that the lock lasts until block 55 and until 1,000 s after block 30.
    function test_a_stake_is_locked_until_blocks_and_seconds_have_passed_since_power_ended() public {
        requestExit(2);
        assertEqual(registry.status(idOf(2)).leavesFrom, 3, "first period without power");
        locked(2);
        toBlock(29);
        assertEqual(registry.status(idOf(2)).unlockTime, 0, "the time is not known yet");
        locked(2);
        toBlock(30);
        uint256 start = GENESIS_TIME + 30 * BLOCK_SECONDS;
        assertEqual(registry.status(idOf(2)).unlockBlock, 30 + UNBONDING_BLOCKS, "unlock block");
        assertEqual(registry.status(idOf(2)).unlockTime, start + UNBONDING_SECONDS, "unlock time");
        toBlock(54);
        cheats.warp(start + UNBONDING_SECONDS);
        locked(2);
        toBlock(55);
        cheats.warp(start + UNBONDING_SECONDS - 1);
        locked(2);
        cheats.warp(start + UNBONDING_SECONDS);
        withdraw(2);
        assertEqual(operatorOf(2).balance, STAKE_MIN, "paid out");
        assertEqual(address(registry).balance, 2 * STAKE_MIN, "the others' stakes");
        assertEqual(registry.status(idOf(2)).operator, address(0), "forgotten");
    }

    /// SET-12
    function test_the_lock_does_not_depend_on_when_in_a_period_one_asks_to_leave(uint256 given) public {
        toBlock(within(given, 20, 29));
        requestExit(1);
        toBlock(40);
        assertEqual(registry.status(idOf(1)).unlockBlock, 40 + UNBONDING_BLOCKS, "unlock block");
        assertEqual(
            registry.status(idOf(1)).unlockTime,
            GENESIS_TIME + 40 * BLOCK_SECONDS + UNBONDING_SECONDS,
            "unlock time"
        );
    }

    function test_a_stake_is_paid_out_once() public {
        requestExit(2);
        toBlock(1000);
        withdraw(2);
        address id = idOf(2);
        cheats.expectRevert(abi.encodeWithSelector(IValidatorRegistry.UnknownValidator.selector, id));
        cheats.prank(operatorOf(2));
        registry.withdraw(id);
    }

    function test_who_stays_withdraws_nothing() public {
        toBlock(1000);
        locked(1);
    }

    /// SET-11
    function test_who_leaves_changes_nothing_any_more() public {
        requestExit(2);
        address id = idOf(2);
        bytes memory refusal = abi.encodeWithSelector(IValidatorRegistry.NotStaying.selector, id);
        cheats.expectRevert(refusal);
        cheats.prank(operatorOf(2));
        registry.requestExit(id);
        cheats.expectRevert(refusal);
        cheats.prank(operatorOf(2));
        registry.setFeeRecipient(id, address(1));
        cheats.deal(address(this), 1);
        cheats.expectRevert(refusal);
        registry.addStake{value: 1}(id);
        assertEqual(recipientAt(2, 2), recipientOf(2), "fees go where they went");
    }

    /// SET-9
    function test_the_last_validator_cannot_leave() public {
        requestExit(1);
        requestExit(3);
        address id = idOf(2);
        cheats.expectRevert(abi.encodeWithSelector(IValidatorRegistry.LastValidator.selector, id));
        cheats.prank(operatorOf(2));
        registry.requestExit(id);
        toPeriod(3);
        assertEqual(setAt(3), 2, "the set");
        register(4, STAKE_MIN);
        requestExit(2);
        toPeriod(5);
        assertEqual(setAt(5), 4, "once another has come, it can");
    }

    /// SET-12: who never had power is locked as long as one that came to the same period's end.
    function test_who_comes_and_leaves_in_one_period_has_no_power_and_is_locked_all_the_same() public {
        register(4, STAKE_MIN);
        requestExit(4);
        for (uint64 period = 1; period <= 3; ++period) assertEqual(setAt(period), 123, "never in a set");
        toBlock(54);
        locked(4);
        toBlock(30 + UNBONDING_SECONDS / BLOCK_SECONDS);
        withdraw(4);
        assertEqual(operatorOf(4).balance, STAKE_MIN, "paid out");
    }

    /// SET-13
    function test_only_the_protocol_opens_a_period() public {
        cheats.expectRevert(abi.encodeWithSelector(IValidatorRegistry.NotSystem.selector, address(this)));
        registry.beginPeriod();
    }

    /// SET-13: a second call in the same period moves no lock.
    function test_the_first_opening_of_a_period_gives_its_time() public {
        requestExit(2);
        toBlock(30);
        uint256 unlockTime = registry.status(idOf(2)).unlockTime;
        toBlock(31);
        cheats.prank(Predeploys.SYSTEM);
        registry.beginPeriod();
        assertEqual(registry.status(idOf(2)).unlockTime, unlockTime, "unlock time");
    }

    /// SET-12: the seconds count from the opening of the period, so without one they do not count at all.
    function test_without_the_opening_of_its_period_a_stake_stays_locked() public {
        requestExit(2);
        jump(1000);
        locked(2);
    }

    /// @dev Where the registry's storage keeps what it knows of a period that somebody left with.
    function recordOf(uint256 period) private view returns (uint256) {
        uint256 departuresSlot = 2;
        return uint256(cheats.load(address(registry), keccak256(abi.encode(period, departuresSlot))));
    }

    /// SET-13: two that leave together share one record, which goes with the second.
    function test_a_period_is_remembered_until_the_last_who_left_with_it_has_withdrawn() public {
        requestExit(2);
        requestExit(3);
        toBlock(1000);
        withdraw(2);
        assertHolds(recordOf(3) != 0, "still known for the other");
        withdraw(3);
        assertEqual(recordOf(3), 0, "forgotten");
        assertEqual(address(registry).balance, STAKE_MIN, "both were paid");
    }

    /// SET-13
    function test_opening_a_period_with_which_nobody_leaves_writes_nothing() public {
        jump(20);
        cheats.record();
        cheats.prank(Predeploys.SYSTEM);
        registry.beginPeriod();
        (, bytes32[] memory writes) = cheats.accesses(address(registry));
        assertEqual(writes.length, 0, "writes");
    }

    function test_an_operator_that_takes_no_coins_keeps_its_stake_where_it_is() public {
        requestExit(2);
        toBlock(1000);
        cheats.etch(operatorOf(2), hex"5f5ffd");
        address id = idOf(2);
        cheats.prank(operatorOf(2));
        (bool done,) = address(registry).call(abi.encodeCall(registry.withdraw, (id)));
        assertHolds(!done, "refused as a whole");
        assertEqual(stakeOf(2), STAKE_MIN, "stake");
    }
}
