"""`pulse plugins`: the forecasters, stores and backends of installed packages, and whether they can be loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pulse_core.errors import SettingsError
from pulse_core.forecasters.registry import resolve
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.cli.output import run_command, show, write_csv, write_json
from pulse_entrypoints.settings.output import CSV, TABLE
from pulse_entrypoints.settings.plugins import PluginSettings
from pulse_entrypoints.wiring import composition
from pulse_entrypoints.wiring.entry_points import BACKENDS, FORECASTERS, GROUPS, STORAGES, STORES, Plugin, plugins

READY: Final = "ready"
_COLUMNS: Final = ("kind", "name", "package", "object", "state")


def list_plugins(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """List the plugins and return the exit status."""
    return run_command(command_line, environment, PluginSettings, _list)


def _list(layered: Layered[PluginSettings]) -> Ending:
    rows = [_row(plugin) for group in GROUPS for plugin in plugins(group).values()]
    if layered.settings.format == TABLE:
        show(_table(rows))
    elif layered.settings.format == CSV:
        write_csv(_COLUMNS, rows)
    else:
        write_json({"schema_version": 1, "plugins": rows})
    faulty = [f"{row['kind']} {row['name']}: {row['state']}" for row in rows if row["state"] != READY]
    return Ending(Exit.FAILED, "pulse: plugins that cannot be used", faulty) if faulty else Ending(Exit.DONE)


def _row(plugin: Plugin) -> dict[str, Any]:
    return {
        "kind": plugin.group.removeprefix("pulse.").removesuffix("s"),
        "name": plugin.name,
        "package": plugin.package,
        "object": plugin.target,
        "state": _state(plugin),
    }


def _state(plugin: Plugin) -> str:
    if _built_in(plugin):
        return "Pulse has one of this name, which goes first"
    try:
        plugin.load()
    except SettingsError as error:
        return error.message
    return READY


def _built_in(plugin: Plugin) -> bool:
    built_in = {
        STORES: composition.STORES.built_in,
        STORAGES: composition.STORAGES.built_in,
        BACKENDS: composition.BACKENDS,
    }
    if plugin.group in built_in:
        return plugin.name in built_in[plugin.group]
    try:
        resolve(["naive", plugin.name] if plugin.name != "naive" else ["naive"])
    except SettingsError:
        return False
    return plugin.group == FORECASTERS


def _table(rows: Sequence[Mapping[str, Any]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return f"No installed package adds to Pulse. The groups of entry points are {', '.join(GROUPS)}."
    grid = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in _COLUMNS[:-1]:
        grid.add_column(name, overflow="fold")
    grid.add_column(_COLUMNS[-1], no_wrap=True, overflow="ellipsis")
    for row in rows:
        state = READY if row["state"] == READY else "unusable"
        grid.add_row(*(Text(row[name]) for name in _COLUMNS[:-1]), state)
    return grid
