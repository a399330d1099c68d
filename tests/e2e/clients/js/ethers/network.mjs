/** One network through several nodes: sent to the first, read from all; what any of them showed stays. */
import { UNUSED_ADDRESS } from "../accounts.mjs";
import { localWallet, openProvider } from "./session.mjs";

const BLOCKS_WATCHED = 4;
const TAGS = ["latest", "safe", "finalized"];

/** The blocks of the tags, asked for one after the other: none may lie below one that was shown before. */
async function tagged(provider) {
  const blocks = [];
  for (const tag of TAGS) blocks.push(await provider.getBlock(tag));
  return blocks;
}

export default async function scenario() {
  const providers = process.env.NODE_URLS.split(",").map(openProvider);
  const sent = await localWallet(providers[0]).sendTransaction({ to: UNUSED_ADDRESS, value: 1n });
  const receipts = await Promise.all(providers.map((provider) => provider.waitForTransaction(sent.hash)));
  const tags = [];
  const shown = new Map();
  const until = (await providers[0].getBlockNumber()) + BLOCKS_WATCHED;
  for (let lowest = 0; lowest < until; ) {
    const seen = await Promise.all(providers.map(tagged));
    for (const blocks of seen) {
      tags.push(blocks.map((block) => block.number));
      for (const block of blocks) shown.set(block.hash, block.number);
    }
    lowest = Math.min(...seen.map(([latest]) => latest.number));
  }
  const kept = [];
  for (const [hash, number] of shown) {
    const again = await Promise.all(providers.map((provider) => provider.getBlock(number)));
    kept.push({ hash, again: again.map((block) => block.hash) });
  }
  return {
    receipts: receipts.map(({ status, blockHash, index }) => ({ status, blockHash, index })),
    tags,
    kept,
  };
}
