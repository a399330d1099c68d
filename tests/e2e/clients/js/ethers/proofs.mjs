/** eth_getProof checked by @ethereumjs/mpt against the state root of the block it was asked for. */
import { decodeRlp, keccak256, toBeHex, zeroPadValue, concat } from "ethers";
import { createMPT, verifyMPTWithMerkleProof } from "@ethereumjs/mpt";
import { bytesToHex, hexToBytes } from "@ethereumjs/util";

import { deploy, localWallet, openProvider } from "./session.mjs";

const ABSENT_ADDRESS = "0x00000000000000000000000000000000deadbeef";

/** Root of a trie without entries: nothing to prove, and nodes differ in what they list as its proof. */
const EMPTY_ROOT = keccak256("0x80");

/** The value that `proof` proves for the hash of `key` under `root`: hex, or null if it proves absence. */
async function proven(root, key, proof) {
  if (root === EMPTY_ROOT) return null;
  const path = hexToBytes(keccak256(key));
  const value = await verifyMPTWithMerkleProof(await createMPT(), hexToBytes(root), path, proof.map(hexToBytes));
  return value === null ? null : bytesToHex(value);
}

async function proofOf(provider, address, slots, block) {
  const answer = await provider.send("eth_getProof", [address, slots, block.hash]);
  const account = await proven(block.stateRoot, address, answer.accountProof);
  const storage = [];
  for (const [index, entry] of answer.storageProof.entries()) {
    const value = await proven(answer.storageHash, slots[index], entry.proof);
    storage.push({ claimed: BigInt(entry.value), proven: value === null ? null : BigInt(decodeRlp(value)) });
  }
  const fields = account === null ? null : decodeRlp(account);
  const number = (hex) => (hex === "0x" ? 0n : BigInt(hex));
  return {
    claimed: { nonce: BigInt(answer.nonce), balance: BigInt(answer.balance), storageHash: answer.storageHash, codeHash: answer.codeHash },
    proven: fields && { nonce: number(fields[0]), balance: number(fields[1]), storageHash: fields[2], codeHash: fields[3] },
    storage,
  };
}

export default async function scenario({ url }) {
  const provider = openProvider(url);
  const wallet = localWallet(provider);
  const probe = await deploy(wallet, "Probe", 7n);
  await (await probe.set(4n, 99n, "proof")).wait();
  const block = await provider.send("eth_getBlockByNumber", ["latest", false]);
  await (await probe.set(4n, 100n, "later")).wait();
  const word = (number) => zeroPadValue(toBeHex(number), 32);
  const entrySlot = keccak256(concat([word(4n), word(1n)]));
  const slots = [word(0n), entrySlot, word(12345n)];
  const tampered = await proofOf(provider, probe.target, slots, { ...block, stateRoot: keccak256("0x01") }).then(
    () => "accepted",
    () => "refused",
  );
  return {
    contract: await proofOf(provider, probe.target, slots, block),
    codeHash: keccak256(await provider.getCode(probe.target)),
    wallet: await proofOf(provider, wallet.address, [word(0n)], block),
    walletBalance: await provider.getBalance(wallet.address, Number(block.number)),
    absent: await proofOf(provider, ABSENT_ADDRESS, [], block),
    tampered,
  };
}
