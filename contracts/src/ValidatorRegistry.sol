// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {BoundedPayment} from "./BoundedPayment.sol";
import {IValidatorRegistry} from "./IValidatorRegistry.sol";
import {Predeploys} from "./Predeploys.sol";
import {RegistryRules} from "./RegistryRules.sol";
import {Roster} from "./Roster.sol";
import {SetHistory} from "./SetHistory.sol";

/// @title ValidatorRegistry: the validator set as chain state
/// @notice Who stakes, with which keys, and from when to when it counts. Rules: specs/validator-set.md.
/// @dev Time runs in periods of a fixed number of blocks. Whatever changes in period p counts from the first block of
///      p + 2, for everybody alike, so that the set of a block is known two blocks before it (SET-5).
///
///      There is no owner, no parameter that can be set, and no way to another implementation: what consensus rests on
///      must not hang on a key. The code is replaced by a hard fork only, which is a decision of all who run nodes.
contract ValidatorRegistry is IValidatorRegistry, ReentrancyGuardTransient {
    using BoundedPayment for address;
    using Roster for Roster.List;
    using SetHistory for SetHistory.History;

    /// @dev `operator` is zero where there is no validator; `convictions` outlive the validator (SET-3).
    struct Validator {
        address operator;
        uint32 leavesFrom;
        uint32 convictions;
        uint256 stakeWei;
        PublicKey consensusKey;
        PublicKey networkKey;
        SetHistory.History history;
    }

    /// @dev Kept for a period from which on somebody has no power, until the last of them has withdrawn (SET-13).
    struct Departure {
        uint64 startTime;
        uint32 leaving;
    }

    uint32 private constant CHANGE_DELAY_PERIODS = 2;
    uint256 private constant REWARD_PERCENT = 30;
    uint256 private constant INSURANCE_PERCENT = 20;

    /// @notice Blocks a period has.
    uint64 public immutable periodBlocks;
    /// @notice The least stake to register with.
    uint256 public immutable stakeMinWei;
    /// @notice How much stake is worth one unit of power.
    uint256 public immutable powerUnitWei;
    /// @notice What a conviction costs, or the whole stake where that is less.
    uint256 public immutable slashWei;
    /// @notice Blocks that a stake stays locked after its power ended.
    uint64 public immutable unbondingBlocks;
    /// @notice Seconds that a stake stays locked after its power ended.
    uint64 public immutable unbondingSeconds;
    /// @notice The most validators a set may have.
    uint16 public immutable validatorsMax;

    mapping(address id => Validator) private _validators;
    mapping(address id => mapping(uint64 height => bool)) private _isConvictedAt;
    mapping(uint32 period => Departure) private _departures;

    /// @dev Everybody with power in the current period or one of the two after it, and nobody else once the period has
    ///      been opened: at most three full sets.
    Roster.List private _roster;

    /// @dev How many validators have power with no end in sight: the size of the set of the period after next.
    uint32 private _staying;

    /// @dev The convicted validator that had to stay because it was the last one (SET-9), or zero.
    address private _kept;

    /// @notice Run once, when a genesis is made; its coins are the founders' stakes (SET-7, SET-23).
    constructor(Rules memory rules, Founder[] memory founders) payable {
        RegistryRules.requireInRange(rules);
        periodBlocks = rules.periodBlocks;
        stakeMinWei = rules.stakeMinWei;
        powerUnitWei = rules.powerUnitWei;
        slashWei = rules.slashWei;
        unbondingBlocks = rules.unbondingBlocks;
        unbondingSeconds = rules.unbondingSeconds;
        validatorsMax = rules.validatorsMax;

        if (founders.length == 0 || founders.length > rules.validatorsMax) revert RulesInvalid("founders");
        uint256 stakesWei = 0;
        for (uint256 i = 0; i < founders.length; ++i) {
            Founder memory founder = founders[i];
            if (founder.operator == address(0)) revert RulesInvalid("operator");
            address id = _requireFree(founder.consensusKey);
            _add(id, founder, 0);
            stakesWei += founder.stakeWei;
        }
        if (msg.value != stakesWei) revert StakesUnpaid(msg.value, stakesWei);
    }

    // ── for operators ───────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IValidatorRegistry
    function register(
        bytes calldata consensusKey,
        bytes calldata networkKey,
        address feeRecipient,
        bytes calldata proof
    ) external payable nonReentrant {
        Founder memory candidate =
            Founder(msg.sender, _keyOf(consensusKey), _keyOf(networkKey), feeRecipient, msg.value);
        address id = _requireFree(candidate.consensusKey);
        if (_signerOf(registrationDigest(msg.sender, networkKey, feeRecipient), proof) != id) {
            revert ProofInvalid(id);
        }
        // SET-9: whoever was kept leaves as the new one comes, and so takes no room.
        uint256 remaining = _kept == address(0) ? _staying : _staying - 1;
        if (remaining >= validatorsMax) revert SetFull(validatorsMax);
        _add(id, candidate, _nextChange());
        _releaseKept();
    }

    /// @inheritdoc IValidatorRegistry
    function addStake(address id) external payable nonReentrant {
        Validator storage validator = _requireKnown(id);
        if (validator.leavesFrom != 0 || validator.convictions != 0) revert NotStaying(id);
        if (msg.value == 0) revert NothingSent();
        validator.stakeWei += msg.value;
        uint32 fromPeriod = _nextChange();
        validator.history.set(fromPeriod, _powerOf(validator.stakeWei), validator.history.newest.feeRecipient);
        emit StakeAdded(id, msg.sender, msg.value, fromPeriod);
    }

    /// @inheritdoc IValidatorRegistry
    function setFeeRecipient(address id, address feeRecipient) external nonReentrant {
        Validator storage validator = _requireOperated(id);
        if (validator.leavesFrom != 0) revert NotStaying(id);
        uint32 fromPeriod = _nextChange();
        validator.history.set(fromPeriod, validator.history.newest.power, feeRecipient);
        emit FeeRecipientChanged(id, feeRecipient, fromPeriod);
    }

    /// @inheritdoc IValidatorRegistry
    function requestExit(address id) external nonReentrant {
        Validator storage validator = _requireOperated(id);
        if (validator.leavesFrom != 0) revert NotStaying(id);
        if (_staying == 1) revert LastValidator(id);
        _leave(id, validator);
    }

    /// @inheritdoc IValidatorRegistry
    function withdraw(address id) external nonReentrant {
        Validator storage validator = _requireOperated(id);
        uint32 leavesFrom = validator.leavesFrom;
        (uint256 unlockBlock, uint256 unlockTime) = _unlocking(leavesFrom);
        if (leavesFrom == 0 || unlockTime == 0 || block.number < unlockBlock || block.timestamp < unlockTime) {
            revert StillLocked(id, unlockBlock, unlockTime);
        }
        uint256 stakeWei = validator.stakeWei;
        uint32 convictions = validator.convictions;
        delete _validators[id];
        if (convictions != 0) _validators[id].convictions = convictions;
        Departure storage departure = _departures[leavesFrom];
        departure.leaving -= 1;
        if (departure.leaving == 0) delete _departures[leavesFrom];
        emit Withdrawn(id, msg.sender, stakeWei);
        Address.sendValue(payable(msg.sender), stakeWei);
    }

    // ── for the protocol ────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IValidatorRegistry
    function beginPeriod() external {
        if (msg.sender != Predeploys.SYSTEM) revert NotSystem(msg.sender);
        uint32 period = currentPeriod();
        address id = _roster.first();
        while (id != address(0)) {
            address next = _roster.next(id);
            if (!_validators[id].history.hasPowerSoon(period)) _roster.remove(id);
            id = next;
        }
        Departure storage departure = _departures[period];
        if (departure.leaving != 0 && departure.startTime == 0) {
            departure.startTime = SafeCast.toUint64(block.timestamp);
        }
    }

    /// @inheritdoc IValidatorRegistry
    function convict(address id, uint64 height, address beneficiary)
        external
        nonReentrant
        returns (uint256 slashedWei)
    {
        if (msg.sender != Predeploys.EQUIVOCATION_DETECTOR) revert NotDetector(msg.sender);
        if (!standing(id, height)) return 0;
        Validator storage validator = _validators[id];
        _isConvictedAt[id][height] = true;
        validator.convictions += 1;
        slashedWei = Math.min(slashWei, validator.stakeWei);
        validator.stakeWei -= slashedWei;
        if (validator.leavesFrom == 0) {
            if (_staying == 1) _keep(id, validator);
            else _leave(id, validator);
        }
        _split(id, height, slashedWei, beneficiary);
    }

    // ── for everybody ───────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IValidatorRegistry
    function validatorSet(uint64 period) external view returns (Entry[] memory entries) {
        uint32 current = currentPeriod();
        if (period < current || period > current + CHANGE_DELAY_PERIODS) revert PeriodUnknown(period, current);
        uint256 size = 0;
        for (address id = _roster.first(); id != address(0); id = _roster.next(id)) {
            if (_validators[id].history.during(period).power != 0) ++size;
        }
        entries = new Entry[](size);
        uint256 index = 0;
        for (address id = _roster.first(); id != address(0); id = _roster.next(id)) {
            Validator storage validator = _validators[id];
            SetHistory.Setting memory setting = validator.history.during(period);
            if (setting.power == 0) continue;
            entries[index++] =
                Entry(id, validator.networkKey, validator.consensusKey, setting.power, setting.feeRecipient);
        }
    }

    /// @inheritdoc IValidatorRegistry
    function skipList() external view returns (address[] memory ids) {
        uint256 size = 0;
        for (address id = _roster.first(); id != address(0); id = _roster.next(id)) {
            if (_isToBeSkipped(id)) ++size;
        }
        ids = new address[](size);
        uint256 index = 0;
        for (address id = _roster.first(); id != address(0); id = _roster.next(id)) {
            if (_isToBeSkipped(id)) ids[index++] = id;
        }
    }

    /// @inheritdoc IValidatorRegistry
    function status(address id) external view returns (Status memory) {
        Validator storage validator = _validators[id];
        (uint256 unlockBlock, uint256 unlockTime) = _unlocking(validator.leavesFrom);
        return Status(
            validator.operator,
            validator.stakeWei,
            validator.convictions,
            validator.leavesFrom,
            unlockBlock,
            unlockTime
        );
    }

    /// @inheritdoc IValidatorRegistry
    function standing(address id, uint64 height) public view returns (bool) {
        return _validators[id].stakeWei != 0 && !_isConvictedAt[id][height];
    }

    /// @inheritdoc IValidatorRegistry
    function currentPeriod() public view returns (uint32) {
        return SafeCast.toUint32(block.number / periodBlocks);
    }

    /// @inheritdoc IValidatorRegistry
    function registrationDigest(address operator, bytes calldata networkKey, address feeRecipient)
        public
        view
        returns (bytes32)
    {
        // Every part has a fixed width (the network key's is checked), so that no two meanings give the same bytes.
        return keccak256(
            abi.encodePacked("COC/register/1", block.chainid, address(this), operator, networkKey, feeRecipient)
        );
    }

    // ── coming and going ────────────────────────────────────────────────────────────────────────────────────────

    /// @dev The id of a key that nobody uses (SET-3).
    function _requireFree(PublicKey memory consensusKey) private view returns (address id) {
        id = address(uint160(uint256(keccak256(abi.encode(consensusKey)))));
        if (_validators[id].operator != address(0)) revert KeyInUse(id);
        if (_validators[id].convictions != 0) revert KeyConvicted(id);
    }

    function _add(address id, Founder memory founder, uint32 fromPeriod) private {
        if (founder.stakeWei < stakeMinWei) revert StakeTooSmall(founder.stakeWei, stakeMinWei);
        Validator storage validator = _validators[id];
        validator.operator = founder.operator;
        validator.stakeWei = founder.stakeWei;
        validator.consensusKey = founder.consensusKey;
        validator.networkKey = founder.networkKey;
        validator.history.set(fromPeriod, _powerOf(founder.stakeWei), founder.feeRecipient);
        _roster.append(id);
        _staying += 1;
        emit Registered(id, founder.operator, founder.stakeWei, fromPeriod);
    }

    /// @dev Power ends with the period after next. One that has no power before then is dropped at once, so that coming
    ///      and going within a period cannot make the roster long.
    function _leave(address id, Validator storage validator) private {
        uint32 fromPeriod = _nextChange();
        validator.leavesFrom = fromPeriod;
        validator.history.set(fromPeriod, 0, validator.history.newest.feeRecipient);
        _staying -= 1;
        _departures[fromPeriod].leaving += 1;
        if (!validator.history.hasPowerSoon(currentPeriod())) _roster.remove(id);
        emit Leaving(id, fromPeriod);
    }

    /// @dev SET-9: the last one stays, with what power its stake still gives it, and at least one.
    function _keep(address id, Validator storage validator) private {
        _kept = id;
        uint256 power = Math.max(1, validator.stakeWei / powerUnitWei);
        validator.history.set(_nextChange(), SafeCast.toUint64(power), validator.history.newest.feeRecipient);
    }

    /// @dev SET-9: somebody else has come.
    function _releaseKept() private {
        address id = _kept;
        if (id == address(0)) return;
        _kept = address(0);
        _leave(id, _validators[id]);
    }

    /// @dev SET-16: to the wei, with what a division leaves and what nobody takes in the burned part.
    function _split(address id, uint64 height, uint256 slashedWei, address beneficiary) private {
        uint256 rewardWei = slashedWei * REWARD_PERCENT / 100;
        uint256 insuranceWei = slashedWei * INSURANCE_PERCENT / 100;
        if (!_mayBeRewarded(_validators[id], beneficiary) || !beneficiary.tryPay(rewardWei)) rewardWei = 0;
        if (!Predeploys.INSURANCE_FUND.tryPay(insuranceWei)) insuranceWei = 0;
        uint256 burnedWei = slashedWei - rewardWei - insuranceWei;
        emit Convicted(id, height, burnedWei, rewardWei, insuranceWei);
        Address.sendValue(payable(Predeploys.BURNED), burnedWei);
    }

    /// @dev Never the offender itself, under either of its names; the burned part is no reward.
    function _mayBeRewarded(Validator storage offender, address beneficiary) private view returns (bool) {
        return beneficiary != Predeploys.BURNED && beneficiary != offender.operator
            && !offender.history.isFeeRecipientSoon(currentPeriod(), beneficiary);
    }

    // ── small questions ─────────────────────────────────────────────────────────────────────────────────────────

    function _requireKnown(address id) private view returns (Validator storage validator) {
        validator = _validators[id];
        if (validator.operator == address(0)) revert UnknownValidator(id);
    }

    function _requireOperated(address id) private view returns (Validator storage validator) {
        validator = _requireKnown(id);
        if (validator.operator != msg.sender) revert NotOperator(id, msg.sender);
    }

    /// @dev From when on what changes now counts (SET-5).
    function _nextChange() private view returns (uint32) {
        return currentPeriod() + CHANGE_DELAY_PERIODS;
    }

    function _powerOf(uint256 stakeWei) private view returns (uint64) {
        uint256 power = stakeWei / powerUnitWei;
        if (power > type(uint64).max) revert PowerTooLarge(stakeWei);
        return uint64(power);
    }

    /// @dev When a stake that leaves from a period on is unlocked (SET-12); zeros where nothing is known yet.
    function _unlocking(uint32 leavesFrom) private view returns (uint256 unlockBlock, uint256 unlockTime) {
        if (leavesFrom == 0) return (0, 0);
        unlockBlock = uint256(leavesFrom) * periodBlocks + unbondingBlocks;
        uint256 startTime = _departures[leavesFrom].startTime;
        if (startTime != 0) unlockTime = startTime + unbondingSeconds;
    }

    function _isToBeSkipped(address id) private view returns (bool) {
        Validator storage validator = _validators[id];
        return validator.convictions != 0 && validator.history.hasPowerSoon(currentPeriod());
    }

    function _keyOf(bytes calldata key) private pure returns (PublicKey memory) {
        if (key.length != 64) revert KeyLengthInvalid(key.length);
        return PublicKey(bytes32(key[:32]), bytes32(key[32:]));
    }

    /// @dev Who signed; zero where it is no signature in its one form: 65 bytes, low s, parity 0 or 1.
    function _signerOf(bytes32 digest, bytes calldata proof) private pure returns (address signer) {
        if (proof.length != 65 || uint8(proof[64]) > 1) return address(0);
        (signer,,) =
            ECDSA.tryRecover(digest, 27 + uint8(proof[64]), bytes32(proof[:32]), bytes32(proof[32:64]));
    }
}
