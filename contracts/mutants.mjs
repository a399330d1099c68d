/**
 * Plants one fault at a time in a copy of the sources and expects the tests to find it: whether the tests can fail is
 * shown, not believed.
 *
 *   node mutants.mjs            all of them, a quarter of a minute each; exit 1 where nobody noticed one
 *   node mutants.mjs 62         from the 62nd on, to go on where a run ended
 *   node mutants.mjs WORD …     those whose name has one of the words in it
 *
 * The table `MUTANTS.md` beside this file says which test notices each; every mutant that was run has its row again.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const copy = join(here, "..", "build", "contracts", "mutant");
const table = join(here, "MUTANTS.md");

const REGISTRY = "ValidatorRegistry.sol";
const HISTORY = "SetHistory.sol";
const DETECTOR = "EquivocationDetector.sol";

/** Name, file, what stands there, what stands there instead. */
const MUTANTS = [
  ["a change counts a period too early", REGISTRY, "CHANGE_DELAY_PERIODS = 2", "CHANGE_DELAY_PERIODS = 1"],
  ["a change counts a period too late", REGISTRY, "CHANGE_DELAY_PERIODS = 2", "CHANGE_DELAY_PERIODS = 3"],
  ["a setting that still counts is dropped", HISTORY, "            self.oldest = self.middle;\n", ""],
  ["the second change of a period pushes out a setting", HISTORY, "if (self.newest.fromPeriod != fromPeriod)", "if (true)"],
  ["a setting counts after its first period only", HISTORY, "if (setting.fromPeriod > period) setting = self.middle", "if (setting.fromPeriod >= period) setting = self.middle"],
  ["power of the next period is overlooked", HISTORY, " || during(self, period + 1).power != 0", ""],
  ["power of this period is overlooked", HISTORY, " || during(self, period).power != 0", ""],
  ["the recipient of this period is overlooked", HISTORY, " || during(self, period).feeRecipient == account", ""],
  ["the recipient of the next period is overlooked", HISTORY, "\n            || during(self, period + 1).feeRecipient == account", ""],
  ["the recipient after that is overlooked", HISTORY, "self.newest.feeRecipient == account || ", ""],
  ["leaving breaks the list backwards", "Roster.sol", "        self.previousOf[successor] = predecessor;\n", ""],
  ["the set of a far period is answered", REGISTRY, " || period > current + CHANGE_DELAY_PERIODS", ""],
  ["the set of a past period is answered", REGISTRY, "period < current || ", ""],
  ["nobody proves the key", REGISTRY, ", proof) != id)", ", proof) == address(this))"],
  ["any form of signature will do", REGISTRY, " || uint8(proof[64]) > 1", ""],
  ["a longer proof will do", REGISTRY, "proof.length != 65 || ", "proof.length < 65 || "],
  ["a proof holds on every chain", REGISTRY, "block.chainid, ", "uint256(1), "],
  ["a proof holds for every operator", REGISTRY, "address(this), operator, networkKey", "address(this), networkKey"],
  ["keys may be longer", REGISTRY, "key.length != 64", "key.length < 64"],
  ["a key in use is taken again", REGISTRY, "        if (_validators[id].operator != address(0)) revert KeyInUse(id);\n", ""],
  ["a convicted key is taken again", REGISTRY, "        if (_validators[id].convictions != 0) revert KeyConvicted(id);\n", ""],
  ["convictions are forgotten with the stake", REGISTRY, "        if (convictions != 0) _validators[id].convictions = convictions;\n", ""],
  ["too little stake is enough", REGISTRY, "founder.stakeWei < stakeMinWei", "founder.stakeWei < stakeMinWei - 1"],
  ["power is cut to 64 bits", REGISTRY, "        if (power > type(uint64).max) revert PowerTooLarge(stakeWei);\n", ""],
  ["a set has one place more", REGISTRY, "remaining >= validatorsMax", "remaining > validatorsMax"],
  ["the kept one takes a place", REGISTRY, "_kept == address(0) ? _staying : _staying - 1", "_staying"],
  ["the kept one stays for ever", REGISTRY, "        _releaseKept();\n", ""],
  ["the kept one is forgotten", REGISTRY, "        _kept = id;\n", ""],
  ["the kept one may lose all power", REGISTRY, "Math.max(1, validator.stakeWei / powerUnitWei)", "validator.stakeWei / powerUnitWei"],
  ["the last one leaves when convicted", REGISTRY, "if (_staying == 1) _keep(id, validator);\n            else _leave", "_leave"],
  ["the last one leaves", REGISTRY, "        if (_staying == 1) revert LastValidator(id);\n", ""],
  ["the leaving receive stake", REGISTRY, "validator.leavesFrom != 0 || validator.convictions != 0", "validator.convictions != 0"],
  ["the convicted receive stake", REGISTRY, "validator.leavesFrom != 0 || validator.convictions != 0", "validator.leavesFrom != 0"],
  ["the leaving name recipients", REGISTRY, "_requireOperated(id);\n        if (validator.leavesFrom != 0) revert NotStaying(id);\n        uint32", "_requireOperated(id);\n        uint32"],
  ["anybody speaks for a validator", REGISTRY, "        if (validator.operator != msg.sender) revert NotOperator(id, msg.sender);\n", ""],
  ["a stake unlocks a block early", REGISTRY, "block.number < unlockBlock", "block.number + 1 < unlockBlock"],
  ["a stake unlocks a second early", REGISTRY, "block.timestamp < unlockTime)", "block.timestamp + 1 < unlockTime)"],
  ["blocks alone unlock", REGISTRY, " || block.timestamp < unlockTime)", ")"],
  ["unlocking does not wait for the end of power", REGISTRY, " || unlockTime == 0", ""],
  ["locks count from the request", REGISTRY, "uint256(leavesFrom) * periodBlocks", "(uint256(leavesFrom) - 2) * periodBlocks"],
  ["the first withdrawal forgets the period", REGISTRY, "if (departure.leaving == 0) delete", "delete"],
  ["periods are never forgotten", REGISTRY, "        if (departure.leaving == 0) delete _departures[leavesFrom];\n", ""],
  ["every period is remembered", REGISTRY, "departure.leaving != 0 && departure.startTime", "departure.startTime"],
  ["a second opening moves locks", REGISTRY, "departure.leaving != 0 && departure.startTime == 0", "departure.leaving != 0"],
  ["anybody opens periods", REGISTRY, "        if (msg.sender != Predeploys.SYSTEM) revert NotSystem(msg.sender);\n", ""],
  ["those who left are walked over for ever", REGISTRY, "            if (!_validators[id].history.hasPowerSoon(period)) _roster.remove(id);\n", ""],
  ["coming and going makes the list long", REGISTRY, "        if (!validator.history.hasPowerSoon(currentPeriod())) _roster.remove(id);\n", ""],
  ["anybody convicts", REGISTRY, "        if (msg.sender != Predeploys.EQUIVOCATION_DETECTOR) revert NotDetector(msg.sender);\n", ""],
  ["a height convicts again and again", REGISTRY, "        _isConvictedAt[id][height] = true;\n", ""],
  ["convictions are not counted", REGISTRY, "        validator.convictions += 1;\n", ""],
  ["the convicted keep their power", REGISTRY, "            else _leave(id, validator);\n", ""],
  ["the burned part comes short", REGISTRY, "slashedWei - rewardWei - insuranceWei;", "slashedWei / 2;"],
  ["what is not taken stays in the registry", REGISTRY, "|| !beneficiary.tryPay(rewardWei)) rewardWei = 0;", ") rewardWei = 0;\n        else beneficiary.tryPay(rewardWei);"],
  ["the reward is a third", REGISTRY, "REWARD_PERCENT = 30", "REWARD_PERCENT = 33"],
  ["the fund gets too little", REGISTRY, "INSURANCE_PERCENT = 20", "INSURANCE_PERCENT = 19"],
  ["a missing fund keeps its part in the registry", REGISTRY, "if (!Predeploys.INSURANCE_FUND.tryPay(insuranceWei)) insuranceWei = 0;", "Predeploys.INSURANCE_FUND.tryPay(insuranceWei);"],
  ["the operator is rewarded for its own offence", REGISTRY, " && beneficiary != offender.operator", ""],
  ["a recipient may burn all gas", "BoundedPayment.sol", "call(GAS, ", "call(gas(), "],
  ["a recipient may change the registry", REGISTRY, "setFeeRecipient(address id, address feeRecipient) external nonReentrant", "setFeeRecipient(address id, address feeRecipient) external"],
  ["everybody with power is skipped", REGISTRY, "validator.convictions != 0 && ", ""],
  ["the withdrawn can be convicted", REGISTRY, "_validators[id].stakeWei != 0 && ", ""],
  ["a genesis need not pay its stakes", REGISTRY, "        if (msg.value != stakesWei) revert StakesUnpaid(msg.value, stakesWei);\n", ""],
  ["periods of one block", "RegistryRules.sol", "rules.periodBlocks < 2", "rules.periodBlocks < 1"],
  ["129 validators", "RegistryRules.sol", "VALIDATORS_MAX = 128", "VALIDATORS_MAX = 129"],
  ["anybody reports", DETECTOR, "        if (msg.sender != Predeploys.SYSTEM) revert NotSystem(msg.sender);\n", ""],
  ["an offence counts twice", DETECTOR, "        if (_isReported[place]) return;\n", ""],
  ["steps are not told apart", DETECTOR, "height, round, step));", "height, round));"],
  ["rounds are not told apart", DETECTOR, "abi.encode(validator, height, round, step)", "abi.encode(validator, height, step)"],
  ["sources are not told apart", "InsuranceFund.sol", "received[msg.sender] += msg.value", "received[address(0)] += msg.value"],
];

