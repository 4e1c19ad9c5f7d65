"""Headless Chromium and axe-core, for tests of pages; a test that needs them is skipped without."""

import html
import json
import re
import shutil
import subprocess
import tarfile

import pytest

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
needs_browser = pytest.mark.skipif(
    BROWSER is None, reason="no Chromium on this machine: apt install chromium"
)
AXE = "axe-core@4.14.1"
RUN_AXE = """
axe.run(document, {resultTypes: ["violations"]}).then((found) => {
  const told = document.createElement("pre");
  told.id = "axe";
  told.textContent = JSON.stringify(found.violations);
  document.body.append(told);
});
"""


def rendered(url, profile, *more):
    """Return the document that a browser has built, and what it logged.

    Its clock runs ahead until nothing is waited for, or for five seconds.
    """
    done = subprocess.run(
        [
            *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *("--enable-logging=stderr", "--v=0", "--virtual-time-budget=5000"),
            *("--disable-background-networking", "--disable-component-update", "--no-first-run"),
            *("--disable-sync", "--disable-quic", f"--user-data-dir={profile}", *more, url),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout, done.stderr


@pytest.fixture(scope="session")
def axe(tmp_path_factory):
    """Return axe-core's source, as npm has it."""
    if shutil.which("npm") is None:
        pytest.skip("no npm on this machine, which axe-core comes by")
    place = tmp_path_factory.mktemp("axe")
    done = subprocess.run(
        ["npm", "pack", "--silent", AXE],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"npm does not give {AXE}: {done.stderr[-200:]}")
    with tarfile.open(place / done.stdout.split()[-1]) as archive:
        source = archive.extractfile("package/axe.min.js").read().decode()
    return source.replace("</script", "<\\/script")


def violations(page, axe, place, *more):
    """Return what axe-core finds wrong with a page's HTML, by rule, with the elements."""
    file = place / "audited.html"
    file.write_text(
        page.replace("</body>", f"<script>{axe}</script><script>{RUN_AXE}</script></body>")
    )
    text, log = rendered(file.as_uri(), place / "axe-profile", *more)
    found = re.search(r'<pre id="axe">(.*?)</pre>', text, re.DOTALL)
    assert found, f"axe-core did not end: {log[-500:]}"
    return {
        item["id"]: [node["html"][:200] for node in item["nodes"]]
        for item in json.loads(html.unescape(found[1]))
    }
