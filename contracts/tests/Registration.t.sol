// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IValidatorRegistry} from "../src/IValidatorRegistry.sol";
import {Stage} from "./Stage.sol";

/// @dev Who may register, with what proof, and how stake becomes power.
contract RegistrationTest is Stage {
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    function setUp() public {
        openChain(2);
        toBlock(7);
    }

    function refusesProof(bytes memory proof) private {
        bytes memory refusal = abi.encodeWithSelector(IValidatorRegistry.ProofInvalid.selector, idOf(3));
        attempt(proof, refusal);
    }

    function attempt(bytes memory proof, bytes memory refusal) private {
        bytes memory key = consensusKeyOf(3);
        cheats.deal(operatorOf(3), STAKE_MIN);
        cheats.expectRevert(refusal);
        cheats.prank(operatorOf(3));
        registry.register{value: STAKE_MIN}(key, networkKeyOf(3), recipientOf(3), proof);
    }

    /// SET-2
    function test_a_validator_registers_under_the_address_of_its_consensus_key() public {
        register(3, STAKE_MIN);
        assertEqual(registry.status(idOf(3)).operator, operatorOf(3), "operator");
        assertEqual(stakeOf(3), STAKE_MIN, "stake");
        assertEqual(setAt(2), 123, "registered last, listed last");
    }

    /// SET-2
    function test_the_digest_to_sign_has_the_written_form() public view {
        bytes32 expected = keccak256(
            bytes.concat(
                "COC/register/1",
                bytes32(block.chainid),
                bytes20(address(registry)),
                bytes20(operatorOf(3)),
                networkKeyOf(3),
                bytes20(recipientOf(3))
            )
        );
        assertHolds(
            registry.registrationDigest(operatorOf(3), networkKeyOf(3), recipientOf(3)) == expected, "digest"
        );
    }

    /// SET-2: a stranger cannot register a key that it does not hold, nor take somebody's proof over.
    function test_a_proof_speaks_for_one_operator_key_and_recipient() public {
        bytes memory proof = proofOf(3);
        bytes memory key = consensusKeyOf(3);
        bytes memory refusal = abi.encodeWithSelector(IValidatorRegistry.ProofInvalid.selector, idOf(3));
        address thief = address(0xBAD);
        cheats.deal(thief, 3 * STAKE_MIN);
        cheats.expectRevert(refusal);
        cheats.prank(thief);
        registry.register{value: STAKE_MIN}(key, networkKeyOf(3), recipientOf(3), proof);

        cheats.deal(operatorOf(3), 3 * STAKE_MIN);
        cheats.expectRevert(refusal);
        cheats.prank(operatorOf(3));
        registry.register{value: STAKE_MIN}(key, networkKeyOf(4), recipientOf(3), proof);
        cheats.expectRevert(refusal);
        cheats.prank(operatorOf(3));
        registry.register{value: STAKE_MIN}(key, networkKeyOf(3), recipientOf(4), proof);

        bytes memory foreignKey = consensusKeyOf(4);
        bytes memory foreignRefusal = abi.encodeWithSelector(IValidatorRegistry.ProofInvalid.selector, idOf(4));
        cheats.expectRevert(foreignRefusal);
        cheats.prank(operatorOf(3));
        registry.register{value: STAKE_MIN}(foreignKey, networkKeyOf(3), recipientOf(3), proof);
    }

    /// SET-2
    function test_a_proof_for_another_chain_is_refused() public {
        bytes memory proof = proofOf(3);
        cheats.chainId(block.chainid + 1);
        refusesProof(proof);
    }

    /// SET-2: one form only, as every signature of the chain.
    function test_a_proof_in_another_form_is_refused() public {
        bytes memory proof = proofOf(3);
        (bytes32 r, bytes32 s) = (part(proof, 0), part(proof, 32));
        uint8 parity = uint8(proof[64]);
        refusesProof(abi.encodePacked(r, s, parity + 27));
        refusesProof(abi.encodePacked(r, s, uint8(255)));
        refusesProof(abi.encodePacked(r, s, parity ^ 1));
        refusesProof(abi.encodePacked(r, bytes32(ORDER - uint256(s)), parity ^ 1));
        refusesProof(abi.encodePacked(r, s));
        refusesProof(abi.encodePacked(r, s, parity, uint8(0)));
        refusesProof("");
        refusesProof(new bytes(65));
    }

    function part(bytes memory proof, uint256 offset) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(proof, 0x20), offset))
        }
    }

    function test_keys_of_another_length_are_refused() public {
        bytes memory proof = proofOf(3);
        bytes memory key = consensusKeyOf(3);
        bytes memory longer = abi.encodePacked(key, uint8(0));
        cheats.expectRevert(abi.encodeWithSelector(IValidatorRegistry.KeyLengthInvalid.selector, 65));
        registry.register(longer, networkKeyOf(3), recipientOf(3), proof);
        cheats.expectRevert(abi.encodeWithSelector(IValidatorRegistry.KeyLengthInvalid.selector, 0));
        registry.register(key, "", recipientOf(3), proof);
    }

    /// SET-3
    function test_a_key_in_use_is_refused_even_with_its_proof() public {
        register(3, STAKE_MIN);
        attempt(proofOf(3), abi.encodeWithSelector(IValidatorRegistry.KeyInUse.selector, idOf(3)));
        requestExit(3);
        toBlock(39);
        attempt(proofOf(3), abi.encodeWithSelector(IValidatorRegistry.KeyInUse.selector, idOf(3)));
    }

    /// SET-3
    function test_a_key_whose_stake_was_withdrawn_may_come_back_at_the_end_of_the_order() public {
        requestExit(1);
        toBlock(1000);
        withdraw(1);
        register(1, STAKE_MIN);
        toPeriod(102);
        assertEqual(setAt(102), 21, "the order of registration");
    }

    /// SET-4
    function test_less_than_the_least_stake_is_refused() public {
        bytes memory proof = proofOf(3);
        cheats.deal(operatorOf(3), STAKE_MIN);
        bytes memory key = consensusKeyOf(3);
        cheats.expectRevert(
            abi.encodeWithSelector(IValidatorRegistry.StakeTooSmall.selector, STAKE_MIN - 1, STAKE_MIN)
        );
        cheats.prank(operatorOf(3));
        registry.register{value: STAKE_MIN - 1}(key, networkKeyOf(3), recipientOf(3), proof);
    }

    /// SET-4
    function test_power_is_the_stake_in_whole_units(uint256 given) public {
        uint256 stake = within(given, STAKE_MIN, uint256(type(uint64).max) * POWER_UNIT);
        register(3, stake);
        toPeriod(2);
        assertEqual(powerAt(3, 2), stake / POWER_UNIT, "power");
    }

    /// SET-4
    function test_a_stake_worth_more_than_64_bits_of_power_is_refused() public {
        uint256 most = uint256(type(uint64).max) * POWER_UNIT + POWER_UNIT - 1;
        bytes memory proof = proofOf(3);
        bytes memory key = consensusKeyOf(3);
        cheats.deal(operatorOf(3), most + 1);
        cheats.expectRevert(abi.encodeWithSelector(IValidatorRegistry.PowerTooLarge.selector, most + 1));
        cheats.prank(operatorOf(3));
        registry.register{value: most + 1}(key, networkKeyOf(3), recipientOf(3), proof);

        register(3, most);
        cheats.deal(address(this), 1);
        address id = idOf(3);
        cheats.expectRevert(abi.encodeWithSelector(IValidatorRegistry.PowerTooLarge.selector, most + 1));
        registry.addStake{value: 1}(id);
        assertEqual(powerAt(3, 2), type(uint64).max, "power");
    }

    /// SET-8
    function test_a_full_set_takes_nobody_until_somebody_leaves() public {
        for (uint256 n = 3; n <= VALIDATORS_MAX; ++n) register(n, STAKE_MIN);
        bytes memory proof = proofOf(6);
        bytes memory key = consensusKeyOf(6);
        cheats.deal(operatorOf(6), STAKE_MIN);
        cheats.expectRevert(abi.encodeWithSelector(IValidatorRegistry.SetFull.selector, VALIDATORS_MAX));
        cheats.prank(operatorOf(6));
        registry.register{value: STAKE_MIN}(key, networkKeyOf(6), recipientOf(6), proof);
        requestExit(4);
        register(6, STAKE_MIN);
        assertEqual(setAt(2), 12356, "the set after next");
    }

    /// SET-10
    function test_anybody_may_add_to_a_stake_but_not_nothing() public {
        addStake(1, 5 ether);
        assertEqual(stakeOf(1), STAKE_MIN + 5 ether, "stake");
        address id = idOf(1);
        cheats.expectRevert(abi.encodeWithSelector(IValidatorRegistry.NothingSent.selector));
        registry.addStake(id);
    }

    function test_nothing_can_be_done_to_a_validator_that_is_not_there() public {
        address id = idOf(3);
        bytes memory refusal = abi.encodeWithSelector(IValidatorRegistry.UnknownValidator.selector, id);
        cheats.expectRevert(refusal);
        registry.addStake(id);
        cheats.expectRevert(refusal);
        registry.setFeeRecipient(id, address(1));
        cheats.expectRevert(refusal);
        registry.requestExit(id);
        cheats.expectRevert(refusal);
        registry.withdraw(id);
        assertEqual(registry.status(id).operator, address(0), "operator");
    }

    /// SET-10
    function test_only_its_operator_speaks_for_a_validator() public {
        address id = idOf(1);
        address other = operatorOf(2);
        bytes memory refusal = abi.encodeWithSelector(IValidatorRegistry.NotOperator.selector, id, other);
        cheats.expectRevert(refusal);
        cheats.prank(other);
        registry.setFeeRecipient(id, other);
        cheats.expectRevert(refusal);
        cheats.prank(other);
        registry.requestExit(id);
        cheats.expectRevert(refusal);
        cheats.prank(other);
        registry.withdraw(id);
    }

    /// SET-19
    function test_coins_that_are_no_stake_are_refused() public {
        cheats.deal(address(this), 1);
        (bool done,) = address(registry).call{value: 1}("");
        assertHolds(!done, "a plain payment is refused");
    }
}
