// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IValidatorRegistry} from "../src/IValidatorRegistry.sol";
import {Predeploys} from "../src/Predeploys.sol";
import {Flooding, GasBurning, Reentering, Refusing} from "./Recipients.sol";
import {Stage} from "./Stage.sol";

/// @dev What a conviction does to the offender's stake and power.
contract ConvictionTest is Stage {
    function setUp() public {
        openChain(3);
        toBlock(12);
    }

    /// SET-15
    function test_a_conviction_slashes_and_ends_power_with_the_period_after_next() public {
        report(2, 5);
        assertEqual(stakeOf(2), STAKE_MIN - SLASH, "stake");
        assertEqual(registry.status(idOf(2)).convictions, 1, "convictions");
        assertEqual(registry.status(idOf(2)).leavesFrom, 3, "first period without power");
        assertEqual(setAt(2), 123, "the next set");
        assertEqual(setAt(3), 13, "the set after it");
    }

    /// SET-15
    function test_only_the_detector_convicts() public {
        address id = idOf(2);
        cheats.expectRevert(abi.encodeWithSelector(IValidatorRegistry.NotDetector.selector, Predeploys.SYSTEM));
        cheats.prank(Predeploys.SYSTEM);
        registry.convict(id, 5, PROPOSER);
    }

    /// SET-14, SET-15
    function test_a_height_convicts_once_and_another_height_again() public {
        assertHolds(registry.standing(idOf(2), 5), "standing before");
        report(2, 5);
        assertHolds(!registry.standing(idOf(2), 5), "not at the same height");
        assertHolds(registry.standing(idOf(2), 6), "at another");
        cheats.prank(address(detector));
        assertEqual(registry.convict(idOf(2), 5, PROPOSER), 0, "costs nothing");
        assertEqual(stakeOf(2), STAKE_MIN - SLASH, "stake after one");
        report(2, 6);
        assertEqual(stakeOf(2), STAKE_MIN - 2 * SLASH, "stake after two");
        assertEqual(registry.status(idOf(2)).leavesFrom, 3, "the end does not move");
    }

    /// SET-15
    function test_a_slash_takes_no_more_than_there_is() public {
        uint256 stake = STAKE_MIN;
        for (uint64 height = 1; stake > 0; ++height) {
            report(1, height);
            stake = stake > SLASH ? stake - SLASH : 0;
            assertEqual(stakeOf(1), stake, "stake");
        }
        assertHolds(!registry.standing(idOf(1), 1000), "nothing left to take");
    }

    /// SET-14
    function test_a_stake_that_is_unlocking_can_be_slashed_and_one_withdrawn_cannot() public {
        requestExit(2);
        toBlock(60);
        assertHolds(registry.standing(idOf(2), 5), "unlocking");
        report(2, 5);
        assertEqual(stakeOf(2), STAKE_MIN - SLASH, "slashed");
        toBlock(1000);
        assertHolds(registry.standing(idOf(2), 6), "unlocked, not withdrawn");
        withdraw(2);
        assertEqual(operatorOf(2).balance, STAKE_MIN - SLASH, "paid out");
        assertHolds(!registry.standing(idOf(2), 6), "withdrawn");
        assertHolds(!registry.standing(idOf(7), 6), "never there");
    }

    /// SET-3
    function test_a_convicted_key_never_comes_back() public {
        report(2, 5);
        toBlock(1000);
        withdraw(2);
        bytes memory proof = proofOf(2);
        bytes memory key = consensusKeyOf(2);
        bytes memory refusal = abi.encodeWithSelector(IValidatorRegistry.KeyConvicted.selector, idOf(2));
        cheats.deal(operatorOf(2), STAKE_MIN);
        cheats.expectRevert(refusal);
        cheats.prank(operatorOf(2));
        registry.register{value: STAKE_MIN}(key, networkKeyOf(2), recipientOf(2), proof);
    }

    /// SET-14: leaving and coming back washes nothing off.
    function test_an_old_offence_convicts_a_key_that_came_back() public {
        requestExit(2);
        toBlock(1000);
        withdraw(2);
        register(2, STAKE_MIN);
        report(2, 5);
        assertEqual(stakeOf(2), STAKE_MIN - SLASH, "slashed");
    }

    /// SET-11
    function test_the_convicted_add_no_stake_and_do_not_ask_to_leave() public {
        report(2, 5);
        address id = idOf(2);
        bytes memory refusal = abi.encodeWithSelector(IValidatorRegistry.NotStaying.selector, id);
        cheats.deal(address(this), 1);
        cheats.expectRevert(refusal);
        registry.addStake{value: 1}(id);
        cheats.expectRevert(refusal);
        cheats.prank(operatorOf(2));
        registry.requestExit(id);
    }

    /// SET-12, SET-15: the lock of the convicted is that of those who ask to leave.
    function test_what_a_slash_leaves_is_paid_out_after_the_lock() public {
        report(2, 5);
        toBlock(30);
        assertEqual(registry.status(idOf(2)).unlockBlock, 30 + UNBONDING_BLOCKS, "unlock block");
        toBlock(1000);
        withdraw(2);
        assertEqual(operatorOf(2).balance, STAKE_MIN - SLASH, "paid out");
    }

    /// SET-18
    function test_the_skip_list_names_the_convicted_while_they_have_power() public {
        assertEqual(skipped(), 0, "nobody");
        report(2, 5);
        assertEqual(skipped(), 2, "at once");
        requestExit(3);
        assertEqual(skipped(), 2, "not those who just leave");
        toBlock(29);
        assertEqual(skipped(), 2, "to the last block with power");
        toBlock(30);
        assertEqual(skipped(), 0, "no longer");
    }

    /// SET-18
    function test_the_skip_list_names_those_who_leave_and_are_convicted_on_the_way() public {
        requestExit(3);
        toBlock(22);
        report(3, 15);
        report(1, 15);
        assertEqual(skipped(), 13, "in order of registration");
        toBlock(30);
        assertEqual(skipped(), 1, "the one that still has power");
    }

    // ── SET-9: the last one ────────────────────────────────────────────────────────────────────────────────────

    /// SET-9
    function test_the_last_validator_is_slashed_and_stays() public {
        report(1, 5);
        report(2, 5);
        report(3, 5);
        assertEqual(setAt(3), 3, "somebody has to");
        assertEqual(powerAt(3, 3), (STAKE_MIN - SLASH) / POWER_UNIT, "with the power of what is left");
        assertEqual(skipped(), 123, "though convicted");
        for (uint64 height = 6; stakeOf(3) > 0; ++height) report(3, height);
        assertEqual(powerAt(3, 3), 1, "and with one where nothing is left");
        assertEqual(registry.status(idOf(3)).leavesFrom, 0, "no end in sight");
        toPeriod(9);
        assertEqual(setAt(11), 3, "for as long as it takes");
        address id = idOf(3);
        cheats.expectRevert(abi.encodeWithSelector(IValidatorRegistry.LastValidator.selector, id));
        cheats.prank(operatorOf(3));
        registry.requestExit(id);
    }

    /// SET-9
    function test_the_convicted_last_one_leaves_when_another_comes() public {
        report(1, 5);
        report(2, 5);
        report(3, 5);
        toPeriod(5);
        register(4, STAKE_MIN);
        assertEqual(setAt(6), 3, "the next set");
        assertEqual(setAt(7), 4, "the set after it");
        assertEqual(registry.status(idOf(3)).leavesFrom, 7, "first period without power");
        report(4, 51);
        assertEqual(setAt(7), 4, "and now the new one is the last");
        toBlock(1000);
        withdraw(3);
        assertEqual(operatorOf(3).balance, STAKE_MIN - SLASH, "paid out");
    }

    /// SET-9, SET-11: it still proposes, so it may still say who gets the fees.
    function test_the_convicted_last_one_may_name_its_fee_recipient_and_add_nothing() public {
        report(1, 5);
        report(2, 5);
        report(3, 5);
        uint64 power = powerAt(3, 3);
        setFeeRecipient(3, address(0xABC));
        assertEqual(recipientAt(3, 3), address(0xABC), "recipient");
        assertEqual(powerAt(3, 3), power, "power");
        address id = idOf(3);
        cheats.deal(address(this), 1);
        cheats.expectRevert(abi.encodeWithSelector(IValidatorRegistry.NotStaying.selector, id));
        registry.addStake{value: 1}(id);
    }
}

