"""Everything a developer or CI runs.  ``nox -l`` lists the sessions, ``nox -s NAME`` runs one."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "venv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "tests"]

ROOT = Path(__file__).parent
OUTPUT = ROOT / "build"

RUFF, MYPY, TORCH = "ruff==0.17.6", "mypy==2.4.1", "torch==2.13.0"
PUBLISHED = "pytorch_optimizer==4.1.0"  # rules of others; needs torch and nothing else
CUPY = "cupy-cuda12x>=14; sys_platform == 'linux' and platform_machine == 'x86_64'"
ASV = "asv>=0.6.5"
RESULTS = Path("asv_benchmarks", ".asv", "results")  # in a tree
HISTORY = str(ROOT / "asv_benchmarks" / "history.py")
COUNTS = ("--quick", "--bench", "track_(?!peak)")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")  # set to 1, times depend less on other work
NEEDS = {
    "numpy": [],
    "strict": ["array-api-strict>=2.3"],
    "torch": [TORCH, PUBLISHED],
    "fakegpu": [TORCH],
    "jax": ["jax"],
    "dask": ["dask[array]"],
    "cupy-signatures": [CUPY],
}
MAX_WHEEL_BYTES = 1_000_000


def has_cpu_torch(session: nox.Session, python: str) -> bool:
    """Whether torch can be installed without a CUDA build of several gigabytes."""
    report = Path(session.create_tmp()).resolve() / "torch.json"
    report.unlink(missing_ok=True)
    session.run(
        python, "-m", "pip", "install", "--quiet", "--dry-run", "--report", str(report), TORCH,
        success_codes=[0, 1], silent=True, external=True,
    )  # fmt: skip
    if report.exists():
        planned = {p["metadata"]["name"].lower() for p in json.loads(report.read_text())["install"]}
        if not any(name.startswith(("nvidia-", "cuda-")) for name in planned):
            return True
    session.warn(f"no CPU build of {TORCH} for Python {platform.python_version()}: left out")
    return False


class Everything:
    """One environment with every library, shared by the sessions that need them all.

    It has more than a gigabyte; one for each session would take minutes.
    """

    folder = ROOT / ".nox" / "everything"
    compiled_once: ClassVar = {  # what JAX compiles for one worker serves all, and later sessions
        "JAX_COMPILATION_CACHE_DIR": str(ROOT / ".nox" / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }

    def __init__(self, session: nox.Session, *packages: str) -> None:
        self.session = session
        self.bin = self.folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = str(self.bin / "python")
        if not self.bin.exists():
            session.run(sys.executable, "-m", "venv", str(self.folder), external=True)
        torch = [TORCH, PUBLISHED] if has_cpu_torch(session, self.python) else []
        package = ["-e", ".[test,study,cutest,jax,dask]", CUPY]
        self.run("python", "-m", "pip", "install", "--quiet", *torch, *package, *packages)

    def run(self, *command: str) -> None:
        """Run a command of the environment."""
        path = os.pathsep.join([str(self.bin), os.environ["PATH"]])
        program, *arguments = command
        env = {"PATH": path, **self.compiled_once}
        self.session.run(str(self.bin / program), *arguments, env=env, external=True)


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """The suite with every array library that computes at once, in one environment."""
    # two workers, each with one thread
    session.env.update(dict.fromkeys(THREADS, "1"))
    everything = Everything(session, "pytest-xdist>=3.6")
    everything.run("pytest", "-rs", "-n", "2", "--ignore=tests/browser", *session.posargs)


@nox.session(venv_backend="none")
def lazy(session: nox.Session) -> None:
    """The suite on JAX and dask, which compile and plan before they compute."""
    session.env.update(dict.fromkeys(THREADS, "1"))
    asked = ("--backend", "jax", "--backend", "dask", "--few")
    everything = Everything(session, "pytest-xdist>=3.6")
    everything.run("pytest", "-rs", "-n", "2", "--ignore=tests/browser", *asked, *session.posargs)


@nox.session(venv_backend="none")
def long(session: nox.Session) -> None:
    """The tests that are too long for every run of the suite."""
    session.env.update(dict.fromkeys(THREADS, "1"))
    everything = Everything(session, "pytest-xdist>=3.6")
    everything.run("pytest", "-m", "long and not crossed", "-n", "2", "tests", *session.posargs)


@nox.session(venv_backend="none")
def types(session: nox.Session) -> None:
    """Types, strictly; some of the libraries have types of their own, so all are installed."""
    Everything(session, MYPY).run("mypy", *session.posargs)


@nox.session
def tests_numpy(session: nox.Session) -> None:
    """The suite with NumPy alone, a few parameters of each test: other libraries are optional."""
    session.env.update(dict.fromkeys(THREADS, "1"))
    session.install("-e", ".", "pytest>=8", "pytest-xdist>=3.6")
    session.run("pytest", "-n", "2", "--few", *session.posargs)


@nox.session
@nox.parametrize("name", list(NEEDS))
def backend(session: nox.Session, name: str) -> None:
    """The tests of one array library."""
    if TORCH in NEEDS[name] and not has_cpu_torch(session, "python"):
        session.skip("no torch to test")
    session.install("-e", ".[test]", *NEEDS[name])
    session.run("pytest", "--backend", name, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and formatting."""
    session.install(RUFF)
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")


