from __future__ import annotations

import json
import stat
import zipfile

import numpy as np
import pyarrow as pa
import pytest

from simulacra.core.artifacts import open_bundle, write_bundle
from simulacra.core.errors import BundleError


@pytest.fixture
def bundle(tmp_path):
    path = tmp_path / "m.sim"
    with write_bundle(path, about={"model": "x"}) as out:
        out.json("facts", {"ä": [1, None, 2.5]})
        out.child("a").child(0).arrays("codes", {"x": np.arange(7, dtype=np.uint16)})
        out.child("a").table("rows", pa.table({"c": ["x", None]}))
    return path


def rewrite(path, change):
    """Copy a bundle, changing its members: change(name, data, entry) -> data or None."""
    with zipfile.ZipFile(path) as archive:
        members = [(entry, archive.read(entry)) for entry in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for entry, data in members:
            changed = change(entry, data)
            if changed is not None:
                archive.writestr(entry, changed)


def read_all(path):
    with open_bundle(path) as (manifest, src):
        return (
            manifest["about"],
            src.json("facts"),
            src.child("a").child(0).arrays("codes")["x"],
            src.child("a").table("rows"),
        )


def test_what_was_written_is_read(bundle):
    about, facts, codes, rows = read_all(bundle)
    assert about == {"model": "x"}
    assert facts == {"ä": [1, None, 2.5]}
    assert codes.dtype == np.uint16
    assert codes.tolist() == list(range(7))
    assert rows.to_pydict() == {"c": ["x", None]}


def test_the_same_content_gives_the_same_bytes(tmp_path, bundle):
    again = tmp_path / "again.sim"
    with write_bundle(again, about={"model": "x"}) as out:
        out.json("facts", {"ä": [1, None, 2.5]})
        out.child("a").child(0).arrays("codes", {"x": np.arange(7, dtype=np.uint16)})
        out.child("a").table("rows", pa.table({"c": ["x", None]}))
    assert again.read_bytes() == bundle.read_bytes()


def test_a_bundle_holds_data_only(bundle):
    with zipfile.ZipFile(bundle) as archive:
        assert {name.rpartition(".")[2] for name in archive.namelist()} == {
            "json",
            "arrow",
            "safetensors",
        }


def test_every_flipped_byte_is_noticed_or_harmless(bundle):
    data = bundle.read_bytes()
    expected = read_all(bundle)
    for place in range(0, len(data), 7):
        flipped = bytearray(data)
        flipped[place] ^= 0x20
        bundle.write_bytes(bytes(flipped))
        try:
            found = read_all(bundle)
        except (BundleError, KeyError):
            continue
        # Bytes of the zip's own book-keeping (dates, flags) may change without changing content.
        assert found[1:3][0] == expected[1]
        assert np.array_equal(found[2], expected[2])
        assert found[3].equals(expected[3])


@pytest.mark.parametrize("cut", [0, 1, 30, 200])
def test_a_cut_bundle_is_refused(bundle, cut):
    bundle.write_bytes(bundle.read_bytes()[:cut])
    with pytest.raises(BundleError):
        read_all(bundle)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "x.sim"
    path.write_text("hello")
    with pytest.raises(BundleError, match="no bundle"):
        read_all(path)
    with pytest.raises(BundleError, match="no such bundle"):
        read_all(tmp_path / "absent.sim")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.txt", "hello")
    with pytest.raises(BundleError, match="no manifest"):
        read_all(path)


@pytest.mark.parametrize(
    "name", ["../evil.json", "/etc/evil.json", "a/../../evil.json", "a\\b.json"]
)
def test_members_that_point_outside_are_refused(bundle, name):
    with zipfile.ZipFile(bundle, "a") as archive:
        archive.writestr(name, "{}")
    with pytest.raises(BundleError, match=r"outside|manifest"):
        read_all(bundle)


def test_a_link_is_refused(bundle):
    with zipfile.ZipFile(bundle, "a") as archive:
        link = zipfile.ZipInfo("link.json")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(BundleError, match="no file"):
        read_all(bundle)


def test_an_added_or_missing_member_is_refused(bundle):
    with zipfile.ZipFile(bundle, "a") as archive:
        archive.writestr("more.json", "{}")
    with pytest.raises(BundleError, match="not those of the manifest"):
        read_all(bundle)


def test_a_member_larger_than_it_says_is_not_unpacked(bundle):
    def swell(entry, data):
        if entry.filename == "facts.json":
            return b"0" * 50_000_000
        return data

    rewrite(bundle, swell)
    with pytest.raises(BundleError, match="another size"):
        read_all(bundle)


def test_an_unknown_version_is_refused(bundle):
    def newer(entry, data):
        if entry.filename == "manifest.json":
            return json.dumps({**json.loads(data), "version": 2})
        return data

    rewrite(bundle, newer)
    with pytest.raises(BundleError, match=r"version is 2.*newer"):
        read_all(bundle)


def test_nothing_is_left_after_a_failed_write(tmp_path):
    path = tmp_path / "m.sim"
    path.write_text("before")
    with pytest.raises(RuntimeError), write_bundle(path) as out:
        out.json("x", 1)
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["m.sim"]
    assert path.read_text() == "before"