/// @dev SET-8 where the set has one place.
contract OnePlaceTest is Stage {
    function rules() internal pure override returns (IValidatorRegistry.Rules memory chosen) {
        chosen = super.rules();
        chosen.validatorsMax = 1;
    }

    /// SET-8, SET-9
    function test_the_place_of_the_convicted_last_one_is_free_for_another() public {
        openChain(1);
        bytes memory proof = proofOf(2);
        bytes memory key = consensusKeyOf(2);
        cheats.deal(operatorOf(2), STAKE_MIN);
        cheats.expectRevert(abi.encodeWithSelector(IValidatorRegistry.SetFull.selector, 1));
        cheats.prank(operatorOf(2));
        registry.register{value: STAKE_MIN}(key, networkKeyOf(2), recipientOf(2), proof);
        report(1, 0);
        registerWith(2, STAKE_MIN, proof);
        assertEqual(setAt(1), 1, "the next set");
        assertEqual(setAt(2), 2, "the set after it");
    }
}

/// @dev SET-16 and SET-17: where a slash goes.
contract SplitTest is Stage {
    function setUp() public {
        openChain(3);
        toBlock(12);
    }

    struct Purses {
        uint256 burned;
        uint256 rewarded;
        uint256 insured;
    }

    function purses(address beneficiary) private view returns (Purses memory) {
        return Purses(address(0).balance, beneficiary.balance, address(fund).balance);
    }

    function assertSplit(address beneficiary, uint256 rewarded, uint256 insured) private {
        assertSplitOf(SLASH, beneficiary, rewarded, insured);
    }

    function assertSplitOf(uint256 slashed, address beneficiary, uint256 rewarded, uint256 insured) private {
        Purses memory before = purses(beneficiary);
        uint256 bonded = address(registry).balance;
        report(2, 5, beneficiary);
        Purses memory later = purses(beneficiary);
        assertEqual(later.rewarded - before.rewarded, rewarded, "rewarded");
        assertEqual(later.insured - before.insured, insured, "insured");
        assertEqual(later.burned - before.burned, slashed - rewarded - insured, "burned");
        assertEqual(bonded - address(registry).balance, slashed, "paid by the registry");
    }

    /// SET-16: 7,000,000,000,000,000,003 wei, of which no part is whole.
    function test_a_slash_is_split_to_the_wei_and_remainders_burn() public {
        assertSplit(PROPOSER, 2.1 ether, 1.4 ether);
        assertEqual(fund.received(address(registry)), 1.4 ether, "the fund knows the source");
    }

    /// SET-16
    function test_the_offenders_own_addresses_get_nothing(uint256 given) public {
        setFeeRecipient(2, address(0xAAA));
        toBlock(22);
        setFeeRecipient(2, address(0xBBB));
        toBlock(31);
        setFeeRecipient(2, address(0xCCC));
        address[4] memory own = [operatorOf(2), address(0xAAA), address(0xBBB), address(0xCCC)];
        assertSplit(own[given % 4], 0, 1.4 ether);
    }

    /// SET-16: what it named long ago is another's by now.
    function test_a_recipient_that_the_offender_gave_up_may_be_rewarded() public {
        setFeeRecipient(2, address(0xAAA));
        toBlock(30);
        assertSplit(recipientOf(2), 2.1 ether, 1.4 ether);
    }

    /// SET-16
    function test_the_address_of_burned_coins_is_no_beneficiary() public {
        uint256 before = address(0).balance;
        report(2, 5, address(0));
        assertEqual(address(0).balance - before, SLASH - 1.4 ether, "burned");
    }

    /// SET-17
    function test_a_recipient_that_refuses_loses_its_part() public {
        assertSplit(address(new Refusing()), 0, 1.4 ether);
    }

    /// SET-17
    function test_a_recipient_that_burns_gas_costs_a_bounded_amount() public {
        address burner = address(new GasBurning());
        uint256 gasBefore = gasleft();
        assertSplit(burner, 0, 1.4 ether);
        assertHolds(gasBefore - gasleft() < 600_000, "gas");
    }

    /// SET-17
    function test_a_recipient_that_floods_its_caller_with_bytes_costs_a_bounded_amount() public {
        address flooder = address(new Flooding());
        uint256 gasBefore = gasleft();
        assertSplit(flooder, 0, 1.4 ether);
        assertHolds(gasBefore - gasleft() < 600_000, "gas");
    }

    /// SET-17
    function test_a_recipient_cannot_change_the_registry_while_it_is_paid() public {
        Reentering intruder = new Reentering(idOf(3));
        cheats.etch(operatorOf(3), address(intruder).code);
        setFeeRecipient(3, address(0xABC));
        assertSplit(operatorOf(3), 2.1 ether, 1.4 ether);
        assertEqual(Reentering(payable(operatorOf(3))).refusals(), 1, "it tried");
        assertEqual(recipientAt(3, 3), address(0xABC), "what it wanted to change");
    }

    /// SET-17
    function test_without_a_fund_its_part_burns() public {
        cheats.etch(address(fund), hex"5f5ffd");
        assertSplit(PROPOSER, 2.1 ether, 0);
    }

    /// SET-16, SET-17: the registry, which takes no plain payment, named as beneficiary.
    function test_the_registry_as_beneficiary_gets_nothing() public {
        uint256 burned = address(0).balance;
        report(2, 5, address(registry));
        assertEqual(address(0).balance - burned, SLASH - 1.4 ether, "burned");
        assertEqual(address(registry).balance, 3 * STAKE_MIN - SLASH, "only stakes are left");
    }
}

/// @dev SET-16 for every amount.
contract AnySlashTest is Stage {
    /// SET-16
    function test_the_parts_of_any_slash_add_up_and_are_never_rounded_up(uint256 given) public {
        uint256 slash = within(given, 1, STAKE_MIN);
        IValidatorRegistry.Rules memory other = rules();
        other.slashWei = slash;
        openChain(other, founders(2));
        uint256 burned = address(0).balance;
        report(1, 0);
        assertEqual(PROPOSER.balance, slash * 3 / 10, "rewarded");
        assertEqual(address(fund).balance, slash / 5, "insured");
        assertEqual(address(0).balance - burned, slash - slash * 3 / 10 - slash / 5, "burned");
        assertEqual(address(registry).balance, 2 * STAKE_MIN - slash, "left");
    }
}
