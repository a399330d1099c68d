/**
 * Runs one scenario of one client against a live node and prints what it saw as JSON on stdout.
 *
 *   NODE_URL=http://127.0.0.1:8545 node js/run.mjs ethers/deploy
 *
 * A scenario is a module whose default export takes { url } and resolves to an object of facts; the Python test
 * decides whether the facts are right. Big integers are printed as plain JSON numbers, which Python reads exactly.
 */
const [name] = process.argv.slice(2);
const url = process.env.NODE_URL;

const BIG = /"@big:(-?\d+)"/g;

function asJson(facts) {
  const text = JSON.stringify(facts, (_key, value) => (typeof value === "bigint" ? `@big:${value}` : value));
  return text.replace(BIG, "$1");
}

try {
  const { default: scenario } = await import(`./${name}.mjs`);
  process.stdout.write(asJson(await scenario({ url })));
  process.exit(0);
} catch (error) {
  process.stderr.write(`${name}: ${error.stack ?? error}\n`);
  process.exit(1);
}
