/** Blocks with their transactions and receipts; header, transaction and receipt roots recomputed from what RPC says. */
import { createMPT } from "@ethereumjs/mpt";
import { hexToBytes, bytesToHex } from "@ethereumjs/util";
import { Transaction, concat, encodeRlp, keccak256, toBeArray } from "ethers";

import { UNUSED_ADDRESS } from "../accounts.mjs";
import { deploy, localWallet, openProvider } from "./session.mjs";

/** Header fields in the order of their RLP list; those of later forks come last and may be absent. */
const HEADER_FIELDS = [
  "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom", "difficulty",
  "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce", "baseFeePerGas", "withdrawalsRoot",
  "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash",
];
const QUANTITIES = new Set([
  "difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas",
]);

const quantity = (value) => toBeArray(BigInt(value));

function headerHash(block) {
  const present = HEADER_FIELDS.filter((field) => block[field] !== undefined && block[field] !== null);
  return keccak256(encodeRlp(present.map((f) => (QUANTITIES.has(f) ? quantity(block[f]) : block[f]))));
}

async function rootOf(encodedItems) {
  const trie = await createMPT();
  for (const [index, item] of encodedItems.entries()) {
    await trie.put(hexToBytes(encodeRlp(quantity(index))), hexToBytes(item));
  }
  return bytesToHex(trie.root());
}

function encodeReceipt(receipt) {
  const body = encodeRlp([
    quantity(receipt.status),
    quantity(receipt.cumulativeGasUsed),
    receipt.logsBloom,
    receipt.logs.map((log) => [log.address, log.topics, log.data]),
  ]);
  return Number(receipt.type) === 0 ? body : concat([toBeArray(BigInt(receipt.type)), body]);
}

async function checkBlock(provider, tag) {
  const raw = await provider.send("eth_getBlockByNumber", [tag, false]);
  const block = await provider.getBlock(raw.hash, true);
  const receipts = await provider.send("eth_getBlockReceipts", [raw.hash]);
  return {
    hash: raw.hash,
    headerHash: headerHash(raw),
    transactionsRoot: raw.transactionsRoot,
    computedTransactionsRoot: await rootOf(block.prefetchedTransactions.map((tx) => Transaction.from(tx).serialized)),
    receiptsRoot: raw.receiptsRoot,
    computedReceiptsRoot: await rootOf(receipts.map(encodeReceipt)),
    count: block.length,
    countMethod: Number(await provider.send("eth_getBlockTransactionCountByHash", [raw.hash])),
    uncles: Number(await provider.send("eth_getUncleCountByBlockHash", [raw.hash])),
    gasUsed: BigInt(raw.gasUsed),
    lastCumulative: receipts.length ? BigInt(receipts.at(-1).cumulativeGasUsed) : 0n,
    extraDataBytes: (raw.extraData.length - 2) / 2,
  };
}

export default async function scenario({ url }) {
  const provider = openProvider(url);
  const wallet = localWallet(provider);
  const probe = await deploy(wallet, "Probe", 7n);
  await (await probe.set(1n, 2n, "three")).wait();
  await (await wallet.sendTransaction({ to: UNUSED_ADDRESS, value: 1n, type: 0 })).wait();
  const head = await provider.getBlockNumber();
  const blocks = {};
  for (const number of [0, head - 2, head - 1, head]) {
    blocks[number] = await checkBlock(provider, "0x" + number.toString(16));
  }
  const byNumber = await provider.getBlock(head);
  const byHash = await provider.getBlock(byNumber.hash);
  return { head, blocks, sameByHash: byNumber.number === byHash.number, parent: byNumber.parentHash };
}
