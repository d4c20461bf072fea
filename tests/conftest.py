"""Hypothesis profiles: `default`, `thorough`, and `mutation` for runs that only have to fail."""

import signal

from hypothesis import HealthCheck, Phase, settings

from tests.servers.fixtures import fault_proxy, in_seaweedfs, moto_server, seaweedfs_server

__all__ = ["fault_proxy", "in_seaweedfs", "moto_server", "seaweedfs_server"]

# the same examples in every run: what has passed goes on passing. `thorough` looks for others
settings.register_profile(
    "default", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.register_profile("thorough", parent=settings.get_profile("default"), max_examples=1000, derandomize=False)
settings.register_profile("mutation", parent=settings.get_profile("default"), phases=[Phase.explicit, Phase.generate])
settings.load_profile("default")

# a shell lets what it starts in the background ignore Ctrl-C; so would the programs that tests interrupt
signal.signal(signal.SIGINT, signal.default_int_handler)
# and nohup lets it ignore the end of its terminal
signal.signal(signal.SIGHUP, signal.SIG_DFL)
