/** viem's readers: blocks with transactions, fee history and estimates, access lists, proofs, storage, code. */
import { keccak256, encodeFunctionData } from "viem";

import { UNUSED_ADDRESS, artifact } from "../accounts.mjs";
import { deploy, mined, openSession } from "./session.mjs";

export default async function scenario({ url }) {
  const session = openSession(url);
  const { client, wallet, account } = session;
  const probe = await deploy(session, "Probe", 7n);
  const sent = await mined(client, await wallet.sendTransaction({ to: UNUSED_ADDRESS, value: 1n }));
  const block = await client.getBlock({ blockHash: sent.blockHash, includeTransactions: true });
  const history = await client.getFeeHistory({ blockCount: 2, rewardPercentiles: [25, 75] });
  const fees = await client.estimateFeesPerGas();
  const created = await client.createAccessList({
    account,
    to: probe.address,
    data: encodeFunctionData({ abi: probe.abi, functionName: "set", args: [1n, 2n, "x"] }),
  });
  const slot = "0x" + "00".repeat(32);
  const proof = await client.getProof({ address: probe.address, storageKeys: [slot] });
  const tagged = {};
  for (const blockTag of ["earliest", "finalized", "safe", "latest"]) {
    tagged[blockTag] = (await client.getBlock({ blockTag })).number;
  }
  const ofAccount = { address: account.address };
  const code = await client.getCode({ address: probe.address });
  return {
    block: {
      number: block.number,
      hasTransaction: block.transactions.some((transaction) => transaction.hash === sent.transactionHash),
      fullTransactions: block.transactions.every((transaction) => transaction.blockHash === block.hash),
      count: await client.getBlockTransactionCount({ blockHash: block.hash }),
      transactions: block.transactions.length,
    },
    byIndex: (await client.getTransaction({ blockHash: block.hash, index: sent.transactionIndex })).hash === sent.transactionHash,
    history: { baseFees: history.baseFeePerGas.length, rewards: history.reward?.map((row) => row.length) },
    fees: { max: fees.maxFeePerGas, tip: fees.maxPriorityFeePerGas, gasPrice: await client.getGasPrice() },
    headBaseFee: block.baseFeePerGas,
    accessList: created.accessList.map((entry) => ({ address: entry.address, slots: entry.storageKeys.length })),
    proof: { value: proof.storageProof[0].value, codeHash: proof.codeHash, nodes: proof.accountProof.length },
    codeHash: keccak256(code),
    codeMatches: code === artifact("Probe").deployedBytecode,
    storage: await client.getStorageAt({ address: probe.address, slot }),
    probe: probe.address,
    tagged,
    pendingBlock: await client.getBlock({ blockTag: "pending" }).then((found) => found.number, (error) => error.name),
    pendingState: {
      nonce: await client.getTransactionCount({ ...ofAccount, blockTag: "pending" }),
      balance: await client.getBalance({ ...ofAccount, blockTag: "pending" }),
      value: await client.readContract({ ...probe, functionName: "value", blockTag: "pending" }),
    },
    latestState: {
      nonce: await client.getTransactionCount({ ...ofAccount, blockTag: "latest" }),
      balance: await client.getBalance({ ...ofAccount, blockTag: "latest" }),
      value: await client.readContract({ ...probe, functionName: "value", blockTag: "latest" }),
    },
    missing: await client.getTransactionReceipt({ hash: "0x" + "11".repeat(32) }).catch((error) => error.name),
  };
}
