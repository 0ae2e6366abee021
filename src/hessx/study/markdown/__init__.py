"""The report of a study as Markdown, with drawings as SVG."""

from __future__ import annotations

from hessx.study.markdown.report import write_markdown

__all__ = ["write_markdown"]
