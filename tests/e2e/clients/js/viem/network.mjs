/** One network through several nodes: sent to the first, read from all; what any of them showed stays. */
import { createPublicClient, http } from "viem";

import { UNUSED_ADDRESS } from "../accounts.mjs";
import { chain, mined, openSession } from "./session.mjs";

const BLOCKS_WATCHED = 4;
const TAGS = ["latest", "safe", "finalized"];

/** The blocks of the tags, asked for one after the other: none may lie below one that was shown before. */
async function tagged(client) {
  const blocks = [];
  for (const blockTag of TAGS) blocks.push(await client.getBlock({ blockTag }));
  return blocks;
}

export default async function scenario() {
  const urls = process.env.NODE_URLS.split(",");
  const clients = urls.map((url) => createPublicClient({ chain, transport: http(url), cacheTime: 0 }));
  const hash = await openSession(urls[0]).wallet.sendTransaction({ to: UNUSED_ADDRESS, value: 1n });
  const receipts = await Promise.all(clients.map((client) => mined(client, hash)));
  const tags = [];
  const shown = new Map();
  const until = (await clients[0].getBlockNumber()) + BigInt(BLOCKS_WATCHED);
  for (let lowest = 0n; lowest < until; ) {
    const seen = await Promise.all(clients.map(tagged));
    for (const blocks of seen) {
      tags.push(blocks.map((block) => block.number));
      for (const block of blocks) shown.set(block.hash, block.number);
    }
    lowest = seen.map(([latest]) => latest.number).reduce((one, other) => (one < other ? one : other));
  }
  const kept = [];
  for (const [known, blockNumber] of shown) {
    const again = await Promise.all(clients.map((client) => client.getBlock({ blockNumber })));
    kept.push({ hash: known, again: again.map((block) => block.hash) });
  }
  return {
    receipts: receipts.map(({ status, blockHash, transactionIndex }) => ({
      status: Number(status === "success"),
      blockHash,
      index: transactionIndex,
    })),
    tags,
    kept,
  };
}
