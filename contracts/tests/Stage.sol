// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EquivocationDetector} from "../src/EquivocationDetector.sol";
import {IValidatorRegistry} from "../src/IValidatorRegistry.sol";
import {InsuranceFund} from "../src/InsuranceFund.sol";
import {Predeploys} from "../src/Predeploys.sol";
import {Asserting, Cheats} from "./Cheats.sol";

/// @dev The registry with the questions that the compiler answers from its parameters.
interface Registry is IValidatorRegistry {
    function periodBlocks() external view returns (uint64);
    function stakeMinWei() external view returns (uint256);
    function powerUnitWei() external view returns (uint256);
    function slashWei() external view returns (uint256);
    function unbondingBlocks() external view returns (uint64);
    function unbondingSeconds() external view returns (uint64);
    function validatorsMax() external view returns (uint16);
}

/// @dev The three contracts at their addresses, as a genesis makes them, and short words for what happens to them.
abstract contract Stage is Asserting {
    uint64 internal constant PERIOD_BLOCKS = 10;
    uint64 internal constant UNBONDING_BLOCKS = 25;
    uint64 internal constant UNBONDING_SECONDS = 1000;
    uint256 internal constant STAKE_MIN = 32 ether;
    uint256 internal constant POWER_UNIT = 1 ether;
    uint256 internal constant SLASH = 7 ether + 3;
    uint16 internal constant VALIDATORS_MAX = 5;
    uint256 internal constant GENESIS_TIME = 1_700_000_000;
    uint256 internal constant BLOCK_SECONDS = 2;

    Registry internal constant registry = Registry(Predeploys.VALIDATOR_REGISTRY);
    EquivocationDetector internal constant detector = EquivocationDetector(Predeploys.EQUIVOCATION_DETECTOR);
    InsuranceFund internal constant fund = InsuranceFund(payable(Predeploys.INSURANCE_FUND));

    address internal constant PROPOSER = address(0xFEE);

    /// @dev Remembered, because a point on the curve costs more time than everything else in a test.
    mapping(uint256 n => address) private _ids;

    function rules() internal pure virtual returns (IValidatorRegistry.Rules memory) {
        return IValidatorRegistry.Rules(
            PERIOD_BLOCKS, STAKE_MIN, POWER_UNIT, SLASH, UNBONDING_BLOCKS, UNBONDING_SECONDS, VALIDATORS_MAX
        );
    }

    // ── people: number n has the secret n, and the rest follows ────────────────────────────────────────────────

    function operatorOf(uint256 n) internal pure returns (address) {
        return address(uint160(0x0900_0000 + n));
    }

    function recipientOf(uint256 n) internal pure returns (address) {
        return address(uint160(0x0F00_0000 + n));
    }

    function idOf(uint256 n) internal returns (address) {
        if (_ids[n] == address(0)) _ids[n] = cheats.createWallet(n).addr;
        return _ids[n];
    }

    function keyOf(uint256 n) internal returns (IValidatorRegistry.PublicKey memory) {
        Cheats.Wallet memory wallet = cheats.createWallet(n);
        return IValidatorRegistry.PublicKey(bytes32(wallet.publicKeyX), bytes32(wallet.publicKeyY));
    }

    function consensusKeyOf(uint256 n) internal returns (bytes memory) {
        return abi.encode(keyOf(n));
    }

    /// @dev The network key needs no proof, so any 64 bytes will do.
    function networkKeyOf(uint256 n) internal pure returns (bytes memory) {
        return abi.encode(keccak256(abi.encode("network x", n)), keccak256(abi.encode("network y", n)));
    }

    function founder(uint256 n, uint256 stake) internal returns (IValidatorRegistry.Founder memory) {
        (bytes32 x, bytes32 y) = abi.decode(networkKeyOf(n), (bytes32, bytes32));
        return IValidatorRegistry.Founder(
            operatorOf(n), keyOf(n), IValidatorRegistry.PublicKey(x, y), recipientOf(n), stake
        );
    }

    function founders(uint256 count) internal returns (IValidatorRegistry.Founder[] memory all) {
        all = new IValidatorRegistry.Founder[](count);
        for (uint256 i = 0; i < count; ++i) all[i] = founder(i + 1, STAKE_MIN);
    }

    function proofOf(uint256 n) internal view returns (bytes memory) {
        bytes32 digest = registry.registrationDigest(operatorOf(n), networkKeyOf(n), recipientOf(n));
        (uint8 v, bytes32 r, bytes32 s) = cheats.sign(n, digest);
        return abi.encodePacked(r, s, v - 27);
    }

    // ── the chain ──────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev Runs the constructors where the contracts stand, with founders 1 to `count`.
    function openChain(uint256 count) internal {
        openChain(rules(), founders(count));
    }

    function openChain(IValidatorRegistry.Rules memory chosen, IValidatorRegistry.Founder[] memory first) internal {
        uint256 stakes = 0;
        for (uint256 i = 0; i < first.length; ++i) stakes += first[i].stakeWei;
        cheats.warp(GENESIS_TIME);
        cheats.roll(0);
        place(address(fund), type(InsuranceFund).creationCode, 0);
        place(address(detector), type(EquivocationDetector).creationCode, 0);
        place(address(registry), registryCode(chosen, first), stakes);
    }

    function registryCode(IValidatorRegistry.Rules memory chosen, IValidatorRegistry.Founder[] memory first)
        internal
        view
        returns (bytes memory)
    {
        // By name, so that a change of the registry compiles the registry again and not every test.
        bytes memory creation = cheats.getCode("ValidatorRegistry.sol:ValidatorRegistry");
        return abi.encodePacked(creation, abi.encode(chosen, first));
    }

    function place(address where, bytes memory creation, uint256 value) internal {
        cheats.etch(where, creation);
        cheats.deal(address(this), address(this).balance + value);
        (bool done, bytes memory runtime) = where.call{value: value}("");
        if (!done) {
            assembly {
                revert(add(runtime, 0x20), mload(runtime))
            }
        }
        cheats.etch(where, runtime);
    }

    /// @dev To a later block; every period on the way is opened at its first block, as the protocol does.
    function toBlock(uint256 number) internal {
        uint256 length = registry.periodBlocks();
        for (uint256 first = (block.number / length + 1) * length; first <= number; first += length) {
            jump(first);
            cheats.prank(Predeploys.SYSTEM);
            registry.beginPeriod();
        }
        jump(number);
    }

    function jump(uint256 number) internal {
        cheats.roll(number);
        cheats.warp(GENESIS_TIME + number * BLOCK_SECONDS);
    }

    function toPeriod(uint256 period) internal {
        toBlock(period * registry.periodBlocks());
    }

    function register(uint256 n, uint256 stake) internal {
        registerWith(n, stake, proofOf(n));
    }

    function registerWith(uint256 n, uint256 stake, bytes memory proof) internal {
        bytes memory key = consensusKeyOf(n);
        cheats.deal(operatorOf(n), stake);
        cheats.prank(operatorOf(n));
        registry.register{value: stake}(key, networkKeyOf(n), recipientOf(n), proof);
    }

    function requestExit(uint256 n) internal {
        address id = idOf(n);
        cheats.prank(operatorOf(n));
        registry.requestExit(id);
    }

    function withdraw(uint256 n) internal {
        address id = idOf(n);
        cheats.prank(operatorOf(n));
        registry.withdraw(id);
    }

    function setFeeRecipient(uint256 n, address recipient) internal {
        address id = idOf(n);
        cheats.prank(operatorOf(n));
        registry.setFeeRecipient(id, recipient);
    }

    function addStake(uint256 n, uint256 amount) internal {
        cheats.deal(address(this), address(this).balance + amount);
        registry.addStake{value: amount}(idOf(n));
    }

    function report(uint256 n, uint64 height) internal {
        report(n, height, PROPOSER);
    }

    function report(uint256 n, uint64 height, address beneficiary) internal {
        address id = idOf(n);
        cheats.prank(Predeploys.SYSTEM);
        detector.report(id, height, 0, 1, beneficiary);
    }

    // ── questions ──────────────────────────────────────────────────────────────────────────────────────────────

    function stakeOf(uint256 n) internal returns (uint256) {
        return registry.status(idOf(n)).stakeWei;
    }

    function sizeAt(uint64 period) internal view returns (uint256) {
        return registry.validatorSet(period).length;
    }

    /// @dev 0 where the set does not name it.
    function powerAt(uint256 n, uint64 period) internal returns (uint64) {
        (uint64 power,) = entryAt(n, period);
        return power;
    }

    function recipientAt(uint256 n, uint64 period) internal returns (address) {
        (, address recipient) = entryAt(n, period);
        return recipient;
    }

    function entryAt(uint256 n, uint64 period) private returns (uint64 power, address recipient) {
        address id = idOf(n);
        IValidatorRegistry.Entry[] memory entries = registry.validatorSet(period);
        for (uint256 i = 0; i < entries.length; ++i) {
            if (entries[i].id == id) return (entries[i].power, entries[i].feeRecipient);
        }
    }

    /// @dev The set of a period as the numbers of its validators, a decimal digit each: 1, 2, 3 is 123.
    function setAt(uint64 period) internal returns (uint256 digits) {
        IValidatorRegistry.Entry[] memory entries = registry.validatorSet(period);
        for (uint256 i = 0; i < entries.length; ++i) {
            for (uint256 n = 1; n < 10; ++n) if (entries[i].id == idOf(n)) digits = digits * 10 + n;
        }
    }

    function skipped() internal returns (uint256 digits) {
        address[] memory ids = registry.skipList();
        for (uint256 i = 0; i < ids.length; ++i) {
            for (uint256 n = 1; n < 10; ++n) if (ids[i] == idOf(n)) digits = digits * 10 + n;
        }
    }
}
