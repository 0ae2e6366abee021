"""Pages under test, and a browser without a network."""

from __future__ import annotations

import http.server
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--enable-logging=stderr",
    "--v=0",
    "--window-size=1300,900",
    "--virtual-time-budget=20000",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
# Notes in the document the colours in which anything was drawn on a canvas.
WATCH_CANVAS = """
  const colors = new Set();
  for (const [name, style] of [["stroke", "strokeStyle"], ["fill", "fillStyle"]]) {
    const original = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...args) {
      colors.add(String(this[style]));
      document.documentElement.dataset.drawn = [...colors].join(" ");
      return original.apply(this, args);
    };
  }
"""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: opens a page in headless Chromium")


@dataclass(frozen=True)
class Visit:
    """What was there after a page had loaded and its scripts had run.

    Attributes
    ----------
    dom : str
        The document as HTML.
    console : list of str
        Messages on the console, errors that nobody caught among them.
    abroad : list of str
        Addresses outside this machine that the page asked for.
    """

    dom: str
    console: list[str]
    abroad: list[str]


@pytest.fixture
def visit(tmp_path):
    """Open an address without a network."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")

    net_log = tmp_path / "net.json"

    def load(address: str) -> Visit:
        done = subprocess.run(
            [
                CHROMIUM,
                *FLAGS,
                f"--user-data-dir={tmp_path / 'profile'}",
                f"--log-net-log={net_log}",
                "--dump-dom",
                address,
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        console = re.findall(r"CONSOLE:\d+\] (.*)", done.stderr)
        return Visit(done.stdout, console, asked_abroad(net_log.read_text(encoding="utf-8")))

    return load


def asked_abroad(net_log: str) -> list[str]:
    """List what a page, not the browser itself, asked of other machines."""
    try:
        log = json.loads(net_log)
    except json.JSONDecodeError:  # the browser ended before it closed the list of events
        log = json.loads(net_log.rstrip().rstrip(",") + "]}")
    start = log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    asked = [event.get("params", {}) for event in log["events"] if event["type"] == start]
    return [
        request["url"]
        for request in asked
        if request.get("initiator", "not an origin") != "not an origin"
        and urlsplit(request["url"]).scheme in ("http", "https")
        and urlsplit(request["url"]).hostname != "127.0.0.1"
    ]


@pytest.fixture(scope="session")
def study_page(tmp_path_factory) -> Path:
    """The page that HESSX_STUDY_PAGE names, else a small one made here."""
    given = os.environ.get("HESSX_STUDY_PAGE")
    if given:
        page = Path(given).resolve()
        assert page.exists(), f"HESSX_STUDY_PAGE = {given}: no such file"
        return page
    testing = pytest.importorskip("typer.testing")
    cli = pytest.importorskip("hessx.study.cli")
    out = tmp_path_factory.mktemp("study")
    done = testing.CliRunner().invoke(
        cli.app,
        [
            "study", "--out", str(out), "--backends", "numpy", "--methods", "gd,lbfgs,inverse-1",
            "--problems", "linear-regression,extended-rosenbrock",
        ],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    return out / "index.html"


@dataclass(frozen=True)
class Dashboard:
    """The benchmarks' pages: their folder, their address, and what the server did not find."""

    folder: Path
    address: str
    missing: list[str]


@pytest.fixture
def dashboard() -> Iterator[Dashboard]:
    """The folder that HESSX_DASHBOARD or ``nox -s dashboard`` gives, served."""
    given = os.environ.get("HESSX_DASHBOARD")
    folder = Path(given) if given else ROOT / "asv_benchmarks" / ".asv" / "html"
    if not (folder / "index.html").exists():
        assert not given, f"HESSX_DASHBOARD = {given}: there is no index.html in it"
        pytest.skip(f"there is no dashboard in {folder}: nox -s dashboard makes it")
    missing: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(folder))

        def do_GET(self) -> None:
            if urlsplit(self.path).path != "/":
                super().do_GET()
                return
            page = (folder / "index.html").read_text(encoding="utf-8")
            body = page.replace("<head>", f"<head><script>{WATCH_CANVAS}</script>", 1).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_error(self, format: str, *args: Any) -> None:
            missing.append(self.path)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Dashboard(folder, f"http://127.0.0.1:{server.server_port}", missing)
        server.shutdown()
        thread.join()
