/** viem's filters and watchers: event filters it installs, polls and removes; watchers for events and blocks. */
import { deploy, mined, openSession } from "./session.mjs";

/** Collects what a watcher emits: `begun` resolves with the first item, `all` when `count` have come. */
function collect(count, watch) {
  const seen = [];
  let begin;
  const begun = new Promise((resolve) => (begin = resolve));
  const all = new Promise((resolve, reject) => {
    const stop = watch((items) => {
      seen.push(...items);
      begin(seen[0]);
      if (seen.length < count) return;
      stop();
      resolve(seen.slice(0, count));
    }, reject);
  });
  return { begun, all };
}

export default async function scenario({ url }) {
  const session = openSession(url);
  const { client, wallet } = session;
  const probe = await deploy(session, "Probe", 7n);
  const fromBlock = probe.receipt.blockNumber;
  const write = async (tag) =>
    mined(client, await wallet.writeContract({ ...probe, functionName: "set", args: [tag, tag * 10n, `note ${tag}`] }));
  const filter = await client.createContractEventFilter({ ...probe, eventName: "ValueChanged", args: { tag: [1n, 3n] } });
  const blockFilter = await client.createBlockFilter();
  const pendingFilter = await client.createPendingTransactionFilter();
  const watched = collect(3, (onLogs, onError) =>
    client.watchContractEvent({ ...probe, eventName: "ValueChanged", fromBlock, onLogs, onError }),
  );
  const options = { emitMissed: true, emitOnBegin: true };
  const blocks = collect(3, (onItems, onError) =>
    client.watchBlockNumber({ ...options, onBlockNumber: (number) => onItems([number]), onError }),
  );
  await blocks.begun;
  const installed = await client.getBlockNumber({ cacheTime: 0 });
  const receipts = [];
  for (const tag of [1n, 2n, 3n]) receipts.push(await write(tag));
  const changes = await client.getFilterChanges({ filter });
  const events = await client.getContractEvents({ ...probe, eventName: "ValueChanged", fromBlock, args: { tag: 2n } });
  return {
    installedAt: installed,
    changes: changes.map((log) => log.args.tag),
    again: (await client.getFilterChanges({ filter })).length,
    blockHashes: await client.getFilterChanges({ filter: blockFilter }),
    pendingHashes: await client.getFilterChanges({ filter: pendingFilter }),
    receipts: receipts.map((receipt) => ({ block: receipt.blockHash, transaction: receipt.transactionHash })),
    watched: (await watched.all).map((log) => log.args.value),
    blockNumbers: await blocks.all,
    events: events.map((log) => ({ note: log.args.note, number: log.blockNumber })),
    removed: await client.uninstallFilter({ filter }),
    removedAgain: await client.uninstallFilter({ filter }),
  };
}
