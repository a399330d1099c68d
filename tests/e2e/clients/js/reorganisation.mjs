/** What a reorganisation's scenarios share: when to begin, and saying that the branch that will lose was seen. */
import { existsSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** Creation code that logs nothing, once, and leaves an account without code. */
export const LOGS_ONCE = "0x60006000a0";
/** What the creation carries: the account that it leaves tells by its balance whether the creation happened. */
export const VALUE_WEI = 5n;
/** More blocks than the branch that loses gets, fewer than would make a test long. */
export const CONFIRMATIONS = 6;
export const TAGS = ["finalized", "safe", "latest"];

const POLL_MS = 50;
const folder = process.env.STAGE;

/** Resolves when the test has put the file `begin` where both look. */
export async function begun() {
  while (!existsSync(`${folder}/begin`)) await pause(POLL_MS);
}

/** Tells the test that this client has its receipt. */
export function tellSeen(client) {
  writeFileSync(`${folder}/${client}`, "");
}

/** Looks again and again until `look` resolves to something. */
export async function until(look) {
  for (;;) {
    const found = await look();
    if (found) return found;
    await pause(POLL_MS);
  }
}
