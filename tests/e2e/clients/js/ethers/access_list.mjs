/** eth_createAccessList names the slots a call touches; sending with the list costs exactly what it said. */
import { deploy, localWallet, openProvider } from "./session.mjs";

export default async function scenario({ url }) {
  const provider = openProvider(url);
  const wallet = localWallet(provider);
  const probe = await deploy(wallet, "Probe", 7n);
  const request = { from: wallet.address, to: probe.target, data: probe.interface.encodeFunctionData("set", [4n, 5n, "x"]) };
  const created = await provider.send("eth_createAccessList", [request, "latest"]);
  const sent = await wallet.sendTransaction({ ...request, type: 1, accessList: created.accessList, gasLimit: 200_000n });
  const receipt = await sent.wait();
  return {
    probe: probe.target,
    list: created.accessList,
    error: created.error ?? null,
    promisedGas: BigInt(created.gasUsed),
    gasUsed: receipt.gasUsed,
  };
}
