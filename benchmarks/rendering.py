"""
How long an edition takes: `python benchmarks/rendering.py`.

Compiles the November issue, its pictures made before: one edition, three segments in two languages, and `mailer render`
as a process of its own. Beside it npm's mjml and juice, if node finds them (`NODE_PATH`).
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from mailer.editions.compose import compose
from mailer.editions.edition import Imprint
from mailer.editions.inline import take_inline_styles
from mailer.editions.pictures import mail_safe
from mailer.issues import read

ROOT = Path(__file__).parent.parent
IMPRINT = Imprint("Brief", "Dirección", "Municipio", "Quito", "https://brief.quito.example")
SEGMENTS = {name: {"es": name} for name in ("diplomats", "gads", "partners")}
ROUNDS = 15
NODE = """
const mjml2html = require('mjml'), juice = require('juice'), fs = require('fs');
const [mjml, css] = JSON.parse(fs.readFileSync(process.argv[1], 'utf8')), times = [];
(async () => {
  for (let round = 0; round < 15; round++) {
    const start = process.hrtime.bigint();
    juice.inlineContent((await mjml2html(mjml, {validationLevel: 'skip'})).html, css);
    times.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  console.log(times.sort((a, b) => a - b)[7]);
})();
"""


def median(work: Callable[[], object]) -> float:
    """The median of the rounds in milliseconds, after one to warm up."""
    work()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def node(mjml: str) -> str:
    """What npm's mjml and juice take for the same MJML, or why that can't be said."""
    program = shutil.which("node")
    if program is None:
        return "skipped: there is no node"
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        file.write(json.dumps(take_inline_styles(mjml)))
        file.flush()
        run = subprocess.run([program, "-e", NODE, file.name], capture_output=True, text=True, timeout=120, check=False)
    return f"{float(run.stdout):.1f} ms" if not run.returncode else "skipped: node finds no mjml and juice (NODE_PATH)"


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        picture = partial(mail_safe, cache=Path(folder))
        templates = ROOT / "templates" / "brief"
        spanish = read(ROOT / "issues" / "2022-11")
        english = msgspec.structs.replace(spanish, language="en")
        run = partial(compose, imprint=IMPRINT, templates=templates, picture=picture)
        one = {"diplomats": SEGMENTS["diplomats"]}
        mjml = run([spanish], one).editions[0].mjml
        print(f"one edition, warm                  {median(lambda: run([spanish], one)):8.1f} ms")
        print(f"3 segments x 2 languages, warm     {median(lambda: run([spanish, english], SEGMENTS)):8.1f} ms")
        command = [sys.executable, "-m", "mailer", "render", "2022-11", "--out", folder]
        times = []
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
            times.append(time.perf_counter() - start)
        print(f"mailer render, a process of its own {min(times):7.2f} s")
        print(f"npm mjml + juice, the same MJML     {node(mjml)}")


if __name__ == "__main__":
    main()
