// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {World} from "./World.sol";

/// @dev Random histories of a chain, held against the model after every action.
contract InvariantsTest {
    /// @dev What forge reads of a test that says which functions to call.
    struct Actions {
        address target;
        bytes4[] selectors;
    }

    World private world;

    function setUp() public {
        world = new World();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(world);
    }

    function targetSelectors() external view returns (Actions[] memory actions) {
        bytes4[7] memory chosen = [
            World.pass.selector,
            World.enter.selector,
            World.add.selector,
            World.redirect.selector,
            World.exit.selector,
            World.takeOut.selector,
            World.misbehave.selector
        ];
        actions = new Actions[](1);
        actions[0] = Actions(address(world), new bytes4[](chosen.length));
        for (uint256 i = 0; i < chosen.length; ++i) actions[0].selectors[i] = chosen[i];
    }

    /// SET-5, SET-6, SET-7, SET-8, SET-9, SET-16, SET-18, SET-19
    function invariant_the_registry_does_what_the_model_foretells() public {
        world.agree();
    }
}
