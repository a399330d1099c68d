// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Paying somebody who may not want to be paid
/// @notice A recipient can refuse, and lose what was meant for it; it can neither stop the caller nor cost it more
///         than a bounded amount of gas (SET-17).
library BoundedPayment {
    /// @dev A wallet behind a proxy needs some 7,000, and the InsuranceFund some 30,000 at a first payment.
    uint256 internal constant GAS = 50_000;

    /// @notice Sends `amount` wei; false where the recipient did not take it.
    /// @dev In assembly, because Solidity would copy whatever the recipient returns at the caller's cost.
    function tryPay(address recipient, uint256 amount) internal returns (bool isPaid) {
        assembly ("memory-safe") {
            isPaid := call(GAS, recipient, amount, 0, 0, 0, 0)
        }
    }
}
