// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The code an ordinary account delegates to (EIP-7702) in order to do several calls in one transaction.
contract Batcher {
    struct Call {
        address to;
        uint256 value;
        bytes data;
    }

    event Executed(address indexed self, uint256 calls);

    error NotSelf(address caller);
    error CallFailed(uint256 index);

    receive() external payable {}

    function execute(Call[] calldata calls) external payable {
        if (msg.sender != address(this)) revert NotSelf(msg.sender);
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool done,) = calls[i].to.call{value: calls[i].value}(calls[i].data);
            if (!done) revert CallFailed(i);
        }
        emit Executed(address(this), calls.length);
    }
}