@nox.session
def study(session: nox.Session) -> None:
    """The comparative study, quick unless told otherwise; prints where its page is."""
    session.install("-e", ".[study]")
    output = OUTPUT / "study"
    session.run("hessx", "study", "run", "--output", str(output), *session.posargs or ["--quick"])
    session.log(f"study: {output / 'index.html'}")


@nox.session
def cutest(session: nox.Session) -> None:
    """Scores on CUTEst problems: ``nox -s cutest -- LIST.json -m lbfgs``."""
    if not session.posargs:
        session.error("give a list of problems: nox -s cutest -- LIST.json [-m METHOD ...]")
    session.install("-e", ".[cutest]")
    session.run("hessx", "cutest", "score", *session.posargs)


def measure(everything: Everything, tree: Path, *chosen: str) -> str:
    """Run the benchmarks of a tree on the package of that tree; give its commit."""
    session, src = everything.session, str(tree / "src")
    # asv loads NumPy before the benchmarks could say the first; it takes PYTHONPATH by this name
    session.env.update(dict.fromkeys(THREADS, "1"), ASV_PYTHONPATH=src)
    with session.chdir(tree / "asv_benchmarks"):
        commit = session.run("git", "rev-parse", "HEAD", external=True, silent=True).strip()
        everything.run("asv", "machine", "--yes")
        everything.run(
            "asv", "run", "--environment", f"existing:{everything.python}",
            "--set-commit-hash", commit, "--launch-method", "forkserver", "--show-stderr", *chosen,
        )  # fmt: skip
    return commit


@contextlib.contextmanager
def checked_out(session: nox.Session, commit: str) -> Iterator[Path]:
    """A tree of a commit, for as long as it is measured."""
    tree = OUTPUT / "commit"
    git = ("git", "worktree")
    if tree.exists():
        session.run(*git, "remove", "--force", str(tree), external=True)
    session.run(*git, "add", "--quiet", "--force", "--detach", str(tree), commit, external=True)
    try:
        yield tree
    finally:
        session.run(*git, "remove", "--force", str(tree), external=True)


@nox.session(venv_backend="none")
def bench(session: nox.Session) -> None:
    """Benchmarks of the code, quick unless told otherwise: ``nox -s bench -- --bench track_``."""
    if os.environ.get("CI"):  # whether all of them run, with fewer variables
        session.env["HESSX_BENCHMARKS"] = "small"
    measure(Everything(session, ASV), ROOT, *session.posargs or ["--quick"])


@nox.session(venv_backend="none")
def bench_history(session: nox.Session) -> None:
    """Keep the counts of commits, or of HEAD, with the project: ``nox -s bench_history -- v1``."""
    everything = Everything(session, ASV)
    for given in session.posargs or ["HEAD"]:
        with checked_out(session, given) as tree:
            commit = measure(everything, tree, *COUNTS)
            everything.run("python", HISTORY, "keep", str(tree / RESULTS), commit)


@nox.session(venv_backend="none")
def regressions(session: nox.Session) -> None:
    """What has grown since a commit: ``nox -s regressions -- COMMIT``, and ``--times`` after it.

    Counts are compared with those that are kept of it; times with its own, measured here and now.
    """
    if not session.posargs:
        session.error("give a commit: nox -s regressions -- COMMIT [--times]")
    given, *asked = session.posargs
    commit = session.run("git", "rev-parse", given, external=True, silent=True).strip()
    everything, here = Everything(session, ASV), str(ROOT / RESULTS)
    now = measure(everything, ROOT, *COUNTS)
    kept = str(Path(HISTORY).with_name("counts"))
    everything.run("python", HISTORY, "compare", "track", kept, commit, here, now)
    if "--times" in asked:
        with checked_out(session, commit) as tree:
            measure(everything, tree, "--bench", "time_")
            measure(everything, ROOT, "--bench", "time_")
            there = str(tree / RESULTS)
            everything.run("python", HISTORY, "compare", "time", there, commit, here, now)


