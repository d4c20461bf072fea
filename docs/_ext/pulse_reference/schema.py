"""The reference of `result.json`, from its JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pulse_reference.markdown import plain, table

Schema = Mapping[str, Any]


def schema_page(schema: Schema) -> str:
    """Return the document's description, a section for it and for each definition that is an object, and the others."""
    definitions: Mapping[str, Schema] = schema.get("$defs", {})
    objects = {f"`{name}`": one for name, one in definitions.items() if _is_object(one)}
    values = [
        (f"`{name}`", _kind(one), plain(one.get("description", "")))
        for name, one in definitions.items()
        if not _is_object(one)
    ]
    sections = [_section(title, one) for title, one in {"The document": schema, **objects}.items()]
    return "\n\n".join([*sections, f"## Values\n\n{table(('name', 'value', 'meaning'), values)}"])


def _is_object(schema: Schema) -> bool:
    return "properties" in schema or isinstance(schema.get("additionalProperties"), Mapping)


def _section(title: str, schema: Schema) -> str:
    description = plain(schema.get("description", ""))
    rows = table(("key", "value", "meaning"), _rows(schema, ""))
    return "\n\n".join(part for part in (f"## {title}", description, rows) if part)


def _rows(schema: Schema, path: str) -> Iterator[tuple[str, str, str]]:
    """Yield a row a key, those of objects within under a path such as `units.planned`; `*` is any name."""
    required = schema.get("required", ())
    for name, one in schema.get("properties", {}).items():
        yield _row(f"{path}{name}", one, required=name in required)
        yield from _within(one, f"{path}{name}.")
    others = schema.get("additionalProperties")
    if isinstance(others, Mapping):
        yield _row(f"{path}*", others, required=True)
        yield from _within(others, f"{path}*.")


def _within(schema: Schema, path: str) -> Iterator[tuple[str, str, str]]:
    if _is_object(schema):
        yield from _rows(schema, path)


def _row(key: str, schema: Schema, *, required: bool) -> tuple[str, str, str]:
    optional = "" if required else "May be absent. "
    return f"`{key}`", _kind(schema), f"{optional}{plain(schema.get('description', ''))}".strip()


def _kind(schema: Schema) -> str:
    """Return what a value is, in a few words."""
    if "$ref" in schema:
        return f"`{schema['$ref'].rsplit('/', 1)[-1]}`"
    if "const" in schema:
        return f"always `{schema['const']}`"
    if "enum" in schema:
        return " or ".join("null" if one is None else f"`{one}`" for one in schema["enum"])
    if "oneOf" in schema:
        return " or ".join(_kind(one) for one in schema["oneOf"])
    return _typed(schema)


def _typed(schema: Schema) -> str:
    kinds = schema.get("type", "any value")
    kind = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if kind == "array":
        return f"array of {_kind(schema['items'])}"
    low, high = schema.get("minimum"), schema.get("maximum")
    if high is not None:
        return f"{kind}, {low} to {high}"
    return kind if low is None else f"{kind}, at least {low}"
