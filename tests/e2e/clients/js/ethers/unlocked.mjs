/** The node's own accounts: the node signs, the client only asks (eth_sendTransaction). */
import { parseEther } from "ethers";

import { ACCOUNT_OF, UNUSED_ADDRESS } from "../accounts.mjs";
import { deploy, openProvider } from "./session.mjs";

export default async function scenario({ url }) {
  const provider = openProvider(url);
  const signer = await provider.getSigner(ACCOUNT_OF.ethersUnlocked);
  const nonceBefore = await signer.getNonce();
  const before = await provider.getBalance(UNUSED_ADDRESS);
  const sent = await signer.sendTransaction({ to: UNUSED_ADDRESS, value: parseEther("1.5") });
  const receipt = await sent.wait();
  const probe = await deploy(signer, "Probe", 1n, { value: 1_000n });
  await (await probe.setPaid(9n, { value: 5n })).wait();
  return {
    from: receipt.from,
    signer: signer.address,
    status: receipt.status,
    gasUsed: receipt.gasUsed,
    received: (await provider.getBalance(UNUSED_ADDRESS)) - before,
    nonces: (await signer.getNonce()) - nonceBefore,
    probeBalance: await provider.getBalance(probe.target),
    probeValue: await probe.value(),
  };
}
