"""The report in a real browser."""

import pytest

import simulacra
from browser import browser, opened
from metrics.samples import shipped

COLUMNS = 15


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Write the report of a table."""
    weather = shipped("weather")
    sides = [weather.slice(start, 2_000) for start in (0, 2_000, 4_000)]
    metrics = ["column_shapes", "pair_trends", "validity", "detection", "closest_records"]
    report = simulacra.evaluate(*sides[:2], holdout=sides[2], metrics=metrics)
    target = tmp_path_factory.mktemp("report") / "report.html"
    report.to_html(target)
    return target


@pytest.fixture(scope="module")
def chromium():
    with browser() as found:
        yield found


def test_it_renders_without_a_word_or_a_request(chromium, path):
    with opened(chromium, path, viewport={"width": 1300, "height": 900}) as watched:
        page = watched.page
        assert page.title() == "Synthetic data report"
        charts = page.locator(".column .chart svg")
        assert charts.count() == COLUMNS
        for box in (charts.nth(i).bounding_box() for i in range(charts.count())):
            assert box["width"] > 250
            assert box["height"] > 40
        assert page.locator(".grade").first.bounding_box()["y"] < 400
        assert watched.said == []
        assert watched.requests == [path.as_uri()]


@pytest.mark.parametrize("width", [360, 820, 1500])
def test_it_fits_every_width(chromium, path, width):
    with opened(chromium, path, viewport={"width": width, "height": 800}) as watched:
        assert watched.page.evaluate("document.documentElement.scrollWidth") == width


def contrast(page, selector):
    """Return the contrast of a text with its ground (WCAG 2, relative luminance)."""
    return page.evaluate(
        """selector => {
          const read = colour => colour.match(/[\\d.]+/g).map(Number);
          const light = colour => {
            const [r, g, b] = read(colour).map(c => c / 255)
              .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const element = document.querySelector(selector);
          let ground = element;
          const bare = part => read(getComputedStyle(part).backgroundColor)[3] === 0;
          while (bare(ground)) ground = ground.parentElement;
          const both = [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor];
          const [low, high] = both.map(light).sort((a, b) => a - b);
          return (high + 0.05) / (low + 0.05);
        }""",
        selector,
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_legible_in_light_and_dark(chromium, path, scheme):
    with opened(chromium, path, color_scheme=scheme) as watched:
        page = watched.page
        for selector in ("h1", "p.quiet", ".grade p", ".level", "summary", ".facts", "nav a"):
            assert contrast(page, selector) >= 4.5, selector
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.locator("#theme").click()
        other = page.evaluate("getComputedStyle(document.body).backgroundColor")
        dark = "rgb(17, 21, 26)"
        assert (ground == dark, other == dark) == (scheme == "dark", scheme == "light")


def test_pointing_at_a_mark_tells_what_it_shows(chromium, path):
    with opened(chromium, path, viewport={"width": 1300, "height": 900}) as watched:
        page = watched.page
        marks = page.locator(".column .chart [aria-roledescription='rect mark'][aria-label]")
        mark = marks.nth(3)
        mark.scroll_into_view_if_needed()
        mark.hover(force=True)
        assert page.locator(".tip.on").inner_text() == mark.get_attribute("aria-label")


def test_columns_can_be_found_and_ordered_from_the_keyboard(chromium, path):
    with opened(chromium, path) as watched:
        page = watched.page
        page.locator("input[type=search]").focus()
        page.keyboard.type("wind")
        shown = page.locator(".column:visible")
        assert {shown.nth(i).get_attribute("data-name") for i in range(shown.count())} == {
            "wind_dir",
            "wind_speed",
            "wind_gust",
        }
        page.locator("input[type=search]").fill("")
        page.locator(".controls select").select_option("worst")
        ranks = page.eval_on_selector_all(".column", "all => all.map(c => Number(c.dataset.rank))")
        assert ranks == sorted(ranks, reverse=True)
        page.locator(".controls select").select_option("table")
        names = page.eval_on_selector_all(".column", "all => all.map(c => c.dataset.name)")
        assert names == shipped("weather").column_names


def test_without_scripts_all_is_there(chromium, path):
    with opened(chromium, path, java_script_enabled=False) as watched:
        page = watched.page
        assert page.locator(".column .chart svg").count() == COLUMNS
        assert not page.locator("#theme").is_visible()
        assert not page.locator(".controls").first.is_visible()
        figures = page.locator(".column details").first
        figures.locator("summary").click()
        assert figures.locator("td").first.is_visible()


def test_it_can_be_printed(chromium, path, tmp_path):
    with opened(chromium, path, color_scheme="dark") as watched:
        page = watched.page
        page.emulate_media(media="print")
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(255, 255, 255)"
        assert not page.locator("nav").is_visible()
        page.emulate_media(media=None)
        printed = tmp_path / "report.pdf"
        page.pdf(path=printed, format="A4")
    assert printed.read_bytes().startswith(b"%PDF")
