import os
import pickle
from pathlib import Path

import pytest

from pulse_adapters.stores import folder as folder_store
from pulse_adapters.stores.folder import FolderStore
from pulse_core.errors import DataError, MalformedData, StoreUnavailable, VariableNotFound

CLEAN = "timestamp,value\n2020-01-01,1\n2020-01-02,2.5\n"
LONG = "variable,timestamp,value\nx,2020-01-01,1\ny,2020-01-01,2\nx,2020-01-02,3\n"


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "data"
    path.mkdir()
    (path / "x.csv").write_text(CLEAN)
    return path


def test_other_files_hidden_ones_and_folders_are_passed_over(folder):
    for name in ("notes.txt", ".hidden.csv", "x.csv.tmp", "README"):
        (folder / name).write_text(CLEAN)
    (folder / "folder.csv").mkdir()
    (folder / "nowhere.csv").symlink_to(folder / "gone.csv")
    (folder / "circle.csv").symlink_to(folder / "circle.csv")
    assert list(FolderStore(folder).names()) == ["x"]


def test_a_location_may_be_text(folder):
    assert FolderStore(str(folder)).read("x").source == str(folder / "x.csv")


def test_two_files_for_one_variable_are_an_error_that_names_both(folder):
    (folder / "x.parquet").write_bytes(b"")
    with pytest.raises(DataError, match=r"x\.csv, x\.parquet"):
        FolderStore(folder).read("x")


def test_a_faulty_file_is_named(folder):
    (folder / "bad.csv").write_text(CLEAN + "2020-01-03,abc\n")
    with pytest.raises(MalformedData) as refused:
        FolderStore(folder).read("bad")
    assert refused.value.context == str(folder / "bad.csv")
    assert refused.value.message == "row 4: value 'abc' is no number"


def test_a_name_in_another_case_is_another_variable(folder):
    with pytest.raises(VariableNotFound, match=r"There are: x$"):
        FolderStore(folder).read("X")


def test_no_name_opens_a_file_outside_the_folder(folder, monkeypatch):
    (folder.parent / "secret.csv").write_text(CLEAN)
    (folder / "inner").mkdir()
    (folder / "inner" / "deep.csv").write_text(CLEAN)
    store = FolderStore(folder)
    opened: list[Path] = []
    monkeypatch.setattr(folder_store, "_content", opened.append)
    for name in (
        "../secret",
        str(folder.parent / "secret"),
        "inner/deep",
        "inner\\deep",
        "./x",
        "x.csv/../x",
        "..",
        "\0",
        "s" * 9_999,
    ):
        with pytest.raises(VariableNotFound):
            store.read(name)
    assert opened == []


def test_the_owner_may_link_a_file_into_the_folder(folder):
    elsewhere = folder.parent / "elsewhere.csv"
    elsewhere.write_text(CLEAN)
    (folder / "linked.csv").symlink_to(elsewhere)
    assert len(FolderStore(folder).read("linked")) == 2


def test_a_file_that_appears_later_is_found_and_one_that_goes_is_not(folder):
    store = FolderStore(folder)
    assert list(store.names()) == ["x"]
    for number in range(20):
        path = folder / f"late_{number}.csv"
        path.write_text(CLEAN)
        assert len(store.read(path.stem)) == 2
    (folder / "x.csv").unlink()
    with pytest.raises((VariableNotFound, StoreUnavailable)):
        store.read("x")


def test_a_file_that_changes_is_read_anew(folder):
    store = FolderStore(folder)
    assert len(store.read("x")) == 2
    (folder / "x.csv").write_text(CLEAN + "2020-01-03,3\n")
    assert len(store.read("x")) == 3


@pytest.mark.parametrize(
    "use", [lambda store: list(store.names()), lambda store: store.read("x")], ids=["names", "read"]
)
def test_a_place_that_cannot_be_read_is_unavailable(tmp_path, use):
    (tmp_path / "file.txt").write_text(CLEAN)
    for place in ("missing", "file.txt", "file.txt/below", "n" * 1_000, "nul\0"):
        with pytest.raises(StoreUnavailable) as refused:
            use(FolderStore(tmp_path / place))
        assert refused.value.context
        assert refused.value.hint


def test_a_folder_or_file_that_may_not_be_read_is_unavailable(folder, monkeypatch):
    def forbidden(*_, **__):
        raise PermissionError(13, "Permission denied")

    store = FolderStore(folder)
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", forbidden)
        with pytest.raises(StoreUnavailable, match=r"x\.csv: cannot be read: Permission denied"):
            store.read("x")
    monkeypatch.setattr(os, "scandir", forbidden)
    folder_store._files.cache_clear()
    with pytest.raises(StoreUnavailable, match="data: cannot be read: Permission denied"):
        list(store.names())


