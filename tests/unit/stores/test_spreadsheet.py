"""Workbooks: read as any other file of their cells; what is no workbook, or has several sheets, is refused."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date

import pytest

from pulse_adapters.stores.folder import FolderStore
from pulse_core.errors import MalformedData, SettingsError

Rows = Sequence[Sequence[object]]

_SPACE = "http://schemas.openxmlformats.org/"
_RELATED = f"{_SPACE}officeDocument/2006/relationships"
_EPOCH = date(1899, 12, 30)
_DAY_STYLE = 1


def workbook(sheets: Mapping[str, Rows]) -> bytes:
    """Return a workbook: dates as numbers of days with a style of dates, as programs write them, texts in place."""
    names = "".join(f'<sheet name="{name}" sheetId="{at}" r:id="r{at}"/>' for at, name in enumerate(sheets, 1))
    related = "".join(
        f'<Relationship Id="r{at}" Type="{_RELATED}/worksheet" Target="worksheets/{at}.xml"/>'
        for at in range(1, len(sheets) + 1)
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_SPACE}package/2006/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_SPACE}package/2006/relationships"><Relationship Id="r" '
        f'Type="{_RELATED}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_SPACE}spreadsheetml/2006/main" '
        f'xmlns:r="{_RELATED}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_SPACE}package/2006/relationships">{related}'
        f"<Relationship "
        f'Id="s" Type="{_RELATED}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{_SPACE}spreadsheetml/2006/main"><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14"/></cellXfs></styleSheet>',
    }
    for at, rows in enumerate(sheets.values(), 1):
        body = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
        parts[f"xl/worksheets/{at}.xml"] = (
            f'<worksheet xmlns="{_SPACE}spreadsheetml/2006/main"><sheetData>{body}</sheetData></worksheet>'
        )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return packed.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, date):
        return f'<c s="{_DAY_STYLE}"><v>{(value - _EPOCH).days}</v></c>'
    if isinstance(value, int | float):
        return f"<c><v>{value!r}</v></c>"
    return f'<c t="inlineStr"><is><t>{value}</t></is></c>' if value else "<c/>"


DAYS = [date(2020, month, 1) for month in range(1, 13)]
SALES: list[list[object]] = [
    ["Month", "Sales", "Costs"],
    *([day, 100.5 + at, 2 * at + 1] for at, day in enumerate(DAYS)),
]


def test_the_sheet_of_a_workbook_is_read_as_a_file_of_its_cells(tmp_path):
    (tmp_path / "shop.xlsx").write_bytes(workbook({"Figures": SALES, "Notes": []}))
    store = FolderStore(tmp_path)
    assert list(store.names()) == ["Costs", "Sales"]
    sales = store.read("Sales")
    assert sales.timestamps.astype("M8[D]").tolist() == DAYS
    assert sales.values.tolist() == [100.5 + at for at in range(12)]
    assert sales.understood.startswith("sheet 'Figures': timestamp from 'Month', a variable from each of 2 columns")


def test_texts_and_blanks_in_cells_are_those_of_any_file(tmp_path):
    rows: list[list[object]] = [["timestamp", "value"], ["2020-01-01", 1], ["2020-01-02", ""], [], ["2020-01-04", "x"]]
    (tmp_path / "x.xlsx").write_bytes(workbook({"a": rows}))
    with pytest.raises(MalformedData, match="row 5: value 'x' is no number"):
        FolderStore(tmp_path).read("x")
    (tmp_path / "x.xlsx").write_bytes(workbook({"a": rows[:-1]}))
    assert (len(FolderStore(tmp_path).read("x")), FolderStore(tmp_path).read("x").absent) == (1, 1)


def test_several_sheets_are_refused_with_their_names(tmp_path):
    (tmp_path / "x.xlsx").write_bytes(workbook({"a": SALES, "b": SALES}))
    with pytest.raises(MalformedData, match=r"has 2 sheets that hold anything \('a', 'b'\)"):
        FolderStore(tmp_path).read("x")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no workbook", workbook({"a": SALES})[:400]])
def test_what_is_no_sound_workbook_is_refused(tmp_path, content):
    (tmp_path / "x.xlsx").write_bytes(content)
    with pytest.raises(MalformedData, match=r"x\.xlsx: is"):
        FolderStore(tmp_path).read("x")


def test_without_the_extra_the_command_that_installs_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    (tmp_path / "x.xlsx").write_bytes(workbook({"a": SALES}))
    with pytest.raises(SettingsError, match=r"pip install '\.\[excel\]'"):
        FolderStore(tmp_path).read("x")
