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
from pulse_entrypoints.commands.train.command import TrainRequest, run_training
from pulse_entrypoints.wiring.backends import tls_of

LOST: Final = "the workers of this node ended with {}; the main node goes on with the others"


def main_node(request: TrainRequest, node: Node, mask: Masker) -> Ending:
    """Start the cluster, wait for the other nodes as long as the settings say, train, end the cluster."""
    settings: Any = request.settings
    machine = _machine(request, node)
    try:
        with ExitStack() as running:
            scheduler = running.enter_context(machine.scheduler(settings.node_port))
            running.enter_context(machine.at_work(scheduler.address, settings.node_wait_seconds))
            count = gathered(scheduler, node.count, settings.node_wait_seconds)
            with _Log(request, mask) as log:
                log_event = log.events.info if count == node.count else log.events.warning
                log_event("nodes_gathered", nodes=count, expected=node.count, scheduler=scheduler.address)
            backend = {"use_dask": True, "backend": "dask", "dask_scheduler_address": scheduler.address}
            return run_training(attrs.evolve(request, settings=attrs.evolve(settings, **backend)), mask)
    except PulseError as error:
        return failed(error, "pulse batch run")


def other_node(request: TrainRequest, node: Node, mask: Masker) -> Ending:
    """Work for the main node until it is done."""
    settings: Any = request.settings
    scheme = "tls" if tls_of(settings) else "tcp"
    scheduler = f"{scheme}://{node.main_address}:{settings.node_port}"
    with _Log(request, mask) as log, _machine(request, node).at_work(scheduler, settings.node_wait_seconds) as process:
        log.events.info("node_started", scheduler=scheduler)
        try:
            status = process.wait()
        except Interrupted as interruption:
            log.events.warning("node_interrupted", signal=name_of(interruption))
            return Ending(Exit.INTERRUPTED, f"pulse: node {node.index} was ended by {name_of(interruption)}")
        log.events.info("node_finished", status=status)
        return Ending(Exit.FAILED, LOST.format(status)) if status else Ending(Exit.DONE)


def _machine(request: TrainRequest, node: Node) -> Machine:
    settings: Any = request.settings
    workers = settings.max_workers or usable_cores()
    return Machine(node.index, settings.node_address or own_address(), workers, tls_of(settings))


class _Log:
    """The log of a node outside of the training."""

    def __init__(self, request: TrainRequest, mask: Masker) -> None:
        settings = request.settings
        self._log = open_log(settings.log_level, settings.log_format, settings.log_dir, mask, show_line)
        self._log.bind(run_id=request.run_id, **request.job)

    def __enter__(self) -> RunLog:
        return self._log

    def __exit__(self, *reason: object) -> None:
        self._log.close()
