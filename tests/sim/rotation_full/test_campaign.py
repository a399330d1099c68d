"""Runs of whole nodes that take turns, by seed: they hold, they go on after faults, and a seed is a run."""

from __future__ import annotations

from coc.primitives.keccak import keccak256
from coc.sim.rotation_full.campaign import run_network
from coc.sim.rotation_full.network import Network
from coc.sim.rotation_full.plan import FINAL_DEPTH_BLOCKS, calm_plan


def test_four_nodes_without_faults_fill_every_slot_and_include_what_a_client_sent() -> None:  # ROT-2, ROT-7
    network = Network(calm_plan(1, slots=20), FINAL_DEPTH_BLOCKS)
    sent: list[bytes] = []
    network.world.after(3_000, lambda: sent.append(network.send_transfer() or b""))

    outcome = run_network(network)

    assert outcome.reorganisations == 0
    assert outcome.height >= 20
    assert outcome.height - outcome.final == FINAL_DEPTH_BLOCKS
    taken = [node.chain.find_transaction(keccak256(sent[0])) for node in network.nodes]
    assert None not in taken
    assert len(set(taken)) == 1
