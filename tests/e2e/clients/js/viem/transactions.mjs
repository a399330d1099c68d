/** Every transaction type that viem signs or asks the node to sign, prepared by viem itself. */
import { keccak256, parseEther, serializeTransaction } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

import { ACCOUNT_OF, UNUSED_ADDRESS, artifact } from "../accounts.mjs";
import { chain, deploy, mined, openSession } from "./session.mjs";

function sameHash(transaction) {
  const { r, s, v, yParity, input, ...rest } = transaction;
  const fields = { ...rest, data: input };
  if (rest.type !== "legacy") delete fields.gasPrice;
  if (rest.type === "eip2930") fields.gasPrice = rest.gasPrice;
  const signature = rest.type === "legacy" ? { r, s, v } : { r, s, yParity };
  return keccak256(serializeTransaction(fields, signature)) === transaction.hash;
}

async function roundTrip(client, hash) {
  const receipt = await mined(client, hash);
  const transaction = await client.getTransaction({ hash });
  return { type: transaction.type, receiptType: receipt.type, status: receipt.status, sameHash: sameHash(transaction) };
}

async function delegate(session) {
  const { client, wallet } = session;
  const batcher = await deploy(session, "Batcher");
  const account = privateKeyToAccount(generatePrivateKey());
  await mined(client, await wallet.sendTransaction({ to: account.address, value: parseEther("1") }));
  const authorization = await wallet.signAuthorization({ account, contractAddress: batcher.address });
  const facts = await roundTrip(client, await wallet.sendTransaction({ to: account.address, authorizationList: [authorization] }));
  const receiver = privateKeyToAccount(generatePrivateKey()).address;
  const hash = await wallet.writeContract({
    account,
    address: account.address,
    abi: artifact("Batcher").abi,
    functionName: "execute",
    args: [[{ to: receiver, value: 8n, data: "0x" }, { to: receiver, value: 9n, data: "0x" }]],
  });
  await mined(client, hash);
  return {
    ...facts,
    delegatedTo: (await client.getDelegation({ address: account.address }))?.toLowerCase(),
    batcher: batcher.address.toLowerCase(),
    received: await client.getBalance({ address: receiver }),
  };
}

export default async function scenario({ url }) {
  const session = openSession(url);
  const { client, wallet, unlocked } = session;
  const accounts = await unlocked.getAddresses();
  const transfer = { to: UNUSED_ADDRESS, value: 3n };
  const accessList = [{ address: UNUSED_ADDRESS, storageKeys: ["0x" + "00".repeat(31) + "01"] }];
  const prepared = await wallet.prepareTransactionRequest(transfer);
  return {
    accounts: accounts.length,
    prepared: { type: prepared.type, gas: prepared.gas, chainId: prepared.chainId },
    legacy: await roundTrip(client, await wallet.sendTransaction({ ...transfer, type: "legacy" })),
    eip2930: await roundTrip(client, await wallet.sendTransaction({ ...transfer, type: "eip2930", accessList })),
    eip1559: await roundTrip(client, await wallet.sendTransaction({ ...transfer, type: "eip1559" })),
    unlocked: await roundTrip(
      client,
      await unlocked.sendTransaction({ ...transfer, account: accounts[ACCOUNT_OF.viemUnlocked], chain }),
    ),
    eip7702: await delegate(session),
  };
}
