/** The error classes viem makes of reverts, from reads, simulations and gas estimates. */
import { BaseError, ContractFunctionRevertedError, EstimateGasExecutionError, encodeFunctionData } from "viem";

import { deploy, openSession } from "./session.mjs";

async function revertOf(promise) {
  try {
    await promise;
  } catch (error) {
    const reverted = error.walk((cause) => cause instanceof ContractFunctionRevertedError);
    if (reverted instanceof ContractFunctionRevertedError) {
      return { name: reverted.data?.errorName ?? null, args: reverted.data?.args ?? null, reason: reverted.reason ?? null };
    }
    return { other: error.name, message: error.shortMessage };
  }
  return { other: "no failure" };
}

async function estimateFailure(promise) {
  try {
    await promise;
  } catch (error) {
    return {
      estimate: error instanceof EstimateGasExecutionError,
      cause: error instanceof BaseError ? error.cause?.name : null,
      reason: error.walk((cause) => typeof cause.code === "number")?.code ?? null,
    };
  }
  return { estimate: false };
}

export default async function scenario({ url }) {
  const session = openSession(url);
  const { client, account } = session;
  const probe = await deploy(session, "Probe", 7n);
  const read = (functionName, args = []) => revertOf(client.readContract({ ...probe, account, functionName, args }));
  const estimate = (functionName, args = []) =>
    estimateFailure(client.estimateGas({ account, to: probe.address, data: encodeFunctionData({ abi: probe.abi, functionName, args }) }));
  return {
    caller: account.address,
    reads: {
      reason: await read("revertWithReason"),
      error: await read("revertWithError", [77n]),
      division: await read("divide", [0n]),
      index: await read("pick", [3n]),
    },
    simulated: await revertOf(
      client.simulateContract({ ...probe, account, functionName: "setPaid", args: [1n], value: 0n }),
    ),
    estimates: { reason: await estimate("revertWithReason"), error: await estimate("revertWithError", [77n]) },
    poor: await revertOf(client.estimateGas({ account, to: probe.address, value: 10n ** 40n })),
  };
}
