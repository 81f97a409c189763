"""The edge's small pages, for people who follow a link of a message where no frontend is set: plain forms, no script."""

from sav_edge.pages import accounts, estimates, feedback, papers, purchases, report, sandbox, times, visits
from sav_edge.pages.page import Page

PAGES: tuple[Page, ...] = (
    *accounts.PAGES,
    *feedback.PAGES,
    *estimates.PAGES,
    *purchases.PAGES,
    *papers.PAGES,
    *report.PAGES,
    *sandbox.PAGES,
    *times.PAGES,
    *visits.PAGES,
)

__all__ = ["PAGES"]