@nox.session(venv_backend="none")
def compare(session: nox.Session) -> None:
    """Methods beside SciPy's and torch.optim's, on one thread: time, and peak memory."""
    script = ROOT / "asv_benchmarks" / "compare_scipy.py"
    Everything(session).run("python", str(script), *session.posargs)


def leave_nothing_missing(page: Path) -> None:
    """Make the optional files that asv-tachyon asks for, empty: each would be an error 404.

    asv's own page, which asv-tachyon sets aside, asks the network for its scripts.
    """
    (page / "index.legacy.html").unlink(missing_ok=True)
    graphs = page / "graphs"
    optional = [page / "samples" / graph.relative_to(graphs) for graph in graphs.rglob("*.json")]
    optional += [page / f"{name}.json" for name in ("commits", "profiles", "regressions-ignore")]
    for file in optional:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}")


@nox.session(requires=["bench"])
def dashboard(session: nox.Session) -> None:
    """The page of the benchmarks, a curve per backend; it needs a web server and no network.

    Counts go back over the commits whose counts are kept with the project.
    """
    session.install(ASV, "asv-tachyon>=0.5.8")
    with session.chdir(ROOT / "asv_benchmarks"):
        session.run("python", "history.py", "join", ".asv/results", ".asv/joined")
        session.run("asv", "--config", "page.conf.json", "publish")
        session.run("asv-tachyon", "install", ".asv/html")
    page = ROOT / "asv_benchmarks" / ".asv" / "html"
    leave_nothing_missing(page)
    session.log(f"dashboard: python -m http.server --directory {page}")


@nox.session
def browser(session: nox.Session) -> None:
    """The study's page and the dashboard in headless Chromium, without a network."""
    if shutil.which("chromium") is None:
        reason = "chromium is not installed (Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            session.error(reason)
        session.skip(reason)
    session.install("-e", ".[test,study]")
    pages = {
        "HESSX_STUDY_PAGE": OUTPUT / "study" / "index.html",
        "HESSX_DASHBOARD": ROOT / "asv_benchmarks" / ".asv" / "html",
    }
    ci = os.environ.get("CI")  # there the sessions study and dashboard have run
    made = {name: str(page) for name, page in pages.items() if ci or page.exists()}
    session.run("pytest", "-rs", "tests/browser", *session.posargs, env=made)


@nox.session
def device(session: nox.Session) -> None:
    """Measurements and tests on a CUDA device, one report; elsewhere says why not."""
    if shutil.which("nvidia-smi") is None:
        session.log("no CUDA device here (nvidia-smi is not on the path): nothing was run")
        return
    if session.virtualenv.is_sandboxed:  # with --no-venv, what the machine has is used
        session.install("-e", ".[test,cuda12,torch]")
    report = OUTPUT / "device-report.md"
    session.run("python", "tests/device/report.py", "--output", str(report), *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Wheel and sdist; the README's first example runs from the wheel in a new environment."""
    session.install("build")
    dist = OUTPUT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(dist))
    (wheel,) = dist.glob("*.whl")
    size = wheel.stat().st_size
    if size >= MAX_WHEEL_BYTES:
        session.error(f"{wheel.name} has {size} bytes: at most {MAX_WHEEL_BYTES}")
    fresh = Path(session.create_tmp()).resolve() / "fresh"
    session.run("python", "-m", "venv", "--clear", str(fresh))
    python = str(fresh / ("Scripts" if os.name == "nt" else "bin") / "python")
    session.run(python, "-m", "pip", "install", "--quiet", str(wheel), external=True)
    example = fresh / "readme_example.py"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example.write_text(re.search(r"^```python\n(.*?)^```", readme, re.M | re.S)[1])
    with session.chdir(fresh):  # away from src, so that the wheel is what is imported
        session.run(python, "-W", "error", str(example), external=True)
    session.log(f"{wheel.name}: {size / 1e3:.0f} kB, the README's example runs from it")
