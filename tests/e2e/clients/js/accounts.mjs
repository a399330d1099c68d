/** The well-known development accounts: everyone has these keys, and only development chains fund them. */
import { readFileSync } from "node:fs";

const MNEMONIC = "test test test test test test test test test test test junk";

/** One account a client, so that no client disturbs another's nonces. Index into the mnemonic's default path. */
export const ACCOUNT_OF = { ethers: 1, viem: 2, ethersUnlocked: 3, viemUnlocked: 4 };

export const DEV_MNEMONIC = MNEMONIC;

/** An address that no test ever touches. */
export const UNUSED_ADDRESS = "0x00000000000000000000000000000000c0ffee00";

export function artifact(name) {
  return JSON.parse(readFileSync(new URL(`../../contracts/artifacts/${name}.json`, import.meta.url), "utf8"));
}
