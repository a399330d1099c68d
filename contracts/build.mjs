/**
 * Compiles the system contracts and writes what the Python package ships of them.
 *
 *   node build.mjs           writes artifacts/NAME.json and creation_code.py of src/coc/contracts
 *   node build.mjs --check   writes nothing; exit 1 and a list of files that are not what the sources give
 *
 * Compiler, optimizer and fork are fixed below, and metadata is left out of the bytecode: equal sources give equal
 * files, byte for byte, wherever they are compiled. foundry.toml repeats the settings for the tests.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "..", "src", "coc", "contracts");
const solc = createRequire(import.meta.url)("solc");

const CONTRACTS = ["ValidatorRegistry", "EquivocationDetector", "InsuranceFund"];

/** Prague is the first fork of every chain of ours. */
const SETTINGS = {
  evmVersion: "prague",
  optimizer: { enabled: true, runs: 200 },
  metadata: { bytecodeHash: "none", appendCBOR: false },
};
const OUTPUTS = ["abi", "metadata", "evm.bytecode.object", "evm.deployedBytecode", "evm.methodIdentifiers"];
/** Warnings with a reason: 2394 is about transient storage in general, which we use through OpenZeppelin's guard only. */
const EXPECTED_WARNINGS = new Set(["2394"]);
const HEX_DIGITS_A_LINE = 100;

const sourceText = (name) => readFileSync(join(here, name.startsWith("@") ? `node_modules/${name}` : name), "utf8");

function compileAll() {
  const sources = CONTRACTS.map((name) => `src/${name}.sol`);
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(sources.map((name) => [name, { content: sourceText(name) }])),
    settings: { ...SETTINGS, outputSelection: { "*": { "*": OUTPUTS, "": ["ast"] } } },
  };
  const output = JSON.parse(
    solc.compile(JSON.stringify(input), { import: (name) => ({ contents: sourceText(name) }) }),
  );
  const problems = (output.errors ?? []).filter((problem) => !EXPECTED_WARNINGS.has(problem.errorCode));
  if (problems.length > 0) {
    throw new Error(problems.map((problem) => problem.formattedMessage).join("\n"));
  }
  const names = variableNames(Object.values(output.sources).map((source) => source.ast));
  return CONTRACTS.map((name) => artifactOf(name, output.contracts[`src/${name}.sol`][name], names));
}

/** Names of all state variables by the compiler's number for them. */
function variableNames(trees) {
  const names = new Map();
  const visit = (node) => {
    if (node.nodeType === "VariableDeclaration") names.set(String(node.id), node.name);
    for (const child of node.nodes ?? []) visit(child);
  };
  trees.forEach(visit);
  return names;
}

/** Where the constructor writes each immutable into the code: the compiler's numbers change, names do not. */
function immutablesOf(contract, names) {
  const places = Object.entries(contract.evm.deployedBytecode.immutableReferences ?? {});
  const named = places.map(([number, references]) => [names.get(number), references]);
  return Object.fromEntries(named.sort(([left], [right]) => (left < right ? -1 : 1)));
}

function artifactOf(name, contract, names) {
  const sources = Object.keys(JSON.parse(contract.metadata).sources).sort();
  return {
    name,
    compiler: solc.version(),
    settings: SETTINGS,
    sources: Object.fromEntries(
      sources.map((source) => [source, `sha256:${createHash("sha256").update(sourceText(source)).digest("hex")}`]),
    ),
    methods: contract.evm.methodIdentifiers,
    abi: contract.abi,
    bytecode: `0x${contract.evm.bytecode.object}`,
    deployedBytecode: `0x${contract.evm.deployedBytecode.object}`,
    immutableReferences: immutablesOf(contract, names),
  };
}

/** The creation codes as a Python module: what decides may compute, but not read files. */
function pythonModule(artifacts) {
  const constants = artifacts.map(({ name, bytecode }) => {
    const lines = bytecode.slice(2).match(new RegExp(`.{1,${HEX_DIGITS_A_LINE}}`, "g"));
    const constant = name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
    return `${constant}: Final = bytes.fromhex(\n${lines.map((line) => `    "${line}"\n`).join("")})`;
  });
  return [
    `"""Creation codes of the system contracts, written by \`make contracts\` from their sources."""`,
    "from __future__ import annotations",
    "from typing import Final",
    `${constants.join("\n")}\n`,
  ].join("\n\n");
}

const artifacts = compileAll();
const files = [
  ...artifacts.map((artifact) => [`artifacts/${artifact.name}.json`, `${JSON.stringify(artifact, null, 1)}\n`]),
  ["creation_code.py", pythonModule(artifacts)],
].map(([name, text]) => [join(target, name), text]);
const stale = files.filter(([path, text]) => !existsSync(path) || readFileSync(path, "utf8") !== text);

if (process.argv.includes("--check")) {
  if (stale.length > 0) {
    const names = stale.map(([path]) => relative(join(here, ".."), path));
    console.error(`not what contracts/src compiles to: ${names.join(", ")}; run: make contracts`);
    process.exit(1);
  }
  console.log(`${files.length} files are what contracts/src compiles to`);
} else {
  mkdirSync(join(target, "artifacts"), { recursive: true });
  for (const [path, text] of stale) writeFileSync(path, text);
  console.log(`${artifacts.length} contracts compiled, ${stale.length} files written`);
}
