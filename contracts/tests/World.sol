// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IValidatorRegistry} from "../src/IValidatorRegistry.sol";
import {Predeploys} from "../src/Predeploys.sol";
import {Model} from "./Model.sol";
import {Stage} from "./Stage.sol";

/// @title Everything that people and the protocol can do, in any order
/// @dev Each action is foretold by the model: that it is refused where it should be, and done where it should be. What it
///      did is compared by `agree` after every action.
contract World is Stage, Model {
    mapping(uint256 period => uint256 time) private openedAt;
    uint256 private lastOffence;

    constructor() {
        openChain(2);
        for (uint256 n = 1; n <= 2; ++n) join(n, STAKE_MIN, STAKE_MIN / POWER_UNIT, recipientOf(n), 0);
    }

    receive() external payable {}

    // ── actions ────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev Some blocks pass; now and then so many that stakes unlock.
    function pass(uint256 blocks) external {
        uint256 target = block.number + within(blocks, 1, blocks % 7 == 0 ? 600 : 12);
        for (uint256 p = block.number / PERIOD_BLOCKS + 1; p <= target / PERIOD_BLOCKS; ++p) {
            openedAt[p] = GENESIS_TIME + p * PERIOD_BLOCKS * BLOCK_SECONDS;
        }
        toBlock(target);
    }

    function enter(uint256 given, uint256 stakeGiven) external {
        uint256 n = within(given, 1, PEOPLE);
        uint256 stake = within(stakeGiven, STAKE_MIN - STAKE_MIN / 10, 3 * STAKE_MIN);
        bytes memory arguments = abi.encodeCall(
            registry.register, (consensusKeyOf(n), networkKeyOf(n), recipientOf(n), proofOf(n))
        );
        bool isFull = stayingCount() - (kept == 0 ? 0 : 1) >= VALIDATORS_MAX;
        bool may = !people[n].isHere && people[n].convictions == 0 && stake >= STAKE_MIN && !isFull;
        attempt(operatorOf(n), stake, arguments, may);
        if (may) join(n, stake, stake / POWER_UNIT, recipientOf(n), periodNow() + 2);
    }

    function add(uint256 given, uint256 amountGiven) external {
        uint256 n = within(given, 1, PEOPLE);
        uint256 amount = within(amountGiven, 0, STAKE_MIN);
        bool may = isStaying(n) && people[n].convictions == 0 && amount > 0;
        attempt(address(this), amount, abi.encodeCall(registry.addStake, (idOf(n))), may);
        if (!may) return;
        people[n].stake += amount;
        change(n, people[n].stake / POWER_UNIT, latest(n).feeRecipient);
    }

    function redirect(uint256 given, address recipient) external {
        uint256 n = within(given, 1, PEOPLE);
        bool may = isStaying(n);
        attempt(operatorOf(n), 0, abi.encodeCall(registry.setFeeRecipient, (idOf(n), recipient)), may);
        if (may) change(n, latest(n).power, recipient);
    }

    function exit(uint256 given) external {
        uint256 n = within(given, 1, PEOPLE);
        bool may = isStaying(n) && stayingCount() > 1;
        attempt(operatorOf(n), 0, abi.encodeCall(registry.requestExit, (idOf(n))), may);
        if (may) depart(n);
    }

    function takeOut(uint256 given) external {
        uint256 n = within(given, 1, PEOPLE);
        uint256 from = people[n].leavesFrom;
        bool may = people[n].isHere && from != 0 && openedAt[from] != 0
            && block.number >= from * PERIOD_BLOCKS + UNBONDING_BLOCKS
            && block.timestamp >= openedAt[from] + UNBONDING_SECONDS;
        uint256 before = operatorOf(n).balance;
        attempt(operatorOf(n), 0, abi.encodeCall(registry.withdraw, (idOf(n))), may);
        if (!may) return;
        assertEqual(operatorOf(n).balance - before, people[n].stake, "paid out");
        part(n);
    }

    /// @dev Heights are few, so that one is reported again now and then; a report is never refused.
    function misbehave(uint256 given, uint8 heightGiven) external {
        uint256 n = within(given, 1, PEOPLE);
        uint64 height = uint64(heightGiven % 4);
        bool convicts = people[n].isHere && people[n].stake > 0 && !isConvictedAt[n][height];
        assertHolds(registry.standing(idOf(n), height) == convicts, "standing");
        cheats.prank(Predeploys.SYSTEM);
        detector.report(idOf(n), height, uint64(++lastOffence), 1, PROPOSER);
        if (!convicts) return;
        uint256 amount = people[n].stake < SLASH ? people[n].stake : SLASH;
        slash(n, height, amount, (people[n].stake - amount) / POWER_UNIT);
    }

    function attempt(address caller, uint256 value, bytes memory arguments, bool may) private {
        cheats.deal(caller, caller.balance + value);
        uint256 purse = caller.balance;
        cheats.prank(caller);
        (bool done,) = address(registry).call{value: value}(arguments);
        assertHolds(done == may, may ? "done" : "refused");
        if (!done) assertEqual(caller.balance, purse, "nothing is taken for what is refused");
    }

    function isStaying(uint256 n) private view returns (bool) {
        return people[n].isHere && people[n].leavesFrom == 0;
    }

    function periodNow() internal view override returns (uint256) {
        return block.number / PERIOD_BLOCKS;
    }

    // ── what must hold after every action ──────────────────────────────────────────────────────────────────────

    function agree() external {
        agreeOnSets();
        agreeOnSkipList();
        sizesAreWithinBounds();
        coinsAreConserved();
    }

    /// @dev SET-5, SET-6, SET-7
    function agreeOnSets() private {
        for (uint256 period = periodNow(); period <= periodNow() + 2; ++period) {
            IValidatorRegistry.Entry[] memory entries = registry.validatorSet(uint64(period));
            uint256[] memory numbers = setIn(period);
            assertEqual(entries.length, numbers.length, "size of a set");
            for (uint256 i = 0; i < numbers.length; ++i) {
                Change memory setting = settingIn(numbers[i], period);
                assertEqual(entries[i].id, idOf(numbers[i]), "id");
                assertEqual(entries[i].power, setting.power, "power");
                assertEqual(entries[i].feeRecipient, setting.feeRecipient, "recipient");
            }
        }
    }

    /// @dev SET-8, SET-9
    function sizesAreWithinBounds() private view {
        for (uint256 period = periodNow(); period <= periodNow() + 2; ++period) {
            uint256 size = registry.validatorSet(uint64(period)).length;
            assertHolds(size >= 1, "a set is never empty");
            assertHolds(size <= VALIDATORS_MAX, "nor above its bound");
        }
    }

    /// @dev SET-18
    function agreeOnSkipList() private {
        address[] memory ids = registry.skipList();
        uint256 expected = 0;
        for (uint256 n = 1; n <= PEOPLE; ++n) {
            if (!isSkipped(n)) continue;
            ++expected;
            bool isListed = false;
            for (uint256 i = 0; i < ids.length; ++i) isListed = isListed || ids[i] == idOf(n);
            assertHolds(isListed, "skipped");
        }
        assertEqual(ids.length, expected, "length of the skip list");
    }

    /// @dev SET-19
    function coinsAreConserved() private {
        assertEqual(address(registry).balance, stakesInAll(), "the registry holds the stakes");
        for (uint256 n = 1; n <= PEOPLE; ++n) assertEqual(stakeOf(n), people[n].stake, "stake");
        uint256 spent = address(0).balance + PROPOSER.balance + address(fund).balance;
        assertEqual(spent, slashedInAll, "every slashed wei is somewhere");
    }
}