def test_a_file_that_fails_while_it_is_read_is_unavailable(folder):
    # a regular file whose first page can never be read
    (folder / "broken.csv").symlink_to("/proc/self/mem")
    with pytest.raises(StoreUnavailable, match=r"broken\.csv: cannot be read: Input/output error"):
        FolderStore(folder).read("broken")


def test_a_folder_without_data_files_says_what_they_are_called(tmp_path):
    with pytest.raises(VariableNotFound, match=r"there are none\. Data files end in \.csv, \.csv\.gz"):
        FolderStore(tmp_path).read("x")


def test_a_folder_that_holds_a_long_file_has_its_variables(tmp_path):
    (tmp_path / "long.csv").write_text(LONG)
    assert list(FolderStore(tmp_path).names()) == ["x", "y"]


def test_in_a_folder_of_many_files_each_is_one_variable(tmp_path, monkeypatch):
    monkeypatch.setattr("pulse_adapters.stores.folder.LOOKED_INTO", 1)
    for name in ("a", "long"):
        (tmp_path / f"{name}.csv").write_text(LONG if name == "long" else CLEAN)
    store = FolderStore(tmp_path)
    assert list(store.names()) == ["a", "long"]
    with pytest.raises(MalformedData, match="holds several variables"):
        store.read("long")
    with pytest.raises(VariableNotFound):
        store.read("x")


class TestLongFile:
    @pytest.fixture
    def path(self, tmp_path):
        path = tmp_path / "long.csv"
        path.write_text(LONG)
        return path

    def test_is_read_once_for_all_of_its_variables_and_anew_when_it_changes(self, path, monkeypatch):
        reads: list[Path] = []
        read = folder_store._content

        def counted(path):
            reads.append(path)
            return read(path)

        monkeypatch.setattr(folder_store, "_content", counted)
        store = FolderStore(path)
        for name in [*store.names(), *store.names()]:
            pickle.loads(pickle.dumps(store)).read(name)
        assert len(reads) == 1
        path.write_text(LONG + "y,2020-01-02,4\n")
        assert store.read("y").values.tolist() == [2.0, 4.0]
        assert len(reads) == 2

    def test_reports_the_faults_of_the_variable_that_is_read(self, path):
        path.write_text(LONG + "y,2020-01-02,abc\nz,1.1.2020,1\ny,2020-01-01,5\n")
        store = FolderStore(path)
        assert len(store.read("x")) == 2
        with pytest.raises(MalformedData) as refused:
            store.read("y")
        assert (
            refused.value.message
            == "2 faults: row 5: value 'abc' is no number; row 7: repeats the (timestamp) of row 3"
        )
        with pytest.raises(MalformedData, match=r"row 6: timestamp '1\.1\.2020' is no ISO date"):
            store.read("z")

    def test_reports_rows_that_are_nobodys_to_everybody(self, path):
        path.write_text(LONG + ",2020-01-02,1\n\nx,2020-01-05\n")
        for name in ("x", "y", "unknown"):
            with pytest.raises(MalformedData) as refused:
                FolderStore(path).read(name)
            assert refused.value.message == "2 faults: row 5: variable is missing; row 7: 2 fields, the header has 3"

    def test_without_the_column_is_one_variable_of_its_name(self, path):
        path.write_text(CLEAN)
        store = FolderStore(path)
        assert list(store.names()) == ["long"]
        assert store.read("long") == FolderStore(path.parent).read("long")
        with pytest.raises(VariableNotFound, match="'x'"):
            store.read("x")

    def test_with_a_header_only_says_so(self, path):
        path.write_text("variable,timestamp,value\n")
        with pytest.raises(MalformedData, match="no rows"):
            FolderStore(path).read("x")

    def test_whose_values_of_a_variable_are_all_absent_says_so(self, path):
        path.write_text(LONG + "z,2020-01-01,NA\n")
        with pytest.raises(MalformedData, match="every value is absent"):
            FolderStore(path).read("z")

    def test_may_hold_variables_no_file_could_be_called(self, path):
        path.write_text(LONG + "a/b,2020-01-01,7\n..,2020-01-01,8\n")
        store = FolderStore(path)
        assert list(store.names()) == ["..", "a/b", "x", "y"]
        assert store.read("a/b").values.tolist() == [7.0]
