"""Where a study was made."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import hessx

__all__ = ["environment"]

_PACKAGES = (
    "numpy", "scipy", "scikit-learn", "torch", "jax", "dask", "array-api-compat", "optax",
    "optimistix", "pytorch-minimize", "fides", "optiprofiler",
)  # fmt: skip


def environment() -> dict[str, str]:
    """Describe the machine and the versions of what runs on it."""
    versions = [f"hessx {hessx.__version__}"]
    for package in _PACKAGES:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Python": f"{platform.python_version()} ({platform.python_implementation()})",
        "Libraries": ", ".join(versions),
        "System": platform.platform(),
        "CPU": f"{_cpu()}, {os.cpu_count()} logical cores",
        "Threads": os.environ.get("OMP_NUM_THREADS", "1") + " per run",
    }


def _cpu() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
