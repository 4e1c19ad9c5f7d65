"""Take the pictures of the documents: `make pictures`. It needs Chromium.

The picture of a report is of the sample report in the repository, which `make evidence` keeps.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "docs" / "sample-report" / "report.html"
PICTURE = ROOT / "docs" / "pictures" / "report.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZE = "1100,760"


def main() -> int:
    """Take them; return the exit code."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("no Chromium on this machine: apt install chromium", file=sys.stderr)
        return 1
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
    command = [browser, *flags, f"--window-size={SIZE}", f"--screenshot={PICTURE}"]
    subprocess.run([*command, REPORT.as_uri()], check=True, capture_output=True)
    print(f"wrote {PICTURE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
