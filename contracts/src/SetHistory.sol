// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What one validator is worth in which period
/// @notice Three settings in a row, each with the first period in which it holds.
/// @dev A change made in period p takes effect in p + 2 (SET-5), so at most three settings matter at once: that of
///      p, that of p + 1 and that of p + 2. Writing a fourth pushes out the oldest, which by then is superseded even
///      in p: the one before the newest began in p or earlier.
library SetHistory {
    /// @dev One storage slot. Periods are numbered in 32 bits: with the shortest periods, two blocks of a second each,
    ///      they last 272 years.
    struct Setting {
        uint32 fromPeriod;
        uint64 power;
        address feeRecipient;
    }

    /// @dev Newest first. A setting that was never written says: no power from period 0 on.
    struct History {
        Setting newest;
        Setting middle;
        Setting oldest;
    }

    /// @notice Sets power and fee recipient from `fromPeriod` on, in place of what was set for that period before.
    /// @dev `fromPeriod` never falls from one call to the next.
    function set(History storage self, uint32 fromPeriod, uint64 power, address feeRecipient) internal {
        if (self.newest.fromPeriod != fromPeriod) {
            self.oldest = self.middle;
            self.middle = self.newest;
        }
        self.newest = Setting(fromPeriod, power, feeRecipient);
    }

    /// @notice What holds in a period, which is not earlier than the current one.
    function during(History storage self, uint256 period) internal view returns (Setting memory setting) {
        setting = self.newest;
        if (setting.fromPeriod > period) setting = self.middle;
        if (setting.fromPeriod > period) setting = self.oldest;
    }

    /// @notice Whether there is power in `period` or one of the two after it.
    function hasPowerSoon(History storage self, uint256 period) internal view returns (bool) {
        return self.newest.power != 0 || during(self, period).power != 0 || during(self, period + 1).power != 0;
    }

    /// @notice Whether `account` receives the fees in `period` or one of the two after it.
    function isFeeRecipientSoon(History storage self, uint256 period, address account)
        internal
        view
        returns (bool)
    {
        return self.newest.feeRecipient == account || during(self, period).feeRecipient == account
            || during(self, period + 1).feeRecipient == account;
    }
}
