/** A creation on a branch that loses, as viem shows it: receipts, blocks, tags, filters, watchers, confirmations. */
import { getContractAddress } from "viem";

import { CONFIRMATIONS, LOGS_ONCE, TAGS, VALUE_WEI, begun, tellSeen, until } from "../reorganisation.mjs";
import { openSession } from "./session.mjs";

/** The receipt, or null where viem finds none. */
async function receiptOf(client, hash) {
  try {
    return await client.getTransactionReceipt({ hash });
  } catch (error) {
    if (error.name === "TransactionReceiptNotFoundError") return null;
    throw error;
  }
}

export default async function scenario({ url }) {
  await begun();
  const { client, wallet, account } = openSession(url);
  const nonce = await client.getTransactionCount({ address: account.address });
  const address = getContractAddress({ from: account.address, nonce: BigInt(nonce) });
  const logFilter = await client.createEventFilter({ address });
  const blockFilter = await client.createBlockFilter();
  const watched = [];
  client.watchBlocks({ emitMissed: true, onBlock: ({ number, hash }) => watched.push({ number, hash }) });
  const events = [];
  const heard = [];
  client.watchEvent({ address, onLogs: (logs) => heard.push(...logs.map((log) => log.blockHash)) });
  const blockHashes = [];
  const poll = async () => {
    blockHashes.push(...(await client.getFilterChanges({ filter: blockFilter })));
    const logs = await client.getFilterChanges({ filter: logFilter });
    events.push(...logs.map((log) => ({ removed: log.removed, block: log.blockHash })));
  };

  const hash = await wallet.sendTransaction({ data: LOGS_ONCE, value: VALUE_WEI });
  const lost = await until(() => receiptOf(client, hash));
  const lostBlock = await client.getBlock({ blockHash: lost.blockHash });
  const nonceAfter = await client.getTransactionCount({ address: account.address });
  await poll();
  tellSeen("viem");
  const confirmed = client.waitForTransactionReceipt({ hash, confirmations: CONFIRMATIONS });

  const tags = [];
  const finals = [];
  const receipts = new Set();
  const again = await until(async () => {
    const blocks = await Promise.all(TAGS.map((blockTag) => client.getBlock({ blockTag })));
    tags.push(blocks.map((block) => block.number));
    finals.push({ number: blocks[0].number, hash: blocks[0].hash });
    await poll();
    const receipt = await receiptOf(client, hash);
    receipts.add(receipt?.blockHash ?? null);
    const isFinal = receipt !== null && receipt.blockHash !== lost.blockHash && blocks[0].number >= receipt.blockNumber;
    return isFinal && watched.at(-1).number >= receipt.blockNumber && receipt;
  });

  const at = (blockNumber) => client.getTransactionCount({ address: account.address, blockNumber });
  const tagged = (blockTag) => client.getTransactionCount({ address: account.address, blockTag });
  const parent = again.blockNumber - 1n;
  const hashAt = async (blockNumber) => (await client.getBlock({ blockNumber })).hash;
  return {
    sent: { nonce, account: address },
    lost: { block: lost.blockHash, number: lost.blockNumber, byHash: lostBlock.number, nonceAfter },
    again: { block: again.blockHash, number: again.blockNumber, status: Number(again.status === "success") },
    confirmed: (await confirmed).blockHash,
    transaction: (await client.getTransaction({ hash })).blockHash,
    receipts: [...receipts],
    events,
    heard,
    watched,
    blockHashes,
    numbers: watched.map((block) => block.number),
    tags,
    finals: await Promise.all(finals.map(async (each) => ({ ...each, now: await hashAt(each.number) }))),
    lostByHash: (await client.getBlock({ blockHash: lost.blockHash })).hash,
    inItsPlace: await hashAt(lost.blockNumber),
    logs: (await client.getLogs({ address, fromBlock: 0n })).map((log) => log.blockHash),
    nonces: [await at(parent), await at(again.blockNumber), await tagged("finalized"), await tagged("pending")],
    balances: [
      await client.getBalance({ address, blockNumber: parent }),
      await client.getBalance({ address, blockNumber: again.blockNumber }),
      await client.getBalance({ address }),
    ],
  };
}
