/**
 * Compiles every contract of this folder with the pinned solc and writes one artifact each.
 *
 *   node compile.mjs           writes artifacts/NAME.json
 *   node compile.mjs --check   writes nothing; exit 1 and a list of names if an artifact is not what its source gives
 *
 * An artifact holds selectors, abi, creation code and deployed code. Metadata is left out of the bytecode, so equal sources
 * give equal artifacts wherever they are compiled.
 */
import { readdirSync, readFileSync, writeFileSync, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const clients = join(here, "..", "clients");
const solc = createRequire(join(clients, "package.json"))("solc");

/** The oldest fork that has every opcode the sources use: the artifacts run on each fork from there on. */
const EVM_VERSION = "shanghai";

function compileAll() {
  const names = readdirSync(here).filter((name) => name.endsWith(".sol"));
  const sources = Object.fromEntries(
    names.map((name) => [name, { content: readFileSync(join(here, name), "utf8") }]),
  );
  const input = {
    language: "Solidity",
    sources,
    settings: {
      evmVersion: EVM_VERSION,
      optimizer: { enabled: true, runs: 200 },
      metadata: { bytecodeHash: "none", appendCBOR: false },
      outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "evm.methodIdentifiers"] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const problems = output.errors ?? [];
  if (problems.length > 0) {
    throw new Error(problems.map((problem) => problem.formattedMessage).join("\n"));
  }
  return Object.entries(output.contracts).flatMap(([source, contracts]) =>
    Object.entries(contracts).map(([name, contract]) => [name, artifactOf(source, contract)]),
  );
}

function artifactOf(source, contract) {
  const artifact = {
    source,
    compiler: solc.version(),
    evmVersion: EVM_VERSION,
    methods: contract.evm.methodIdentifiers,
    abi: contract.abi,
    bytecode: "0x" + contract.evm.bytecode.object,
    deployedBytecode: "0x" + contract.evm.deployedBytecode.object,
  };
  return JSON.stringify(artifact, null, 1) + "\n";
}

const compiled = compileAll();
const stale = compiled.filter(([name, text]) => {
  const path = join(here, "artifacts", `${name}.json`);
  return !existsSync(path) || readFileSync(path, "utf8") !== text;
});
if (process.argv.includes("--check")) {
  if (stale.length > 0) {
    console.error(`stale artifacts: ${stale.map(([name]) => name).join(", ")}; run: node compile.mjs`);
    process.exit(1);
  }
} else {
  for (const [name, text] of stale) writeFileSync(join(here, "artifacts", `${name}.json`), text);
  console.log(`${compiled.length} contracts compiled, ${stale.length} artifacts written`);
}
