/** Logs three ways: eth_getLogs with topics and ranges, installed filters that are polled, and a live listener. */
import { zeroPadValue, toBeHex } from "ethers";

import { deploy, localWallet, openProvider } from "./session.mjs";

const hex = (number) => "0x" + number.toString(16);

async function errorOf(promise) {
  return promise.then(() => null, (error) => error.error?.message ?? error.message);
}

export default async function scenario({ url }) {
  const provider = openProvider(url);
  const wallet = localWallet(provider);
  const probe = await deploy(wallet, "Probe", 7n);
  const other = await deploy(wallet, "Probe", 8n);
  const topic = probe.interface.getEvent("ValueChanged").topicHash;
  const fromBlock = await provider.getBlockNumber();
  const install = (method, ...params) => provider.send(method, params);
  const filters = {
    logs: await install("eth_newFilter", { address: probe.target, topics: [topic], fromBlock: hex(fromBlock) }),
    blocks: await install("eth_newBlockFilter"),
    pending: await install("eth_newPendingTransactionFilter"),
  };
  const heard = [];
  const listening = new Promise((resolve) => {
    probe.on("ValueChanged", (by, tag, value) => {
      heard.push({ tag, value });
      if (heard.length === 3) resolve();
    });
  });
  await provider.send("eth_blockNumber", []);
  const hashes = [];
  for (const tag of [1n, 2n, 3n]) {
    const receipt = await (await probe.set(tag, tag * 10n, `note ${tag}`)).wait();
    hashes.push({ transaction: receipt.hash, block: receipt.blockHash });
    await (await other.set(tag, tag, "other")).wait();
  }
  await listening;
  await probe.removeAllListeners();
  const changes = {};
  for (const [kind, id] of Object.entries(filters)) changes[kind] = await provider.send("eth_getFilterChanges", [id]);
  const again = await provider.send("eth_getFilterChanges", [filters.logs]);
  const allOfFilter = await provider.send("eth_getFilterLogs", [filters.logs]);
  const tagTopic = zeroPadValue(toBeHex(2n), 32);
  const count = async (filter) => (await provider.getLogs({ fromBlock, ...filter })).length;
  const queried = await probe.queryFilter(probe.filters.ValueChanged(null, [1n, 3n]), fromBlock);
  const both = [probe.target, other.target];
  return {
    hashes,
    heard,
    queried: queried.map((event) => ({ tag: event.args.tag, value: event.args.value, index: event.index })),
    counts: {
      address: await count({ address: probe.target }),
      addresses: await count({ address: both }),
      topic: await count({ address: both, topics: [topic] }),
      anyThenSender: await count({ address: both, topics: [null, zeroPadValue(wallet.address, 32)] }),
      alternatives: await count({ address: both, topics: [topic, null, [tagTopic, zeroPadValue(toBeHex(3n), 32)]] }),
      noMatch: await count({ address: both, topics: [tagTopic] }),
      oneBlock: (await provider.getLogs({ address: both, blockHash: hashes[0].block })).length,
    },
    changes: {
      logs: changes.logs.map((log) => log.transactionHash),
      blocks: changes.blocks,
      pendingHasAll: hashes.every(({ transaction }) => changes.pending.includes(transaction)),
    },
    again: again.length,
    allOfFilter: allOfFilter.length,
    uninstalled: await provider.send("eth_uninstallFilter", [filters.logs]),
    uninstalledAgain: await provider.send("eth_uninstallFilter", [filters.logs]),
    errorAfter: await errorOf(provider.send("eth_getFilterChanges", [filters.logs])),
  };
}
