// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Stage} from "./Stage.sol";

/// @dev SET-21: coins go in, are counted by source, and stay.
contract FundTest is Stage {
    function setUp() public {
        openChain(1);
    }

    function give(address source, uint256 amount) private {
        cheats.deal(source, amount);
        cheats.prank(source);
        (bool done,) = address(fund).call{value: amount}("");
        assertHolds(done, "taken");
    }

    /// SET-21
    function test_the_fund_counts_coins_by_source(uint128 first, uint128 second) public {
        give(address(0xA1), first);
        give(address(0xB2), second);
        give(address(0xA1), second);
        assertEqual(fund.received(address(0xA1)), uint256(first) + second, "one source");
        assertEqual(fund.received(address(0xB2)), second, "the other");
        assertEqual(fund.balance(), uint256(first) + 2 * uint256(second), "all");
    }

    /// SET-21: nothing but its two questions is answered, so nothing can take coins out.
    function test_the_fund_answers_no_other_call(bytes4 selector, bytes memory arguments) public {
        cheats.assume(selector != fund.received.selector && selector != fund.balance.selector);
        give(address(0xA1), 1 ether);
        (bool done,) = address(fund).call(bytes.concat(selector, arguments));
        assertHolds(!done, "refused");
        assertEqual(fund.balance(), 1 ether, "all");
    }
}
