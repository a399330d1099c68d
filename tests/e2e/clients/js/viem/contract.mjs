/** viem's contract actions: deploy, simulate, write, read, decode events, multiple reads in one batch request. */
import { createPublicClient, getContract, http, parseEventLogs } from "viem";

import { chain, deploy, mined, openSession } from "./session.mjs";

export default async function scenario({ url }) {
  const session = openSession(url);
  const { client, wallet, account } = session;
  const probe = await deploy(session, "Probe", 7n);
  const contract = getContract({ ...probe, client: { public: client, wallet } });
  const simulated = await client.simulateContract({ ...probe, account, functionName: "set", args: [5n, 42n, "hello"] });
  const receipt = await mined(client, await wallet.writeContract(simulated.request));
  const [event] = parseEventLogs({ abi: probe.abi, logs: receipt.logs });
  const batching = createPublicClient({ chain, transport: http(url, { batch: true }) });
  const read = (functionName, args = []) => batching.readContract({ ...probe, functionName, args });
  const batched = await Promise.all([
    read("value"), read("entries", [5n]), read("entries", [6n]), batching.getChainId(), read("blockFacts"),
  ]);
  const overridden = await client.readContract({
    ...probe,
    functionName: "value",
    stateOverride: [{ address: probe.address, stateDiff: [{ slot: "0x" + "00".repeat(32), value: "0x" + "00".repeat(31) + "63" }] }],
  });
  return {
    chainId: await client.getChainId(),
    value: await contract.read.value(),
    event: { name: event.eventName, ...event.args },
    sender: account.address,
    status: receipt.status,
    batched: batched.slice(0, 4),
    facts: batched[4],
    head: await client.getBlockNumber(),
    overridden,
    transactionCount: await client.getTransactionCount({ address: account.address }),
    confirmations: await client.getTransactionConfirmations({ transactionReceipt: receipt }),
  };
}