/** The copy keeps what forge has compiled, so that a fault costs one compilation of what it touches. */
function prepare() {
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  for (const part of ["src", "tests", "foundry.toml", "solc.mjs", "package.json"]) {
    cpSync(join(here, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(here, "node_modules"), join(copy, "node_modules"));
}

/** The test that fails, nothing where all pass. */
function noticing([name, file, original, fault]) {
  const place = join(copy, "src", file);
  const source = readFileSync(place, "utf8");
  if (source.split(original).length !== 2) throw new Error(`${name}: what it replaces is not there exactly once`);
  writeFileSync(place, source.replace(original, () => fault));
  const run = spawnSync(join(copy, "node_modules", ".bin", "forge"), ["test", "--fail-fast"], {
    cwd: copy,
    env: { ...process.env, FOUNDRY_OUT: "out", FOUNDRY_CACHE_PATH: "cache" },
    encoding: "utf8",
  });
  writeFileSync(place, source);
  // A fault that does not compile proves nothing.
  if (!run.stdout.includes("Compiler run successful")) throw new Error(`${name}: ${run.stdout}${run.stderr}`);
  if (run.status === 0) return "";
  const failure = run.stdout.match(/\[FAIL[^]*?\b((?:test|invariant)_\w+|setUp)\(/);
  if (!failure) throw new Error(`${name}: ${run.stdout}${run.stderr}`);
  return failure[1];
}

/** What the table says of each mutant so far. */
function recorded() {
  const rows = existsSync(table) ? readFileSync(table, "utf8").matchAll(/^\| \d+ \| (.+) \| (.*) \|$/gm) : [];
  return new Map([...rows].map(([, name, test]) => [name, test]));
}

function record(noticed) {
  const rows = MUTANTS.map(([name], index) => `| ${index + 1} | ${name} | ${noticed.get(name) ?? "not run yet"} |`);
  const origin = "Written by `node contracts/mutants.mjs`: the test that notices each fault.";
  const head = ["# Mutants of the system contracts", "", origin, ""];
  writeFileSync(table, [...head, "| number | fault | noticed by |", "|---|---|---|", ...rows, ""].join("\n"));
}

const words = process.argv.slice(2);
const isChosen = /^\d+$/.test(words[0] ?? "")
  ? (_, index) => index + 1 >= Number(words[0])
  : ([name]) => words.length === 0 || words.some((word) => name.includes(word));
const chosen = MUTANTS.filter(isChosen);
const noticed = recorded();
let survivors = 0;
prepare();
for (const mutant of chosen) {
  const test = noticing(mutant);
  console.log(`${test ? "caught  " : "SURVIVED"} ${mutant[0]}`);
  survivors += test ? 0 : 1;
  noticed.set(mutant[0], test || "nobody");
  record(noticed);
}
rmSync(copy, { recursive: true, force: true });
console.log(`${chosen.length - survivors} passed, ${survivors} failed`);
process.exitCode = survivors === 0 ? 0 : 1;
