"""Latitudes and longitudes: found by name and values, drawn together, moved by masks."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import simulacra
from datatypes.columns import datatype, draw, fit
from real_data import real_data
from simulacra.core.errors import SpecError
from simulacra.core.secret_key import SecretKey

SECRET = SecretKey("nobody can guess this one")


@pytest.fixture(scope="module")
def airports():
    return pq.read_table(real_data("nycflights/airports.parquet"))


def types_of(table):
    columns = simulacra.Metadata.detect(table).spec.tables["table"].columns
    return {name: column.options.get("kind") for name, column in columns.items()
            if column.type == "coordinate"}  # fmt: skip


def test_airports_have_positions(airports):
    columns = simulacra.Metadata.detect(airports).spec.tables["table"].columns
    assert {name for name, column in columns.items() if column.type == "coordinate"} == {
        "lat",
        "lon",
    }
    assert columns["lat"].options == {"kind": "latitude", "share": 1.0}
    assert columns["lon"].options == {"kind": "longitude", "share": 1.0}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Latitude", "latitude"),
        ("pickup_lat", "latitude"),
        ("geoLat", "latitude"),
        ("Breitengrad", "latitude"),
        ("纬度", "latitude"),
        ("dropoff_long", "longitude"),
        ("GPS-Lng", "longitude"),
        ("longitude_2", "longitude"),
        ("flat_area", None),
        ("latency", None),
        ("along", None),
    ],
)
def test_names_tell(name, kind):
    degrees = np.random.default_rng(0).uniform(-80, 80, 500).round(5)
    assert types_of(pa.table({name: degrees})) == ({} if kind is None else {name: kind})


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(np.arange(300) / 4 + 50, id="beyond the pole"),
        pytest.param(np.arange(300.0) % 80, id="whole degrees"),
        pytest.param(np.arange(300) % 80, id="whole numbers"),
    ],
)
def test_other_numbers_are_none(values):
    assert types_of(pa.table({"lat": values})) == {}


def test_a_few_marks_for_none_do_no_harm():
    degrees = np.random.default_rng(0).uniform(-80, 80, 500).round(5)
    degrees[:10] = 999.0
    column = simulacra.Metadata.detect(pa.table({"lat": degrees})).spec.tables["table"].columns
    assert column["lat"].options == {"kind": "latitude", "share": 0.98}


@pytest.mark.parametrize("rows", [60, 900, 5_000])
def test_positions_are_never_copied(rows):
    degrees = np.random.default_rng(1).uniform(40, 50, rows).round(6)
    drawn = draw(fit("coordinate", pa.array(degrees), {"kind": "latitude"}), 20_000)
    made = drawn.to_numpy()
    # As many of a million possible values a degree are met by chance: 20,000 draws of 10 million.
    met = np.isin(made, degrees).mean()
    assert met <= 20 * rows / 1e7 + 3 / 20_000
    assert made.min() >= degrees.min()
    assert made.max() <= degrees.max()


def test_copies_lie_where_the_rows_do(airports):
    """Time zones go with the longitude: half a zone is 7.5°, and zones are wider than that."""
    drawn = simulacra.Synthesizer(seed=3).fit(airports).sample(3_000)
    for hours in (-5, -6, -7, -8):
        real, made = (
            table.filter(pa.array(table["tz"].to_numpy() == hours))["lon"].to_numpy()
            for table in (airports, drawn)
        )
        spread = np.std(real)
        # Of a mean: five standard errors on either side.
        error = 5 * spread * np.sqrt(1 / len(real) + 1 / len(made))
        assert abs(np.median(made) - np.median(real)) < error * 1.26
    assert np.isfinite(drawn["lat"].to_numpy()).all()


def test_rules_do_not_count_with_them():
    rng = np.random.default_rng(0)
    north = rng.uniform(10, 20, 3_000).round(4)
    places = pa.table({"lat": north, "lon": (north + rng.uniform(0.001, 2, 3_000)).round(4)})
    assert simulacra.Metadata.detect(places).spec.tables["table"].rules == []


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.decimal128(8, 5)])
def test_masks_move_within_a_tenth_of_a_degree(kind):
    degrees = [48.20817, -33.86882, None, 48.20817, 89.99999]
    exact = pa.decimal128(8, 5)
    values = pa.array([None if d is None else Decimal(str(d)) for d in degrees], exact).cast(kind)
    coordinate = datatype("coordinate")
    masked = coordinate.mask("t.lat", values, {"kind": "latitude"}, SECRET)
    assert masked.type == kind
    assert masked.is_null().to_pylist() == [False, False, True, False, False]
    before, after = (
        np.array([float(v) for v in side.drop_null().to_pylist()]) for side in (values, masked)
    )
    assert (np.abs(after - before) <= 0.1).all()
    assert (np.floor(after * 10 + 1e-6) == np.floor(before * 10 + 1e-6)).all()
    assert (after != before).all()
    assert after[0] == after[2]  # the same value, the same mask
    assert (after <= 90).all()
    other = coordinate.mask("t.lat", values, {"kind": "latitude"}, SecretKey("another secret key"))
    assert not other.equals(masked)


def test_masks_leave_what_is_no_degree():
    values = pa.array([999.0, float("nan"), 12.34567])
    masked = datatype("coordinate").mask("t.lat", values, {"kind": "latitude"}, SECRET)
    assert masked[0].as_py() == 999.0
    assert np.isnan(masked[1].as_py())
    assert masked[2].as_py() != 12.34567


def test_whole_numbers_cannot_be_masked_as_degrees():
    with pytest.raises(SpecError, match=r"t\.lat"):
        datatype("coordinate").mask("t.lat", pa.array([1, 2]), {"kind": "latitude"}, SECRET)


def test_anonymize_moves_positions_and_says_so(airports):
    masked = simulacra.anonymize(airports, key="a secret of your own")
    assert masked.columns["table.lat"] == "latitude"
    made = masked.frames()
    for axis in ("lat", "lon"):
        away = np.abs(made[axis].to_numpy() - airports[axis].to_numpy())
        assert away.max() <= 0.1
        assert np.median(away) > 0.01  # of two even draws on a tenth: 0.029
