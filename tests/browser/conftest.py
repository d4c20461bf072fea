"""A report in a headless Chromium: what it writes to the console and asks for is kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from pulse_adapters.report.assembly import assemble_report
from pulse_adapters.report.rendering import render
from tests.unit.report.runs import climb, trained, walk

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
NASTY = "</script><script>window.hurt=1</script><img src=x onerror=window.hurt=1>\"'&{{7*7}}"
NASTY_MEND = "<svg onload=window.hurt=1>"


@attrs.define
class Opened:
    """A page under test, the errors it reported, and every address that it asked for."""

    page: Page
    errors: list[str] = attrs.field(factory=list)
    asked: list[str] = attrs.field(factory=list)

    def drawn(self, section: str = "details[open]") -> None:
        """Wait until the plots of a section are drawn."""
        for place in range(self.page.locator(f"{section} .plot").count()):
            plot = self.page.locator(f"{section} .plot").nth(place)
            plot.evaluate("plot => plot.scrollIntoView({block: 'center', behavior: 'instant'})")
            self.page.wait_for_selector(f"{section} .plot[data-drawn] >> nth={place}", state="attached", timeout=60_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.fail("no Chromium is installed; on Debian: apt-get install chromium", pytrace=False)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield started
        started.close()


@pytest.fixture(scope="session")
def reports(tmp_path_factory) -> dict[str, Path]:
    """Reports by name: `small`, `many` (more rows than a page), `nasty` (names that try to get out)."""
    folder = tmp_path_factory.mktemp("reports")
    made = {
        "small": assemble_report(trained(folder / "small", {"climb": climb(1), "walk": walk(2)}), "r"),
        "many": assemble_report(
            trained(folder / "many", {f"v{place:02}": walk(place) for place in range(30)}, hindcasts=False),
            "r",
            limit=1,
        ),
    }
    nasty = assemble_report(trained(folder / "nasty", {NASTY: walk(3), "walk": walk(2)}), "r", [NASTY])
    made["nasty"] = attrs.evolve(nasty, failures=((NASTY, NASTY, NASTY_MEND),))
    paths = {}
    for name, report in made.items():
        paths[name] = folder / f"{name}.html"
        paths[name].write_bytes(render(report))
    return paths


@pytest.fixture
def opened(browser, reports) -> Any:
    """Open a report by name in a context of its own."""

    @contextmanager
    def go(name: str, width: int = 1400, scheme: Any = "light") -> Iterator[Opened]:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        one = Opened(context.new_page())
        one.page.on("console", lambda told: one.errors.append(told.text) if told.type in {"error", "warning"} else None)
        one.page.on("pageerror", lambda error: one.errors.append(str(error)))
        one.page.on("request", lambda request: one.asked.append(request.url))
        one.page.goto(reports[name].as_uri())
        yield one
        context.close()

    return go
