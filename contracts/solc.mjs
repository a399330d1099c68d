#!/usr/bin/env node
/**
 * The pinned solc of this folder behind the two calls that forge makes of a compiler on the command line:
 *
 *   solc.mjs --version
 *   solc.mjs --standard-json …     standard input to standard output
 *
 * Everything that compiles a contract here goes through this one compiler.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const solc = createRequire(import.meta.url)("solc");
const STANDARD_INPUT = 0;

if (process.argv.includes("--version")) {
  process.stdout.write(`solc, the solidity compiler\nVersion: ${solc.version()}\n`);
} else if (process.argv.includes("--standard-json")) {
  process.stdout.write(solc.compile(readFileSync(STANDARD_INPUT, "utf8")));
} else {
  process.stderr.write("solc.mjs answers --version and --standard-json\n");
  process.exitCode = 2;
}
