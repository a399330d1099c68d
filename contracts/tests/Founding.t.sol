// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IValidatorRegistry} from "../src/IValidatorRegistry.sol";
import {Stage} from "./Stage.sol";

/// @dev The constructor: parameters in range, founders that count from period 0, stakes that are paid.
contract FoundingTest is Stage {
    function refuses(IValidatorRegistry.Rules memory chosen, string memory what) private {
        cheats.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RulesInvalid.selector, what));
        this.open(chosen, 1);
    }

    /// @dev An outer call, so that a refusal in the constructor can be expected.
    function open(IValidatorRegistry.Rules memory chosen, uint256 count) external {
        openChain(chosen, founders(count));
    }

    function openWith(IValidatorRegistry.Founder[] memory first) external {
        openChain(rules(), first);
    }

    function underpay(IValidatorRegistry.Founder[] memory first, uint256 value) external {
        place(address(registry), registryCode(rules(), first), value);
    }

    /// SET-5
    function test_a_period_has_at_least_two_blocks() public {
        IValidatorRegistry.Rules memory chosen = rules();
        chosen.periodBlocks = 1;
        refuses(chosen, "periodBlocks");
        chosen.periodBlocks = 2;
        this.open(chosen, 1);
    }

    /// SET-4
    function test_the_least_stake_is_worth_at_least_one_unit_of_power() public {
        IValidatorRegistry.Rules memory chosen = rules();
        chosen.powerUnitWei = STAKE_MIN + 1;
        refuses(chosen, "stakeMinWei");
        chosen.powerUnitWei = 0;
        refuses(chosen, "powerUnitWei");
        chosen.powerUnitWei = STAKE_MIN;
        this.open(chosen, 1);
        assertEqual(powerAt(1, 0), 1, "power");
    }

    function test_a_slash_and_both_lock_times_are_not_zero() public {
        IValidatorRegistry.Rules memory chosen = rules();
        chosen.slashWei = 0;
        refuses(chosen, "slashWei");
        chosen = rules();
        chosen.unbondingBlocks = 0;
        refuses(chosen, "unbondingBlocks");
        chosen = rules();
        chosen.unbondingSeconds = 0;
        refuses(chosen, "unbondingSeconds");
    }

    /// SET-8
    function test_a_set_has_1_to_128_places() public {
        IValidatorRegistry.Rules memory chosen = rules();
        chosen.validatorsMax = 129;
        refuses(chosen, "validatorsMax");
        chosen.validatorsMax = 0;
        refuses(chosen, "validatorsMax");
        chosen.validatorsMax = 128;
        this.open(chosen, 128);
        assertEqual(sizeAt(0), 128, "size");
    }

    /// SET-8, SET-9
    function test_founders_are_one_to_as_many_as_there_are_places() public {
        cheats.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RulesInvalid.selector, "founders"));
        this.open(rules(), 0);
        cheats.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RulesInvalid.selector, "founders"));
        this.open(rules(), VALIDATORS_MAX + 1);
        this.open(rules(), VALIDATORS_MAX);
    }

    /// SET-3
    function test_no_two_founders_have_one_consensus_key() public {
        IValidatorRegistry.Founder[] memory twice = founders(2);
        twice[1].consensusKey = twice[0].consensusKey;
        cheats.expectRevert(abi.encodeWithSelector(IValidatorRegistry.KeyInUse.selector, idOf(1)));
        this.openWith(twice);
    }

    function test_every_founder_has_an_operator_and_the_least_stake() public {
        IValidatorRegistry.Founder[] memory lone = founders(1);
        lone[0].operator = address(0);
        cheats.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RulesInvalid.selector, "operator"));
        this.openWith(lone);
        lone = founders(1);
        lone[0].stakeWei = STAKE_MIN - 1;
        cheats.expectRevert(
            abi.encodeWithSelector(IValidatorRegistry.StakeTooSmall.selector, STAKE_MIN - 1, STAKE_MIN)
        );
        this.openWith(lone);
    }

    /// SET-19
    function test_the_genesis_pays_exactly_the_sum_of_the_stakes() public {
        IValidatorRegistry.Founder[] memory two = founders(2);
        for (uint256 value = 2 * STAKE_MIN - 1; value <= 2 * STAKE_MIN + 1; value += 2) {
            cheats.expectRevert(
                abi.encodeWithSelector(IValidatorRegistry.StakesUnpaid.selector, value, 2 * STAKE_MIN)
            );
            this.underpay(two, value);
        }
        this.openWith(two);
        assertEqual(address(registry).balance, 2 * STAKE_MIN, "balance");
    }

    /// SET-6, SET-7
    function test_founders_count_from_period_zero_in_the_order_given_with_all_their_fields() public {
        openChain(3);
        IValidatorRegistry.Entry[] memory entries = registry.validatorSet(0);
        assertEqual(entries.length, 3, "size");
        for (uint256 n = 1; n <= 3; ++n) {
            IValidatorRegistry.Entry memory entry = entries[n - 1];
            assertEqual(entry.id, idOf(n), "id");
            assertHolds(
                keccak256(abi.encode(entry.consensusKey)) == keccak256(consensusKeyOf(n)), "consensus key"
            );
            assertHolds(keccak256(abi.encode(entry.networkKey)) == keccak256(networkKeyOf(n)), "network key");
            assertEqual(entry.power, STAKE_MIN / POWER_UNIT, "power");
            assertEqual(entry.feeRecipient, recipientOf(n), "recipient");
            assertEqual(registry.status(idOf(n)).operator, operatorOf(n), "operator");
        }
        assertEqual(setAt(1), 123, "the next set");
        assertEqual(setAt(2), 123, "the set after it");
    }

    /// SET-23
    function test_the_parameters_can_be_read() public {
        openChain(1);
        assertEqual(registry.periodBlocks(), PERIOD_BLOCKS, "periodBlocks");
        assertEqual(registry.stakeMinWei(), STAKE_MIN, "stakeMinWei");
        assertEqual(registry.powerUnitWei(), POWER_UNIT, "powerUnitWei");
        assertEqual(registry.slashWei(), SLASH, "slashWei");
        assertEqual(registry.unbondingBlocks(), UNBONDING_BLOCKS, "unbondingBlocks");
        assertEqual(registry.unbondingSeconds(), UNBONDING_SECONDS, "unbondingSeconds");
        assertEqual(registry.validatorsMax(), VALIDATORS_MAX, "validatorsMax");
    }
}
