"""The console in a browser that tells of everything that a page must not do."""

import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from support import screenshots
from support.gateway import BINARY

AXE = Path(__file__).resolve().parents[1] / "node_modules/axe-core/axe.min.js"
PASSWORD = "correct horse battery staple"
#: WCAG 2.2 A and AA, and axe's best practices.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: Over the wire, with everything that belongs to it.
LARGEST_FIRST_VIEW = 100_000


@contextmanager
def chromium():
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "there is no chromium; scripts/test installs it"
    with sync_playwright() as playwright:
        # Its own sandbox needs a user that is not root.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--no-proxy-server"])
        yield browser
        browser.close()


@contextmanager
def viewer(browser, gateway, path: str):
    """A page of somebody who may only look, opened at a path of the console."""
    password = "a password for looking"
    command = [str(BINARY), "user", "add", "vic", "--role", "viewer", "--config", str(gateway.file)]
    subprocess.run(command, input=password, text=True, check=True, cwd=gateway.file.parent)
    context = browser.new_context(base_url=f"http://{gateway.admin[0]}:{gateway.admin[1]}")
    page = context.new_page()
    page.goto(path)
    page.get_by_label("User name").fill("vic")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    yield page
    context.close()


class Watched:
    """A page whose console errors, violations of the policy and requests are recorded."""

    def __init__(self, page: Page):
        self.page = page
        self.problems: list[str] = []
        self.requests: list[bytes] = []
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("request", self._note_request)

    def _note_console(self, message):
        # A page that answers a form's mistakes with 422 is logged by the browser, and is no mistake of the page.
        if message.type in ("error", "warning") and "422" not in message.text:
            self.problems.append(f"{message.type}: {message.text}")

    def _note_request(self, request):
        head = "".join(f"{name}: {value}\n" for name, value in request.headers.items())
        self.requests.append(f"{request.method} {request.url}\n{head}\n".encode() + (request.post_data_buffer or b""))

    def check(self):
        assert not self.problems, self.problems

    def check_looks(self, name: str):
        """Checks the page as it stands, in light and dark, on a wide screen and a narrow one, and takes pictures."""
        for colours, width in screenshots.LOOKS:
            self.page.set_viewport_size({"width": width, "height": 900})
            # Without transitions, in which colours are between two.
            self.page.emulate_media(color_scheme=colours, reduced_motion="reduce")
            screenshots.take(self.page, name, colours, width)
            look = f"{name}, {colours}, {width} pixels"
            excess = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert excess <= 0, f"{look}: {excess} pixels too wide"
            assert not (violations := self._violations()), f"{look}: {violations}"

    def keep_nothing(self):
        """From now on each page is a first view."""
        # Nothing of what a route sees comes from the browser's cache.
        self.page.route("**", lambda route: route.continue_())

    def check_small(self):
        """Checks the size of a page that nothing was kept for from another."""
        self.page.wait_for_load_state("load")
        entries = "performance.getEntries().filter(entry => entry.transferSize !== undefined)"
        sizes = self.page.evaluate(f"{entries}.map(entry => [entry.name, entry.transferSize])")
        assert {name for name, size in sizes if size} == {name for name, _ in sizes}, f"not a first view: {sizes}"
        assert sum(size for _, size in sizes) < LARGEST_FIRST_VIEW, sizes

    def _violations(self) -> list:
        # Not by a script element, which the policy forbids.
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("rules => axe.run({ runOnly: rules })", RULES)
        return [
            (violation["id"], [(node["target"], node["failureSummary"]) for node in violation["nodes"]][:3])
            for violation in found["violations"]
        ]


def sign_in(page: Page, gateway, name: str = "ann", password: str = PASSWORD):
    """Uses the one-time link that the first start logs."""
    line = gateway.wait_for_log(lambda line: "open once: " in line.get("message", ""))
    page.goto(line["message"].rpartition(" ")[2])
    page.get_by_label("User name").fill(name)
    for field in page.locator("input[type=password]").all():
        field.fill(password)
    page.get_by_role("button").last.click()
    page.get_by_role("heading", name="Custom Domains").wait_for()
