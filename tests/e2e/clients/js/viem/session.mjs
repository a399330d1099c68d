/** What every viem scenario starts from: public and wallet clients on the development chain, polling fast. */
import { createPublicClient, createWalletClient, defineChain, http } from "viem";
import { mnemonicToAccount } from "viem/accounts";

import { ACCOUNT_OF, DEV_MNEMONIC, artifact } from "../accounts.mjs";

const POLL_MS = 50;

export const chain = defineChain({
  id: 31337,
  name: "Development",
  nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
  rpcUrls: { default: { http: [] } },
});

export function openSession(url) {
  const shared = { chain, transport: http(url), pollingInterval: POLL_MS, cacheTime: 0 };
  const account = mnemonicToAccount(DEV_MNEMONIC, { addressIndex: ACCOUNT_OF.viem });
  return {
    account,
    client: createPublicClient(shared),
    wallet: createWalletClient({ ...shared, account }),
    unlocked: createWalletClient(shared),
  };
}

/** Deploys an artifact and returns { address, abi, receipt }. */
export async function deploy({ client, wallet }, name, ...args) {
  const { abi, bytecode } = artifact(name);
  const receipt = await mined(client, await wallet.deployContract({ abi, bytecode, args }));
  return { address: receipt.contractAddress, abi, receipt };
}

export function mined(client, hash) {
  return client.waitForTransactionReceipt({ hash });
}
