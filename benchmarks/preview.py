"""
How soon a save is seen: `python -m benchmarks.preview`.

`mailer preview` of the November issue in a chromium (needs one, and playwright); a word of the lead is changed again
and again, and the time is taken from before the file is written until the new word stands in the page.
"""

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mailer.chromium import browser

ROOT = Path(__file__).parent.parent
SAVES = 15
ISSUE = "2022-11"
SHOWN = "word => document.querySelector('#frames iframe:not(.arriving)').contentDocument.body.innerText.includes(word)"


def saves(page: object, text: Path) -> list[float]:
    """The milliseconds from each save to its page."""
    good, times = text.read_text(encoding="utf-8"), []
    place = good.index("\n\n", good.index("](images/")) + 2
    for number in range(SAVES):
        word = f"palabra{number}"
        began = time.perf_counter()
        text.write_text(f"{good[:place]}{word} {good[place:]}", encoding="utf-8")
        page.wait_for_function(SHOWN, arg=word, polling="raf")
        times.append((time.perf_counter() - began) * 1000)
        time.sleep(2)  # the check looks meanwhile
    return times


def main() -> None:
    """Measure and print."""
    program = browser()
    if program is None:
        print("skipped: there is no chromium")
        return
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for part in ("issues", "templates"):
            shutil.copytree(ROOT / part, home / part)
        shutil.copy(ROOT / "config.toml", home)
        order = [sys.executable, "-m", "mailer", "--config", str(home / "config.toml"), "preview", ISSUE, "--port", "0"]
        with (
            subprocess.Popen(order, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process,
            sync_playwright() as player,
        ):
            address = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())[0]
            page = player.chromium.launch(executable_path=program, args=["--no-sandbox"]).new_page()
            page.goto(address)
            page.wait_for_selector("#findings button", timeout=120_000)
            times = sorted(saves(page, home / "issues" / ISSUE / "issue.md"))
            process.terminate()
    print(
        f"from a save to its page, {SAVES} saves   median {statistics.median(times):.0f} ms, worst {times[-1]:.0f} ms"
    )


if __name__ == "__main__":
    main()
