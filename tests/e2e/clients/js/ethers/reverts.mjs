/** Each kind of revert, as ethers decodes it from a call, from an estimate, and from a mined transaction. */
import { deploy, localWallet, openProvider } from "./session.mjs";

async function failureOf(promise) {
  try {
    await promise;
  } catch (error) {
    return {
      code: error.code,
      reason: error.reason ?? null,
      data: error.data ?? null,
      custom: error.revert ? { name: error.revert.name, args: [...error.revert.args] } : null,
      rpc: error.info?.error ?? null,
    };
  }
  return { code: "no failure" };
}

export default async function scenario({ url }) {
  const provider = openProvider(url);
  const wallet = localWallet(provider);
  const probe = await deploy(wallet, "Probe", 7n);
  const mined = await wallet.sendTransaction({
    to: probe.target,
    data: probe.interface.encodeFunctionData("revertWithReason"),
    gasLimit: 100_000n,
  });
  const head = await failureOf(mined.wait());
  const receipt = await provider.getTransactionReceipt(mined.hash);
  const failures = {
    reason: { call: await failureOf(probe.revertWithReason()), estimate: await failureOf(probe.revertWithReason.estimateGas()) },
    error: { call: await failureOf(probe.revertWithError(77n)), estimate: await failureOf(probe.revertWithError.estimateGas(77n)) },
    nothing: { call: await failureOf(probe.revertWithNothing()), estimate: await failureOf(probe.revertWithNothing.estimateGas()) },
    division: { call: await failureOf(probe.divide(0n)), estimate: await failureOf(probe.divide.estimateGas(0n)) },
    index: { call: await failureOf(probe.pick(3n)), estimate: await failureOf(probe.pick.estimateGas(3n)) },
  };
  return {
    failures,
    caller: wallet.address,
    mined: { code: head.code, status: receipt.status, gasUsed: receipt.gasUsed, logs: receipt.logs.length },
    poor: await failureOf(provider.estimateGas({ from: wallet.address, to: probe.target, value: 10n ** 40n })),
  };
}
