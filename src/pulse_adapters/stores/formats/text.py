"""Check that bytes are text of the format that their name tells."""

from __future__ import annotations

from pulse_adapters.stores.formats.table import Fault, Source, malformed, refuse

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SIGNATURES = {
    b"PAR1": "is Parquet",
    b"\x1f\x8b": "is gzip (its name must then end in .gz)",
    b"PK\x03\x04": "is a ZIP archive or a spreadsheet",
    b"\xff\xfe": "is UTF-16",
    b"\xfe\xff": "is UTF-16",
    b"<": "is HTML or XML",
}


def refuse_other_than_text(content: bytes, kind: str, source: Source) -> bytes:
    """Return UTF-8 text without its byte order mark. Raises MalformedData for any other or empty content."""
    content = content.removeprefix(_BYTE_ORDER_MARK)
    start = content[:64].lstrip()
    if not start and not content.strip():
        raise refuse("is empty", source)
    for signature, message in _SIGNATURES.items():
        if start.startswith(signature):
            raise refuse(f"{message}, not {kind}", source)
    binary = content.find(b"\0")
    if binary >= 0:
        row = content.count(b"\n", 0, binary) + 1
        raise refuse(f"row {row}: a byte 0x00, which no text has: is it binary, or UTF-16 without a mark?", source)
    if not content.isascii():
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            row = content.count(b"\n", 0, error.start) + 1
            message = f"row {row}: byte 0x{content[error.start]:02x} is not UTF-8"
            raise malformed([Fault(0, message)], source.context, "Save it as UTF-8") from error
    return content
