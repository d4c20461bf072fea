"""The report in a browser: it draws, asks for nothing, and can be used by everyone."""

from __future__ import annotations

import pytest

from tests.browser.conftest import NASTY

WIDTHS = (400, 900, 1400)

# Drawing takes as long as the machine is busy with other things; nothing here is about time.
pytestmark = pytest.mark.timeout(600)


def shown(page, column: int = 0) -> list[str]:
    """The cells of a column in the rows that are shown, from the top."""
    cells: list[str] = page.evaluate(
        "column => [...document.querySelectorAll('#table tbody tr:not([hidden])')].map(r => r.cells[column].innerText)",
        column,
    )
    return cells


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_plot_is_drawn_without_an_error_or_a_request(opened, scheme) -> None:
    with opened("small", scheme=scheme) as one:
        one.drawn()
        one.drawn("#about")
        plots = "[...document.querySelectorAll('details[open] .plot, #about .plot')]"
        empty = one.page.evaluate(f"{plots}.filter(p => !p.firstElementChild).length")
        assert empty == 0
        assert one.errors == []
        assert [url for url in one.asked if not url.startswith(("file:", "data:", "blob:"))] == []
        assert len([url for url in one.asked if url.startswith("file:")]) == 1


def test_plots_have_ink_on_them(opened) -> None:
    with opened("small") as one:
        one.drawn()
        one.page.wait_for_timeout(300)
        plot = one.page.locator("details[open] .plot").first
        plot.scroll_into_view_if_needed()
        place = plot.bounding_box()
        drawn = len(one.page.screenshot(clip=place))
        one.page.evaluate("document.querySelector('details[open] .plot').style.visibility = 'hidden'")
        assert drawn > 2 * len(one.page.screenshot(clip=place))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["small", "nasty"])
def test_no_width_needs_sideways_scrolling(opened, width, name) -> None:
    with opened(name, width=width) as one:
        one.drawn()
        one.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert one.page.evaluate("document.documentElement.scrollWidth") <= width


def test_heads_sort_by_value_both_ways_and_say_so(opened) -> None:
    with opened("small") as one:
        page = one.page
        assert shown(page) == ["climb", "walk"]
        page.get_by_role("button", name="Variable").click()
        page.get_by_role("button", name="Variable").click()
        assert shown(page) == ["walk", "climb"]
        assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
        page.get_by_role("button", name="Trust").click()
        assert shown(page) == ["climb", "walk"]
        assert page.locator("th[aria-sort]").inner_text().startswith("Trust")


def test_a_long_table_has_pages_and_finds(opened) -> None:
    with opened("many") as one:
        page = one.page
        assert (len(shown(page)), page.locator("#shown").inner_text()) == (25, "1\u201325 of 30")
        page.get_by_role("button", name="Next").click()
        assert (len(shown(page)), page.locator("#shown").inner_text()) == (5, "26\u201330 of 30")
        assert page.get_by_role("button", name="Next").is_disabled()
        page.get_by_role("searchbox").fill("v07")
        assert shown(page) == ["v07"]
        page.get_by_role("searchbox").fill("nothing")
        assert (shown(page), page.locator("#shown").inner_text()) == ([], "None found")
        assert one.errors == []


def test_another_horizon_shows_its_rows(opened) -> None:
    with opened("small") as one:
        before = shown(one.page, 2)
        one.page.get_by_label("Ahead").select_option("2")
        assert shown(one.page) == ["climb", "walk"]
        assert shown(one.page, 2) != before


def test_the_theme_follows_the_system_until_one_is_chosen(opened) -> None:
    with opened("small", scheme="dark") as one:
        page = one.page
        one.drawn()
        theme = "document.documentElement.dataset.theme"
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert page.evaluate(theme) == "dark"
        page.get_by_role("button", name="Light colours").click()
        page.wait_for_selector("details[open] .plot[data-drawn=light]")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
        page.emulate_media(color_scheme="light")
        page.emulate_media(color_scheme="dark")
        assert page.evaluate(theme) == "light"
        assert one.errors == []


def test_names_from_data_cannot_inject(opened) -> None:
    with opened("nasty") as one:
        page = one.page
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        one.drawn("#v0")
        one.drawn("#about")
        page.wait_for_timeout(200)
        assert page.evaluate("window.hurt") is None
        assert one.errors == []
        assert page.locator("#table tbody tr:not([hidden]) th").first.inner_text() == NASTY
        assert page.locator("main img, main svg[onload], main script:not([type])").count() == 0


def test_a_script_that_is_not_ours_would_not_run(opened) -> None:
    with opened("small") as one:
        one.page.evaluate(
            "const s = document.createElement('script'); s.textContent = 'window.hurt = 1'; document.body.append(s)"
        )
        assert one.page.evaluate("window.hurt") is None
        assert "Content Security Policy" in one.errors[0]


def test_a_variables_name_in_the_table_opens_its_details(opened) -> None:
    with opened("small") as one:
        one.page.locator("#table").get_by_role("link", name="walk").click()
        one.page.wait_for_function("document.querySelector('#v1').open")
        one.drawn("#v1")
        assert one.errors == []


def test_whoever_listens_finds_names_for_everything(opened) -> None:
    with opened("small") as one:
        page = one.page
        assert page.get_by_role("heading", level=1).count() == 1
        assert page.get_by_role("table", name="The best forecaster of each variable").count() == 1
        assert page.get_by_role("button", name="Dark colours").is_visible()
        pictures = page.locator("details[open]").get_by_role("img")
        assert pictures.count() >= 8
        named = page.evaluate("[...document.querySelectorAll('[role=img]')].every(p => p.ariaLabel.length > 30)")
        assert named
        bare = page.evaluate(
            "[...document.querySelectorAll('button, select, input, a')].filter(e => !(e.innerText || e.ariaLabel || "
            "e.closest('label')?.innerText)).map(e => e.outerHTML)"
        )
        assert bare == []


def test_everything_can_be_reached_by_keyboard(opened) -> None:
    with opened("small") as one:
        page = one.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.locator(".variable > summary").last.focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.querySelectorAll('.variable[open]').length") == 2


def test_print_shows_every_variable_in_dark_ink(opened) -> None:
    with opened("small", scheme="dark") as one:
        page = one.page
        page.evaluate("() => { window.print = () => { window.printed = true; }; }")
        page.get_by_role("button", name="Print all").click()
        page.wait_for_function("window.printed", timeout=60_000)
        assert page.evaluate("[...document.querySelectorAll('.plot')].every(p => p.dataset.drawn)")
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        assert page.get_by_role("button", name="Print all").is_hidden()
        assert page.pdf()[:4] == b"%PDF"
