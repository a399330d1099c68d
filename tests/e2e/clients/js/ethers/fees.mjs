/** Fee data, fee history and estimates; and that what they promise is what a block then charges. */
import { UNUSED_ADDRESS } from "../accounts.mjs";
import { localWallet, openProvider } from "./session.mjs";

export default async function scenario({ url }) {
  const provider = openProvider(url);
  const wallet = localWallet(provider);
  for (let i = 0; i < 3; i++) await (await wallet.sendTransaction({ to: UNUSED_ADDRESS, value: 1n })).wait();
  const fees = await provider.getFeeData();
  const history = await provider.send("eth_feeHistory", ["0x3", "latest", [10, 50, 90]]);
  const balanceBefore = await provider.getBalance(wallet.address);
  const noncesBefore = [
    await provider.getTransactionCount(wallet.address, "latest"),
    await provider.getTransactionCount(wallet.address, "pending"),
  ];
  const receipt = await (await wallet.sendTransaction({ to: UNUSED_ADDRESS, value: 5n })).wait();
  const block = await provider.getBlock(receipt.blockNumber);
  const parent = await provider.getBlock(receipt.blockNumber - 1);
  return {
    fees: { gasPrice: fees.gasPrice, maxFee: fees.maxFeePerGas, tip: fees.maxPriorityFeePerGas },
    tipMethod: BigInt(await provider.send("eth_maxPriorityFeePerGas", [])),
    blobBaseFee: BigInt(await provider.send("eth_blobBaseFee", [])),
    history: {
      oldest: Number(history.oldestBlock),
      baseFees: history.baseFeePerGas.map(BigInt),
      ratios: history.gasUsedRatio,
      rewards: history.reward.map((row) => row.map(BigInt)),
    },
    headWhenAsked: receipt.blockNumber - 1,
    parent: { baseFee: parent.baseFeePerGas, gasUsed: parent.gasUsed, gasLimit: parent.gasLimit },
    block: { baseFee: block.baseFeePerGas, gasUsed: block.gasUsed },
    spent: balanceBefore - (await provider.getBalance(wallet.address)),
    charged: receipt.gasUsed * receipt.gasPrice + 5n,
    transferEstimate: await provider.estimateGas({ from: wallet.address, to: UNUSED_ADDRESS, value: 1n }),
    noncesBefore,
    noncesAfter: [
      await provider.getTransactionCount(wallet.address, "latest"),
      await provider.getTransactionCount(wallet.address, "pending"),
    ],
  };
}
