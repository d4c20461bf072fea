"""Hypothesis profiles: `default` for suites in memory, `server` (by decorator) for those against real servers."""

import signal

from hypothesis import HealthCheck, settings

from tests.servers.fixtures import fault_proxy, in_seaweedfs, moto_server, seaweedfs_server

__all__ = ["fault_proxy", "in_seaweedfs", "moto_server", "seaweedfs_server"]

settings.register_profile("default", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", parent=settings.get_profile("default"), max_examples=1000)
settings.load_profile("default")

# a shell lets what it starts in the background ignore Ctrl-C; so would the programs that tests interrupt
signal.signal(signal.SIGINT, signal.default_int_handler)
