/** What every ethers scenario starts from: a provider that does not cache, and a signer that holds its own key. */
import { ContractFactory, HDNodeWallet, JsonRpcProvider } from "ethers";

import { ACCOUNT_OF, DEV_MNEMONIC, artifact } from "../accounts.mjs";

const POLL_MS = 50;

export function openProvider(url) {
  const provider = new JsonRpcProvider(url, undefined, { cacheTimeout: -1 });
  provider.pollingInterval = POLL_MS;
  return provider;
}

export function localWallet(provider, index = ACCOUNT_OF.ethers) {
  return HDNodeWallet.fromPhrase(DEV_MNEMONIC, "", `m/44'/60'/0'/0/${index}`).connect(provider);
}

export async function deploy(signer, name, ...args) {
  const { abi, bytecode } = artifact(name);
  const contract = await new ContractFactory(abi, bytecode, signer).deploy(...args);
  await contract.waitForDeployment();
  return contract;
}
