// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IValidatorRegistry} from "../src/IValidatorRegistry.sol";
import {Predeploys} from "../src/Predeploys.sol";

/// @dev Fee recipients that a proposer with bad intentions might name.
contract Refusing {
    receive() external payable {
        revert("no, thank you");
    }
}

contract GasBurning {
    receive() external payable {
        while (true) {}
    }
}

/// @dev Answers with more bytes than a caller could afford to copy.
contract Flooding {
    fallback() external payable {
        assembly {
            revert(0, 1000000)
        }
    }
}

/// @dev Operates a validator of its own, and changes it while another is being slashed; takes its pay all the same.
contract Reentering {
    address private immutable id;
    uint256 public refusals;

    constructor(address ownValidator) {
        id = ownValidator;
    }

    receive() external payable {
        (bool done,) = Predeploys.VALIDATOR_REGISTRY.call{gas: 20_000}(
            abi.encodeCall(IValidatorRegistry.setFeeRecipient, (id, address(this)))
        );
        if (!done) ++refusals;
    }
}
