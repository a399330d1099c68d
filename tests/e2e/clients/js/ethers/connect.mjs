/** The first minute of every dapp: network, head, balances, accounts, nonces. */
import { UNUSED_ADDRESS } from "../accounts.mjs";
import { localWallet, openProvider } from "./session.mjs";

export default async function scenario({ url }) {
  const provider = openProvider(url);
  const network = await provider.getNetwork();
  const accounts = await provider.send("eth_accounts", []);
  const wallet = localWallet(provider);
  const head = await provider.getBlockNumber();
  return {
    chainId: network.chainId,
    netVersion: await provider.send("net_version", []),
    clientVersion: await provider.send("web3_clientVersion", []),
    keccakOfEmpty: await provider.send("web3_sha3", ["0x"]),
    syncing: await provider.send("eth_syncing", []),
    head,
    accounts,
    localAddress: wallet.address,
    balance: await provider.getBalance(wallet.address),
    unusedBalance: await provider.getBalance(UNUSED_ADDRESS),
    unusedNonce: await provider.getTransactionCount(UNUSED_ADDRESS),
    unusedCode: await provider.getCode(UNUSED_ADDRESS),
    genesisBalance: await provider.getBalance(accounts[9], 0),
    finalizedNumber: (await provider.getBlock("finalized")).number,
    safeNumber: (await provider.getBlock("safe")).number,
    earliestNumber: (await provider.getBlock("earliest")).number,
    absentBlock: await provider.getBlock(head + 1_000_000),
  };
}
