"""
How long an edition takes: `python benchmarks/rendering.py`.

Compiles the November issue, its pictures made before: one edition, three segments in two languages, and `mailer render`
as a process of its own. Beside it npm's mjml and juice, if node finds them (`NODE_PATH`).
"""

import json
import resource
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
  for (let round = 0; round < 16; round++) {
    const start = process.hrtime.bigint(), spent = process.cpuUsage();
    juice.inlineContent((await mjml2html(mjml, {validationLevel: 'skip'})).html, css);
    const {user, system} = process.cpuUsage(spent);
    if (round) times.push([Number(process.hrtime.bigint() - start) / 1e6, (user + system) / 1e3]);
  }
  const median = which => times.map(each => each[which]).sort((a, b) => a - b)[7];
  console.log(JSON.stringify([median(0), median(1)]));
})();
"""


def medians(work: Callable[[], object]) -> str:
    """The medians of the rounds in milliseconds, of the clock and of the processor, after one to warm up."""
    work()
    times, spent = [], []
    for _ in range(ROUNDS):
        start, before = time.perf_counter(), time.process_time()
        work()
        times.append((time.perf_counter() - start) * 1000)
        spent.append((time.process_time() - before) * 1000)
    return told(statistics.median(times), statistics.median(spent))


def told(clock: float, processor: float) -> str:
    """Both figures in a line."""
    return f"{clock:7.1f} ms, {processor:6.1f} of the processor"


def node(mjml: str) -> str:
    """What npm's mjml and juice take for the same MJML, or why that can't be said."""
    program = shutil.which("node")
    if program is None:
        return "skipped: there is no node"
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        file.write(json.dumps(take_inline_styles(mjml)))
        file.flush()
        run = subprocess.run([program, "-e", NODE, file.name], capture_output=True, text=True, timeout=120, check=False)
    return told(*json.loads(run.stdout)) if not run.returncode else "skipped: node finds no mjml and juice (NODE_PATH)"


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
        print(f"one edition, warm                    {medians(lambda: run([spanish], one))}")
        print(f"3 segments x 2 languages, warm       {medians(lambda: run([spanish, english], SEGMENTS))}")
        command = [sys.executable, "-m", "mailer", "render", "2022-11", "--out", folder]
        times, spent = [], []
        for _ in range(5):
            start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            times.append((time.perf_counter() - start) * 1000)
            spent.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000)
        print(f"mailer render, a process, 3 editions {told(statistics.median(times), statistics.median(spent))}")
        print(f"npm mjml + juice, one edition's MJML {node(mjml)}")


if __name__ == "__main__":
    main()
