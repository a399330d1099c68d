// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title InsuranceFund: the part of slashed stakes that is kept
/// @notice It takes coins and remembers who sent how much. Nobody can take anything out: there is no function for it,
///         no owner and no upgrade. What the fund pays for is a rule that a hard fork brings, together with the code
///         that obeys it (SET-21).
contract InsuranceFund {
    /// @notice How many wei a source has sent in all.
    mapping(address source => uint256 amountWei) public received;

    /// @notice Coins came in.
    event Received(address indexed source, uint256 amountWei);

    /// @notice Takes coins from anybody.
    receive() external payable {
        received[msg.sender] += msg.value;
        emit Received(msg.sender, msg.value);
    }

    /// @notice How many wei the fund holds, whatever way they came.
    function balance() external view returns (uint256) {
        return address(this).balance;
    }
}
