"""A real Chromium for tests of the page: the one that is installed, without a window, without a graphics card."""

import os
import shutil
from contextlib import contextmanager

import pytest
from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Root in a container has no sandbox to put pages into; WebGL is computed by the processor.
ARGUMENTS = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-dev-shm-usage")


def chromium_path():
    """Where Chromium is; without one the test is skipped, or fails where everything has to run."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        reason = "there is no Chromium here; install it (Debian: apt-get install chromium)"
        if os.environ.get("SEGUE_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@contextmanager
def chromium():
    """Start it, for as long as the block takes."""
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """One page, in a profile of its own or a shared one, and everything that went wrong on it."""

    def __init__(self, browser, base, *, shared=None, **context):
        self.base = base
        self.wrong = []
        self.outside = []
        self.context = shared or browser.new_context(**context)
        self.is_shared = shared is not None
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", self._asked)

    def _heard(self, message):
        # The driver's remarks on speed are about software rendering, not about the page.
        if message.type in ("error", "warning") and "GL Driver Message" not in message.text:
            self.wrong.append(message.text)

    def _asked(self, request):
        if not request.url.startswith((self.base, "data:", "file:", "blob:")):
            self.outside.append(request.url)

    def open(self, address="", *, settled=True):
        """Go to an address of the page and wait until it shows what it is about."""
        self.page.goto(self.base + address)
        if settled:
            self.settle()
        return self.page

    def settle(self):
        """Wait until the view is no longer busy."""
        self.page.wait_for_selector('#view[aria-busy="false"]')

    def close(self):
        self.page.close()
        if not self.is_shared:
            self.context.close()
