/** Deploys a contract with a locally signed transaction, writes to it, reads it back and decodes its event. */
import { artifact } from "../accounts.mjs";
import { deploy, localWallet, openProvider } from "./session.mjs";

export default async function scenario({ url }) {
  const provider = openProvider(url);
  const wallet = localWallet(provider);
  const probe = await deploy(wallet, "Probe", 7n);
  const before = await probe.value();
  const sent = await probe.set(5n, 42n, "hello");
  const receipt = await sent.wait();
  const [event] = receipt.logs.map((log) => probe.interface.parseLog(log));
  return {
    codeMatches: (await provider.getCode(probe.target)) === artifact("Probe").deployedBytecode,
    deployedTo: probe.target,
    expectedAddress: probe.deploymentTransaction() && (await probe.deploymentTransaction().wait()).contractAddress,
    before,
    after: await probe.value(),
    entry: await probe.entries(5n),
    slotZero: BigInt(await provider.getStorage(probe.target, 0)),
    status: receipt.status,
    event: { name: event.name, by: event.args.by, tag: event.args.tag, value: event.args.value, note: event.args.note },
    sender: wallet.address,
    pastValue: await probe.value({ blockTag: receipt.blockNumber - 1 }),
  };
}
