"""The report as a page: what it holds, and that nobody's values are in it."""

import html
import json
import re
import sys
from html.parser import HTMLParser
from importlib.resources import files

import pyarrow as pa
import pytest

import simulacra
from pipeline.reports import planted
from simulacra.core.errors import OutputError, UsageError
from simulacra.pipeline.reports.page_style import VARIABLES

MARKUP = "<script>alert('x')</script>"
VOID = {"meta", "link", "input", "br"}


class Page(HTMLParser):
    """What tests ask of a page."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.targets, self.headings = [], [], [], [], []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.tags.append((tag, found))
        if "id" in found:
            self.ids.append(found["id"])
        if found.get("href", "").startswith("#"):
            self.targets.append(found["href"][1:])
        if re.fullmatch(r"h\d", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"}.intersection(self.open):
            self.words += f" {data}"

    def of(self, tag):
        return [found for name, found in self.tags if name == tag]


@pytest.fixture(scope="module")
def report():
    """Measure a database that holds what no report may show."""
    return simulacra.evaluate(
        planted.database(1, plant=True),
        planted.database(2, plant=False),
        holdout=planted.database(3, plant=True),
    )


@pytest.fixture(scope="module")
def small():
    """Measure a table of one column whose name and values look like markup."""
    table = pa.table({MARKUP: ["<b>a</b>"] * 30 + ["&amp;"] * 30})
    return simulacra.evaluate(table, table, metrics=["column_shapes"])


@pytest.fixture(scope="module")
def text(report):
    return report.to_html()


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_no_rare_value_is_in_any_form_of_the_report(report, text):
    forms = {
        "HTML": text,
        "JSON": report.to_json(),
        "Markdown": report.to_markdown(),
        "summary": report.summary(details=True),
        "chart": report.column("amount").plot().to_json(),
    }
    real = planted.database(1, plant=True)["people"]
    assert planted.FORBIDDEN.search(str(real.to_pydict()))
    for form, written in forms.items():
        found = planted.FORBIDDEN.search(written)
        assert found is None, (form, written[max(found.start() - 200, 0) : found.end()])


def test_the_page_is_whole_and_its_links_lead_somewhere(page):
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert set(page.targets) <= set(page.ids)


def test_the_page_asks_no_network_for_anything(page, text):
    assert not [f for _, f in page.tags if f.get("src") or f.get("srcset")]
    assert [found["href"] for found in page.of("link")] == ["data:,"]
    assert set(re.findall(r"https?://[^\"' )]+", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert "url(" not in text
    assert "@import" not in text


def test_the_page_can_be_read_without_eyes(page):
    assert page.of("html") == [{"lang": "en"}]
    assert len(page.of("main")) == 1
    assert page.of("nav")[0]["aria-label"]
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(
        after - before <= 1 for before, after in zip(page.headings, page.headings[1:], strict=False)
    )
    assert all("aria-label" in f or f.get("aria-hidden") == "true" for f in page.of("svg"))
    assert all("scope" in found for found in page.of("th"))
    assert [f for f in page.of("a") if f.get("class") == "skip"]


def test_charts_take_the_pages_colours(text):
    drawn = "".join(re.findall(r"<svg.*?</svg>", text, re.DOTALL))
    assert not [colour for colour in VARIABLES if colour in drawn]
    assert {"var(--real)", "var(--synthetic)", "var(--holdout)", "var(--seq-1)"} <= set(
        re.findall(r"var\(--[a-z0-9-]+\)", drawn)
    )


def test_what_was_measured_is_on_the_page(report, page):
    words = " ".join(page.words.split())
    for grade in report.grades.values():
        assert grade.verdict in words
    for table in report.tables.values():
        for picture in table.pictures["columns"]:
            assert picture["column"] in words
        for name in table.overall:
            assert table.measures[name].title in words
        for score in table.scores:
            for told in score.details.get("given_away_by", ()):
                assert " ".join(told["how"].split()) in words
    for picture in report.relations.pictures:
        assert picture["reference"] in words
    for score in report.tables["people"].scores:
        for part in ("verdict", "does_not_show"):
            assert " ".join(str(score.details.get(part, "")).split()) in words
    assert simulacra.__version__ in words


def test_marks_tell_in_words_what_they_show(report, page):
    told = [f["aria-label"] for f in page.of("path") if f.get("role") == "graphics-symbol"]
    town = report.column("town").picture
    share = town["shares"]["real"][0]
    assert any(label.startswith(f"{town['names'][0]}: real {share:.2%}") for label in told)
    assert any(re.match(r"amount and day: real 0\.\d\d", label) for label in told)


def test_names_that_look_like_markup_are_shown_as_they_are(small):
    text = small.to_html()
    page = Page(text)
    assert MARKUP in page.words
    assert "<b>a</b>" in page.words
    assert "<b>a" not in text
    assert len(page.of("script")) == 1


def test_the_page_is_written_whole_or_not_at_all(small, tmp_path):
    path = tmp_path / "report.html"
    text = small.to_html(path)
    assert path.read_text("utf-8") == text
    with pytest.raises(OutputError):
        small.to_html(path / "below" / "it.html")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_notebooks_show_the_page_in_a_frame(small):
    shown = small._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert html.unescape(shown.split('"')[1]) == small.to_html()


def test_without_altair_charts_say_how_to_get_it(report, monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(UsageError, match=r"pip install 'simulacra\[charts\]'"):
        report.to_html()
    with pytest.raises(UsageError, match=r"pip install 'simulacra\[charts\]'"):
        report.column("town").plot()
    assert report._repr_html_().startswith("<pre>")


def test_charts_are_altair_charts_that_can_be_saved(report, tmp_path):
    import altair as alt

    charts = {
        "amount": report.column("amount").plot(),
        "town": report.column("people.town").plot(),
        "pairs": report.tables["people"].plot_pairs(),
        "projection": report.tables["people"].plot_projection(),
        "children": report.relations.plot("orders"),
    }
    for chart in charts.values():
        assert isinstance(chart, alt.TopLevelMixin)
        json.loads(chart.to_json())  # checked by Altair against Vega-Lite's schema
    charts["amount"].save(tmp_path / "amount.png")
    assert (tmp_path / "amount.png").read_bytes()[:4] == b"\x89PNG"
    charts["children"].save(tmp_path / "children.svg")
    assert (tmp_path / "children.svg").read_text().startswith("<svg")


def test_what_may_not_be_drawn_says_why(report):
    with pytest.raises(UsageError, match="number: there is nothing to show"):
        report.column("number").plot()
    with pytest.raises(UsageError, match="no column is meant by 'colour'"):
        report.column("colour")
    with pytest.raises(UsageError, match="no column 'colour'"):
        report.tables["people"].column("colour")
    with pytest.raises(UsageError, match="no foreign key is meant"):
        report.relations.plot("people")
    assert report.column("number")._repr_mimebundle_() == {}
    assert repr(report.column("town")).startswith("ColumnReport(town: ")


def test_the_templates_are_in_the_package():
    inside = {each.name for each in (files("simulacra.pipeline.reports") / "templates").iterdir()}
    assert {"report.html", "macros.html", "report.css", "report.js"} <= inside
