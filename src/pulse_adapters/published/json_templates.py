"""JSON templates: a template with placeholders is made once for many values that are alike, and filled for each.

That takes a third of the time in which dictionaries of as many numbers are built, encoded and indented.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import attrs
import msgspec

PLACEHOLDER: Final = msgspec.Raw(rb'"\/"')
"""Stands in a value for JSON that is inserted later.

JSON allows this spelling of a slash, but msgspec never writes it: no name is mistaken for a placeholder.
"""

_INDENT: Final = 2
_ENCODER: Final = msgspec.json.Encoder()


@attrs.frozen
class Template:
    """JSON with placeholders."""

    pieces: tuple[bytes, ...]
    """The JSON before the first placeholder, between any two, and after the last."""

    @classmethod
    def of(cls, value: Any, *, level: int, indented: bool) -> Template:
        """Return the template of a value with placeholders, for this level of a document."""
        content = _ENCODER.encode(value)
        if indented:
            # every line break is layout: those in names and texts are escaped
            content = msgspec.json.format(content, indent=_INDENT).replace(b"\n", b"\n" + b" " * (_INDENT * level))
        return cls(tuple(content.split(bytes(PLACEHOLDER))))

    def with_templates(self, templates: Iterable[Template]) -> Template:
        """Return the template with templates at its placeholders; their placeholders are those of the result."""
        pieces = [self.pieces[0]]
        for inner, after in zip(templates, self.pieces[1:], strict=True):
            pieces[-1] += inner.pieces[0]
            pieces += inner.pieces[1:]
            pieces[-1] += after
        return Template(tuple(pieces))

    def with_parts(self, parts: Iterable[Iterable[bytes]]) -> Iterator[bytes]:
        """Yield the document piece by piece; the JSON for each placeholder comes in parts."""
        yield self.pieces[0]
        for inner, after in zip(parts, self.pieces[1:], strict=True):
            yield from inner
            yield after

    def with_values(self, values: Sequence[float | bool]) -> bytes:
        """Return the document with values at the placeholders, as msgspec writes them."""
        parts = [b""] * (2 * len(self.pieces))
        parts[0::2] = self.pieces
        # every encoded value ends its line; the last line is empty and follows the last piece
        parts[1::2] = _ENCODER.encode_lines(values).split(b"\n")
        return b"".join(parts)
