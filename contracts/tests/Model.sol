// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The rules of the validator set, written down as simply as possible
/// @dev Nothing is ever thrown away and every question is answered by looking through everything: too dear for a chain,
///      too plain to be wrong in the same way as the contract. Validators are numbers from 1 to `PEOPLE`.
contract Model {
    uint256 internal constant PEOPLE = 8;

    struct Change {
        uint256 fromPeriod;
        uint256 power;
        address feeRecipient;
    }

    struct Person {
        bool isHere;
        uint256 place;
        uint256 stake;
        uint256 convictions;
        uint256 leavesFrom;
        Change[] changes;
    }

    mapping(uint256 n => Person) internal people;
    mapping(uint256 n => mapping(uint256 height => bool)) internal isConvictedAt;
    uint256 internal placesGiven;
    uint256 internal kept;
    uint256 internal slashedInAll;

    function periodNow() internal view virtual returns (uint256) {}

    function join(uint256 n, uint256 stake, uint256 power, address feeRecipient, uint256 fromPeriod) internal {
        delete people[n].changes;
        people[n].isHere = true;
        people[n].place = ++placesGiven;
        people[n].stake = stake;
        people[n].leavesFrom = 0;
        people[n].changes.push(Change(fromPeriod, power, feeRecipient));
        if (kept != 0) {
            depart(kept);
            kept = 0;
        }
    }

    function depart(uint256 n) internal {
        people[n].leavesFrom = periodNow() + 2;
        people[n].changes.push(Change(periodNow() + 2, 0, latest(n).feeRecipient));
    }

    function change(uint256 n, uint256 power, address feeRecipient) internal {
        people[n].changes.push(Change(periodNow() + 2, power, feeRecipient));
    }

    function slash(uint256 n, uint256 height, uint256 amount, uint256 powerLeft) internal {
        Person storage person = people[n];
        isConvictedAt[n][height] = true;
        person.convictions += 1;
        person.stake -= amount;
        slashedInAll += amount;
        if (person.leavesFrom != 0) return;
        if (stayingCount() > 1) {
            depart(n);
            return;
        }
        kept = n;
        change(n, powerLeft == 0 ? 1 : powerLeft, latest(n).feeRecipient);
    }

    function part(uint256 n) internal {
        people[n].isHere = false;
        people[n].stake = 0;
        delete people[n].changes;
    }

    function latest(uint256 n) internal view returns (Change memory) {
        return people[n].changes[people[n].changes.length - 1];
    }

    function settingIn(uint256 n, uint256 period) internal view returns (Change memory found) {
        Change[] storage changes = people[n].changes;
        for (uint256 i = 0; i < changes.length; ++i) {
            if (changes[i].fromPeriod <= period) found = changes[i];
        }
    }

    function stayingCount() internal view returns (uint256 count) {
        for (uint256 n = 1; n <= PEOPLE; ++n) {
            if (people[n].isHere && people[n].leavesFrom == 0) ++count;
        }
    }

    function stakesInAll() internal view returns (uint256 sum) {
        for (uint256 n = 1; n <= PEOPLE; ++n) sum += people[n].stake;
    }

    /// @dev Those with power in a period, in order of registration.
    function setIn(uint256 period) internal view returns (uint256[] memory numbers) {
        uint256[] memory found = new uint256[](PEOPLE);
        uint256 size = 0;
        for (uint256 place = 1; place <= placesGiven; ++place) {
            for (uint256 n = 1; n <= PEOPLE; ++n) {
                if (people[n].isHere && people[n].place == place && settingIn(n, period).power > 0) {
                    found[size++] = n;
                }
            }
        }
        numbers = new uint256[](size);
        for (uint256 i = 0; i < size; ++i) numbers[i] = found[i];
    }

    function isSkipped(uint256 n) internal view returns (bool) {
        if (!people[n].isHere || people[n].convictions == 0) return false;
        for (uint256 period = periodNow(); period <= periodNow() + 2; ++period) {
            if (settingIn(n, period).power > 0) return true;
        }
        return false;
    }
}
