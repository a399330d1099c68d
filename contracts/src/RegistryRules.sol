// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IValidatorRegistry} from "./IValidatorRegistry.sol";

/// @title What the parameters of a registry may be (SET-23)
library RegistryRules {
    /// @dev Votes of more validators outgrow the certificate that a block carries.
    uint256 internal constant VALIDATORS_MAX = 128;

    /// @notice Refuses parameters outside their range, by name.
    function requireInRange(IValidatorRegistry.Rules memory rules) internal pure {
        if (rules.periodBlocks < 2) revert IValidatorRegistry.RulesInvalid("periodBlocks");
        if (rules.powerUnitWei == 0) revert IValidatorRegistry.RulesInvalid("powerUnitWei");
        if (rules.stakeMinWei < rules.powerUnitWei) revert IValidatorRegistry.RulesInvalid("stakeMinWei");
        if (rules.slashWei == 0) revert IValidatorRegistry.RulesInvalid("slashWei");
        if (rules.unbondingBlocks == 0) revert IValidatorRegistry.RulesInvalid("unbondingBlocks");
        if (rules.unbondingSeconds == 0) revert IValidatorRegistry.RulesInvalid("unbondingSeconds");
        if (rules.validatorsMax == 0 || rules.validatorsMax > VALIDATORS_MAX) revert IValidatorRegistry.RulesInvalid("validatorsMax");
    }
}
