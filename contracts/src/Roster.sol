// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Validator ids in order of registration
/// @notice A doubly linked list: members leave from anywhere without disturbing the order of the others (SET-6).
/// @dev Address zero closes the ring: after it comes the first, before it stands the last. It is no validator's id.
library Roster {
    struct List {
        mapping(address id => address) nextOf;
        mapping(address id => address) previousOf;
    }

    /// @notice Adds an id, which is not in the list, at the end.
    function append(List storage self, address id) internal {
        address last = self.previousOf[address(0)];
        self.nextOf[last] = id;
        self.previousOf[id] = last;
        self.previousOf[address(0)] = id;
    }

    /// @notice Takes out an id, which is in the list.
    function remove(List storage self, address id) internal {
        address predecessor = self.previousOf[id];
        address successor = self.nextOf[id];
        self.nextOf[predecessor] = successor;
        self.previousOf[successor] = predecessor;
        delete self.nextOf[id];
        delete self.previousOf[id];
    }

    /// @notice The first id, or zero.
    function first(List storage self) internal view returns (address) {
        return self.nextOf[address(0)];
    }

    /// @notice The id after another, or zero.
    function next(List storage self, address id) internal view returns (address) {
        return self.nextOf[id];
    }
}
