/** Legacy, access list, fee market and set-code transactions: sent, mined, and read back as the very same bytes. */
import { Contract, Transaction, Wallet, parseEther } from "ethers";

import { UNUSED_ADDRESS, artifact } from "../accounts.mjs";
import { deploy, localWallet, openProvider } from "./session.mjs";

const DELEGATION_PREFIX = "0xef0100";

async function roundTrip(provider, sent) {
  const receipt = await sent.wait();
  const read = await provider.getTransaction(sent.hash);
  return {
    type: receipt.type,
    status: receipt.status,
    readType: read.type,
    sameHash: Transaction.from(read).hash === sent.hash,
    sender: read.from,
    hasBlock: read.blockHash === receipt.blockHash && read.index === receipt.index,
  };
}

async function setCode(provider, payer) {
  const batcher = await deploy(payer, "Batcher");
  const account = Wallet.createRandom().connect(provider);
  await (await payer.sendTransaction({ to: account.address, value: parseEther("1") })).wait();
  const authorization = await account.authorize({ address: batcher.target, nonce: 0 });
  const sent = await payer.sendTransaction({ to: account.address, authorizationList: [authorization] });
  const facts = await roundTrip(provider, sent);
  const asAccount = new Contract(account.address, artifact("Batcher").abi, account);
  const receiver = Wallet.createRandom().address;
  const calls = [1n, 2n, 3n].map((value) => ({ to: receiver, value, data: "0x" }));
  const batch = await (await asAccount.execute(calls)).wait();
  return {
    ...facts,
    delegated: (await provider.getCode(account.address)) === (DELEGATION_PREFIX + batcher.target.slice(2)).toLowerCase(),
    accountNonce: await provider.getTransactionCount(account.address),
    received: await provider.getBalance(receiver),
    batchEvents: batch.logs.map((log) => asAccount.interface.parseLog(log).name),
  };
}

export default async function scenario({ url }) {
  const provider = openProvider(url);
  const wallet = localWallet(provider);
  const transfer = { to: UNUSED_ADDRESS, value: 3n };
  const accessList = [{ address: UNUSED_ADDRESS, storageKeys: ["0x" + "00".repeat(31) + "01"] }];
  return {
    wallet: wallet.address,
    legacy: await roundTrip(provider, await wallet.sendTransaction({ ...transfer, type: 0 })),
    accessList: await roundTrip(provider, await wallet.sendTransaction({ ...transfer, type: 1, accessList })),
    feeMarket: await roundTrip(provider, await wallet.sendTransaction({ ...transfer, type: 2 })),
    setCode: await setCode(provider, wallet),
  };
}
