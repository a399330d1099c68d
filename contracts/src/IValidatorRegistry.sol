// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The validator registry as others see it
/// @dev Rules are numbered SET-1, SET-2 … in specs/validator-set.md.
interface IValidatorRegistry {
    /// @notice A public key on secp256k1 without its prefix byte.
    struct PublicKey {
        bytes32 x;
        bytes32 y;
    }

    /// @notice The parameters of a chain's registry; they never change.
    struct Rules {
        uint64 periodBlocks;
        uint256 stakeMinWei;
        uint256 powerUnitWei;
        uint256 slashWei;
        uint64 unbondingBlocks;
        uint64 unbondingSeconds;
        uint16 validatorsMax;
    }

    /// @notice A validator that is there from genesis on.
    struct Founder {
        address operator;
        PublicKey consensusKey;
        PublicKey networkKey;
        address feeRecipient;
        uint256 stakeWei;
    }

    /// @notice One entry of a period's set, as consensus reads it.
    struct Entry {
        address id;
        PublicKey networkKey;
        PublicKey consensusKey;
        uint64 power;
        address feeRecipient;
    }

    /// @notice What people ask about a validator. Zeros throughout where the id is unknown.
    struct Status {
        address operator;
        uint256 stakeWei;
        uint32 convictions;
        /// First period without power; 0 while none is set.
        uint32 leavesFrom;
        /// First block and time at which the stake may be withdrawn; the time is 0 until power has ended.
        uint256 unlockBlock;
        uint256 unlockTime;
    }

    /// @notice A validator registered; its power counts from `fromPeriod` on.
    event Registered(address indexed id, address indexed operator, uint256 stakeWei, uint32 fromPeriod);

    /// @notice A stake grew; the power follows from `fromPeriod` on.
    event StakeAdded(address indexed id, address indexed from, uint256 amountWei, uint32 fromPeriod);

    /// @notice Fees go to another address from `fromPeriod` on.
    event FeeRecipientChanged(address indexed id, address feeRecipient, uint32 fromPeriod);

    /// @notice A validator leaves: it has no power from `fromPeriod` on.
    event Leaving(address indexed id, uint32 fromPeriod);

    /// @notice A stake was paid out.
    event Withdrawn(address indexed id, address indexed operator, uint256 amountWei);

    /// @notice A validator was convicted of double signing at a height; the three parts add up to the slash.
    event Convicted(
        address indexed id, uint64 indexed height, uint256 burnedWei, uint256 rewardedWei, uint256 insuredWei
    );

    /// @notice A parameter of genesis is outside its range.
    error RulesInvalid(string what);
    /// @notice The coins that came with the genesis are not the sum of its stakes.
    error StakesUnpaid(uint256 paidWei, uint256 stakesWei);
    /// @notice A key has 64 bytes: x and y, without a prefix byte.
    error KeyLengthInvalid(uint256 length);
    /// @notice The consensus key belongs to a validator whose stake is still here.
    error KeyInUse(address id);
    /// @notice A validator with this consensus key was convicted: the key is never taken again.
    error KeyConvicted(address id);
    /// @notice The proof is not a signature of the consensus key over what is registered.
    error ProofInvalid(address id);
    /// @notice Less than the least stake.
    error StakeTooSmall(uint256 stakeWei, uint256 stakeMinWei);
    /// @notice The stake would be worth more power than 64 bits hold.
    error PowerTooLarge(uint256 stakeWei);
    /// @notice The set of the period after next is full.
    error SetFull(uint256 validatorsMax);
    /// @notice Nothing was sent.
    error NothingSent();
    /// @notice No such validator, or its stake was withdrawn.
    error UnknownValidator(address id);
    /// @notice The caller does not operate this validator.
    error NotOperator(address id, address caller);
    /// @notice The validator is leaving already, or was convicted: nothing about it can be changed any more.
    error NotStaying(address id);
    /// @notice The last validator cannot leave: a chain needs one.
    error LastValidator(address id);
    /// @notice The stake is not unlocked yet; both are reached at the earliest (`unlockTime` 0: power has not ended).
    error StillLocked(address id, uint256 unlockBlock, uint256 unlockTime);
    /// @notice Sets are known for the current period and the two after it.
    error PeriodUnknown(uint64 period, uint32 current);
    /// @notice The caller is not the protocol.
    error NotSystem(address caller);
    /// @notice The caller is not the EquivocationDetector.
    error NotDetector(address caller);

    /// @notice Registers a validator with the coins sent as its stake and the caller as its operator (SET-2, SET-4).
    /// @param consensusKey 64 bytes; the validator's id is their address.
    /// @param networkKey 64 bytes.
    /// @param feeRecipient Receives the fees of the blocks it proposes.
    /// @param proof 65 bytes r, s, parity of y (0 or 1): the consensus key's signature over `registrationDigest`.
    function register(
        bytes calldata consensusKey,
        bytes calldata networkKey,
        address feeRecipient,
        bytes calldata proof
    ) external payable;

    /// @notice Adds the coins sent to a stake. Anybody may; they belong to the validator's operator from then on.
    function addStake(address id) external payable;

    /// @notice Names another recipient of the fees; for the operator (SET-10).
    function setFeeRecipient(address id, address feeRecipient) external;

    /// @notice Begins to leave, for good; for the operator (SET-10).
    function requestExit(address id) external;

    /// @notice Pays the stake out to the operator, once it is unlocked (SET-12).
    function withdraw(address id) external;

    /// @notice Opens a period; the protocol calls it at the first block of every period (SET-13).
    function beginPeriod() external;

    /// @notice Slashes a validator for double signing at a height and makes it leave; for the EquivocationDetector.
    /// @return slashedWei Zero where evidence against it does not convict (SET-14).
    function convict(address id, uint64 height, address beneficiary) external returns (uint256 slashedWei);

    /// @notice The set of the current period or of one of the two after it, in order of registration (SET-6).
    function validatorSet(uint64 period) external view returns (Entry[] memory);

    /// @notice Convicted validators that still have power in the current period or one of the two after it (SET-18).
    function skipList() external view returns (address[] memory);

    /// @notice Whether evidence against a validator at a height convicts (SET-14).
    function standing(address id, uint64 height) external view returns (bool);

    /// @notice What is known of a validator.
    function status(address id) external view returns (Status memory);

    /// @notice The current period (SET-5).
    function currentPeriod() external view returns (uint32);

    /// @notice What the consensus key signs to be registered (SET-2).
    function registrationDigest(address operator, bytes calldata networkKey, address feeRecipient)
        external
        view
        returns (bytes32);
}
