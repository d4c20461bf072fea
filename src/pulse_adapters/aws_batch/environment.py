"""The job that a container of AWS Batch is an attempt of, read and validated from the variables that Batch sets."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Final

import attrs

from pulse_core.errors import SettingsError

PREFIX: Final = "AWS_BATCH_"
CHILD_LIMIT: Final = 10_000

# the id of an array's child is `<id>:<index>`, that of a node `<id>#<index>`
_ID: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,127})(?:([:#])([0-9]{1,5}))?")
_WHOLE: Final = re.compile(r"[0-9]{1,9}")


@attrs.frozen
class ArrayChild:
    """A child of an array job: its index, from 0, among `size`."""

    index: int
    size: int


@attrs.frozen
class Node:
    """A node of a multi-node job. `main_address` is the main node's; on the main node Batch does not set it."""

    index: int
    count: int
    main: int
    main_address: str | None

    @property
    def is_main(self) -> bool:
        """Whether this is the main node, for which the other nodes work."""
        return self.index == self.main


@attrs.frozen(kw_only=True)
class BatchJob:
    """One attempt of a job. `name` is the id without index and node: the only form that may become a path or key."""

    id: str
    name: str
    attempt: int
    queue: str
    compute_environment: str
    child: ArrayChild | None = None
    node: Node | None = None


def batch_job(environment: Mapping[str, str]) -> BatchJob | None:
    """Return the job that this process is an attempt of; None outside of AWS Batch. Raises SettingsError."""
    variables = {name.removeprefix(PREFIX): value for name, value in environment.items() if name.startswith(PREFIX)}
    if "JOB_ID" not in variables:
        return None
    reader = _Reader(variables)
    job = reader.read()
    if job is None or reader.problems:
        raise SettingsError(reader.problems)
    return job


@attrs.define
class _Reader:
    variables: Mapping[str, str]
    problems: list[str] = attrs.field(factory=list)

    def read(self) -> BatchJob | None:
        identity = self.variables["JOB_ID"]
        match = _ID.fullmatch(identity)
        if match is None:
            self._refuse("JOB_ID", "the id of a job, such as 0a1b2c3d-…, with :<index> or #<node> where it has one")
            return None
        name, mark, index = match.groups()
        child, node = self._child(), self._node()
        self._compare(mark, index, {":": child.index if child else None, "#": node.index if node else None})
        return BatchJob(
            id=identity,
            name=name,
            attempt=self._attempt(),
            queue=self.variables.get("JQ_NAME", ""),
            compute_environment=self.variables.get("CE_NAME", ""),
            child=child,
            node=node,
        )

    def _attempt(self) -> int:
        attempt = self._number("JOB_ATTEMPT") if "JOB_ATTEMPT" in self.variables else 1
        if attempt == 0:
            self._refuse("JOB_ATTEMPT", "a whole number of at least 1")
        return attempt or 1

    def _child(self) -> ArrayChild | None:
        if "JOB_ARRAY_INDEX" not in self.variables:
            return None
        index, size = self._number("JOB_ARRAY_INDEX"), self._number("JOB_ARRAY_SIZE")
        if index is None or size is None:
            return None
        if not 1 <= size <= CHILD_LIMIT:
            self._refuse("JOB_ARRAY_SIZE", f"1 to {CHILD_LIMIT}")
        elif index >= size:
            self._refuse("JOB_ARRAY_INDEX", f"0 to {size - 1}, for the array has {size} children")
        return ArrayChild(index, size)

    def _node(self) -> Node | None:
        if "JOB_NODE_INDEX" not in self.variables:
            return None
        names = ("JOB_NODE_INDEX", "JOB_NUM_NODES", "JOB_MAIN_NODE_INDEX")
        index, count, main = (self._number(name) for name in names)
        if index is None or count is None or main is None:
            return None
        for name, value in ((names[0], index), (names[2], main)):
            if value >= count:
                self._refuse(name, f"0 to {count - 1}, for the job has {count} nodes")
        return Node(index, count, main, self._main_address(is_main=index == main))

    def _main_address(self, *, is_main: bool) -> str | None:
        name = "JOB_MAIN_NODE_PRIVATE_IPV4_ADDRESS"
        text = self.variables.get(name)
        if text is None and is_main:
            return None
        try:
            return str(ipaddress.IPv4Address(text or ""))
        except ValueError:
            self._refuse(name, "the main node's address, such as 10.0.0.12")
            return None

    def _compare(self, mark: str | None, index: str | None, indices: Mapping[str, int | None]) -> None:
        """Refuse an id whose index is not that of the other variables."""
        if mark is not None and not self.problems and indices[mark] != int(index or 0):
            name = {":": "JOB_ARRAY_INDEX", "#": "JOB_NODE_INDEX"}[mark]
            self._refuse(name, f"{int(index or 0)}, as in {PREFIX}JOB_ID {self.variables['JOB_ID']}")

    def _number(self, name: str) -> int | None:
        text = self.variables.get(name, "")
        if _WHOLE.fullmatch(text):
            return int(text)
        self._refuse(name, "a whole number")
        return None

    def _refuse(self, name: str, expected: str) -> None:
        value = f"got {self.variables[name]!r}" if name in self.variables else "it is not set"
        self.problems.append(f"{PREFIX}{name} in the environment: expected {expected}; {value}")
