"""Multi-node jobs: the main node runs the scheduler and the training, and every node works for it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, Final

import attrs

from pulse_adapters.aws_batch.environment import Node
from pulse_adapters.backends.dask.nodes import Machine, gathered, own_address
from pulse_adapters.backends.host.cores import usable_cores
from pulse_core.errors import PulseError
from pulse_entrypoints.cli.exits import Ending, Exit, failed
from pulse_entrypoints.cli.logging import RunLog, open_log
from pulse_entrypoints.cli.masking import Masker
from pulse_entrypoints.cli.progress import show_line
from pulse_entrypoints.cli.signals import Interrupted, name_of
from pulse_entrypoints.commands.train.command import Order, carry_out
from pulse_entrypoints.wiring.backends import tls_of

LOST: Final = "the workers of this node ended with {}; the main node goes on with the others"


def main_node(order: Order, node: Node, mask: Masker) -> Ending:
    """Start the cluster, wait for the other nodes as long as the settings say, train, end the cluster."""
    settings: Any = order.settings
    machine = _machine(order, node)
    try:
        with ExitStack() as running:
            scheduler = running.enter_context(machine.scheduler(settings.node_port))
            running.enter_context(machine.at_work(scheduler.address, settings.node_wait_seconds))
            there = gathered(scheduler, node.count, settings.node_wait_seconds)
            with _Log(order, mask) as log:
                tell = log.events.info if there == node.count else log.events.warning
                tell("nodes_gathered", nodes=there, expected=node.count, scheduler=scheduler.address)
            how = {"use_dask": True, "backend": "dask", "dask_scheduler_address": scheduler.address}
            return carry_out(attrs.evolve(order, settings=attrs.evolve(settings, **how)), mask)
    except PulseError as error:
        return failed(error, "pulse batch run")


def other_node(order: Order, node: Node, mask: Masker) -> Ending:
    """Work for the main node until it is done."""
    settings: Any = order.settings
    scheme = "tls" if tls_of(settings) else "tcp"
    scheduler = f"{scheme}://{node.main_address}:{settings.node_port}"
    with _Log(order, mask) as log, _machine(order, node).at_work(scheduler, settings.node_wait_seconds) as process:
        log.events.info("node_started", scheduler=scheduler)
        try:
            status = process.wait()
        except Interrupted as interruption:
            log.events.warning("node_interrupted", signal=name_of(interruption))
            return Ending(Exit.INTERRUPTED, f"pulse: node {node.index} was ended by {name_of(interruption)}")
        log.events.info("node_finished", status=status)
        return Ending(Exit.FAILED, LOST.format(status)) if status else Ending(Exit.DONE)


def _machine(order: Order, node: Node) -> Machine:
    settings: Any = order.settings
    workers = settings.max_workers or usable_cores()
    return Machine(node.index, settings.node_address or own_address(), workers, tls_of(settings))


class _Log:
    """The log of what comes before and beside the training."""

    def __init__(self, order: Order, mask: Masker) -> None:
        settings = order.settings
        self._log = open_log(settings.log_level, settings.log_format, settings.log_dir, mask, show_line)
        self._log.bind(run_id=order.run_id, **order.job)

    def __enter__(self) -> RunLog:
        return self._log

    def __exit__(self, *reason: object) -> None:
        self._log.close()
