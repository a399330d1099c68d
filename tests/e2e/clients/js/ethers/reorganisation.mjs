/** A creation on a branch that loses, as ethers shows it: receipts, blocks, tags, events and confirmations. */
import { getCreateAddress } from "ethers";

import { CONFIRMATIONS, LOGS_ONCE, TAGS, VALUE_WEI, begun, tellSeen, until } from "../reorganisation.mjs";
import { localWallet, openProvider } from "./session.mjs";

export default async function scenario({ url }) {
  await begun();
  const provider = openProvider(url);
  const wallet = localWallet(provider);
  const nonce = await wallet.getNonce();
  const address = getCreateAddress({ from: wallet.address, nonce });
  const events = [];
  const heard = [];
  const numbers = [];
  // A listener hears of no removal: ethers makes another event of it. A filter of the same provider shows it.
  const filter = await provider.send("eth_newFilter", [{ address }]);
  const poll = async () => {
    const logs = await provider.send("eth_getFilterChanges", [filter]);
    events.push(...logs.map((log) => ({ removed: log.removed, block: log.blockHash })));
  };
  await provider.on({ address }, (log) => heard.push(log.blockHash));
  await provider.on("block", (number) => numbers.push(number));

  const sent = await wallet.sendTransaction({ data: LOGS_ONCE, value: VALUE_WEI });
  const lost = await provider.waitForTransaction(sent.hash);
  const lostBlock = await provider.getBlock(lost.blockHash);
  const before = { nonce: await provider.getTransactionCount(wallet.address, lost.blockHash) };
  await until(() => heard.length);
  await poll();
  tellSeen("ethers");
  const confirmed = sent.wait(CONFIRMATIONS);

  const tags = [];
  const finals = [];
  const receipts = new Set();
  const again = await until(async () => {
    const blocks = await Promise.all(TAGS.map((tag) => provider.getBlock(tag)));
    tags.push(blocks.map((block) => block.number));
    finals.push({ number: blocks[0].number, hash: blocks[0].hash });
    await poll();
    const receipt = await provider.getTransactionReceipt(sent.hash);
    receipts.add(receipt?.blockHash ?? null);
    const isFinal = receipt !== null && receipt.blockHash !== lost.blockHash && blocks[0].number >= receipt.blockNumber;
    return isFinal && heard.length >= 2 && numbers.at(-1) >= receipt.blockNumber && receipt;
  });

  const parent = again.blockNumber - 1;
  return {
    sent: { nonce, account: address },
    lost: { block: lost.blockHash, number: lost.blockNumber, byHash: lostBlock.number, nonceAfter: before.nonce },
    again: { block: again.blockHash, number: again.blockNumber, status: again.status },
    confirmed: (await confirmed).blockHash,
    transaction: (await provider.getTransaction(sent.hash)).blockHash,
    receipts: [...receipts],
    events,
    heard,
    numbers,
    tags,
    finals: await Promise.all(finals.map(async (each) => ({ ...each, now: (await provider.getBlock(each.number)).hash }))),
    lostByHash: (await provider.getBlock(lost.blockHash))?.hash ?? null,
    inItsPlace: (await provider.getBlock(lost.blockNumber)).hash,
    logs: (await provider.getLogs({ address, fromBlock: 0 })).map((log) => log.blockHash),
    nonces: [
      await provider.getTransactionCount(wallet.address, parent),
      await provider.getTransactionCount(wallet.address, again.blockNumber),
      await provider.getTransactionCount(wallet.address, "finalized"),
      await provider.getTransactionCount(wallet.address, "pending"),
    ],
    balances: [
      await provider.getBalance(address, parent),
      await provider.getBalance(address, again.blockNumber),
      await provider.getBalance(address),
    ],
  };
}
