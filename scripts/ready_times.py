"""Print how long pages take until they are ready, opened from file:// in software rendering.

    python scripts/ready_times.py [--times N] PAGE...

Each time in a new browser (Debian's chromium), offline, without a cache. A page is ready when it
has drawn its first map and answers. The browser's own start is not counted.
"""

import argparse
import shutil
import statistics
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from preddiff.studies import machine

SOFTWARE = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
PATIENCE = 120_000  # milliseconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--times", type=int, default=7)
    arguments = parser.parse_args()
    print(machine.describe())
    print("\n| page | MB | ready in s, least | median | most |\n|---|---|---|---|---|")
    for page in arguments.pages:
        seconds = sorted(ready(page) for _ in range(arguments.times))
        least, median = seconds[0], statistics.median(seconds)
        size = page.stat().st_size / 1e6
        print(f"| {page.name} | {size:.2f} | {least:.2f} | {median:.2f} | {seconds[-1]:.2f} |")


def ready(page: Path) -> float:
    """Seconds from asking for a page until it is ready."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=SOFTWARE
        )
        tab = browser.new_context(offline=True, viewport={"width": 1440, "height": 900}).new_page()
        begun = time.perf_counter()
        tab.goto(page.resolve().as_uri(), wait_until="commit")
        tab.wait_for_selector("body[data-ready=yes]", timeout=PATIENCE)
        taken = time.perf_counter() - begun
        browser.close()
    return taken


if __name__ == "__main__":
    main()
