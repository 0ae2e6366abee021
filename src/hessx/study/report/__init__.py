"""The report of a study: what its rows say, for people."""

from __future__ import annotations

from hessx.study.report.environment import environment
from hessx.study.report.page import Study, write_page

__all__ = ["Study", "environment", "write_page"]
