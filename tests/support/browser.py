"""A headless Chromium for the tests of pages, and what it says of a page.

COSTSCAN_BROWSER names the browser, and one that is not there is a failure; without it, pages are not looked at.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ARGUMENTS: Final = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS: Final = (360, 768, 1024, 1280, 1366, 1440, 1600)
"""From a phone to a wide window."""
HEIGHT: Final = 900
DRAWN: Final = """[...document.querySelectorAll('svg.plot')].every((chart) =>
  !chart.getClientRects().length || chart.getAttribute('width') == Math.floor(chart.parentElement.clientWidth))"""
"""Whether all charts that are shown have the width of their place."""
UNFIT: Final = """() => {
  const found = [];
  const told = (what, at) => found.push(`${what}: ${at.tagName}.${at.className} ${at.textContent.slice(0, 40)}`);
  for (const at of document.querySelectorAll('header *, main *, footer *')) {
    if (!at.getClientRects().length || at.closest('svg *, .unseen, option')) continue;
    const edge = (at.closest('.card') ?? document.body).getBoundingClientRect().right;
    const right = at.getBoundingClientRect().right;
    if (right > Math.min(edge, innerWidth) + 1) told('sticks out', at);
    const isCut = at.scrollWidth > at.clientWidth + 1 || at.scrollHeight > at.clientHeight + 2;
    const hides = getComputedStyle(at).overflow !== 'visible';
    if (hides && isCut && !at.closest('[title]:not([title=""])')) told('is cut', at);
  }
  if (document.documentElement.scrollWidth > innerWidth) found.push(`the page is ${document.documentElement.scrollWidth} wide`);
  return found;
}"""
"""What sticks out of its card or the window, and what is cut with no title that says it whole."""
_STEPS, _STEP_MS = 200, 50


def chromium() -> str:
    """Return the path of the browser, or skip the test."""
    named = os.environ.get("COSTSCAN_BROWSER")
    if not named:
        pytest.skip("needs Chromium: name it in COSTSCAN_BROWSER")
    return named


@dataclass
class Shown:
    """A page that is shown, with all that it asked for and complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def script(self, text: str, value: Any = None) -> Any:
        return self.page.evaluate(text, value)

    def until(self, condition: str) -> None:
        """Wait for a condition; the policy of the page lets nothing wait inside it."""
        for _ in range(_STEPS):
            if self.script(condition):
                return
            self.page.wait_for_timeout(_STEP_MS)
        raise AssertionError(condition)

    def fits(self) -> None:
        """Check that nothing sticks out, and nothing is cut, at each of the widths."""
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": HEIGHT})
            self.until(DRAWN)
            assert self.script(UNFIT) == [], width

    def nothing_happened(self, report: Path) -> None:
        """Check that no markup of a log became an element, and nothing was run or asked for."""
        assert self.script("window.hit") is None
        assert (
            self.script("document.querySelectorAll('img, iframe, object, svg svg, main script').length") == 0
        )
        every = "[...document.querySelectorAll('*')].flatMap((at) => at.getAttributeNames())"
        assert not [name for name in self.script(every) if name.startswith("on")]
        links = self.script("[...document.links].map((a) => a.href)")
        assert not [link for link in links if not link.startswith(f"{report.as_uri()}#")]
        assert self.requests == [report.as_uri()]
        assert not self.complaints, self.complaints

    def texts(self, selector: str) -> list[str]:
        return self.page.locator(selector).all_inner_texts()


@contextmanager
def browser() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield found
        found.close()


@contextmanager
def shown(
    found: Browser, report: Path, page: str = "", *, width: int = 1600, dark: bool = False
) -> Iterator[Shown]:
    """Show a report, or what an address behind its "#" names."""
    context = found.new_context(
        viewport={"width": width, "height": HEIGHT}, color_scheme="dark" if dark else "light"
    )
    seen = Shown(context.new_page())
    seen.page.on("request", lambda request: seen.requests.append(request.url))
    seen.page.on("console", lambda message: seen.complaints.append(message.text))
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.goto(report.as_uri() + page)
    seen.until("performance.getEntriesByName('drawn').length > 0")
    yield seen
    context.close()
