"""The page of the campaigns, docs/nightly.md: what was shown of the newest sources, and by which parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from tools.nightly.campaigns import Campaign
from tools.nightly.ledger import Entry, done
from tools.run_tests import ROOT

PAGE = ROOT / "docs" / "nightly.md"
_COMMIT_CHARACTERS = 12
_HEAD = """# The long campaigns

Written by `make nightly`, which goes on where the last run stopped: parts add up as long as `src/` and
`crates/` stay as they are. A campaign stands under the newest sources on which it met its goal, and under
newer ones on which it has begun. Every part is in [nightly.jsonl](nightly.jsonl). Seeds count from 0, so a
part is run again by its numbers.
"""


def render(campaigns: Sequence[Campaign], entries: Sequence[Entry]) -> str:
    """The page as Markdown, newest sources first."""
    if not entries:
        return _HEAD + "\nNothing has run yet.\n"
    sections = [_HEAD]
    shown: set[str] = set()
    settled: set[str] = set()
    for sources in dict.fromkeys(entry.sources for entry in reversed(entries)):
        counted = [entry for entry in entries if entry.sources == sources]
        begun = {entry.campaign for entry in counted}
        met = {each.name for each in campaigns if done(counted, each.name, sources) >= each.goal}
        names = (begun - shown) | (met - settled)
        if names:
            sections.append(_section(sources, [each for each in campaigns if each.name in names], counted))
        shown |= begun
        settled |= met
    return "\n".join(sections)


def _section(sources: str, campaigns: Sequence[Campaign], entries: Sequence[Entry]) -> str:
    names = {campaign.name for campaign in campaigns}
    return "\n".join(
        (
            f"## Sources `{sources}`\n",
            "| campaign | what is counted | goal | done | failed | minutes |",
            "|---|---|--:|--:|--:|--:|",
            *(_row(campaign, entries, sources) for campaign in campaigns),
            "",
            "| campaign | seeds | failed | commit | date | machine |",
            "|---|---|--:|---|---|---|",
            *_parts(entry for entry in entries if entry.campaign in names),
            "",
        )
    )


def _row(campaign: Campaign, entries: Iterable[Entry], sources: str) -> str:
    own = [entry for entry in entries if entry.campaign == campaign.name]
    failed = sum(entry.failed for entry in own)
    minutes = sum(entry.seconds for entry in own) / 60
    reached = done(own, campaign.name, sources)
    counts = f"{campaign.goal:,} | {reached:,} | {failed} | {minutes:.0f}"
    return f"| {campaign.name} | {campaign.counts} | {counts} |"


def _parts(entries: Iterable[Entry]) -> list[str]:
    """One row for all parts of a campaign that ran in a row at one commit."""
    rows = []
    for key, group in groupby(
        entries, lambda entry: (entry.campaign, entry.commit, entry.date, entry.machine)
    ):
        campaign, commit, date, machine = key
        parts = list(group)
        seeds = f"{parts[0].first:,} – {parts[-1].first + parts[-1].count - 1:,}"
        failed = sum(part.failed for part in parts)
        rows.append(
            f"| {campaign} | {seeds} | {failed} | `{commit[:_COMMIT_CHARACTERS]}` | {date} | {machine} |"
        )
    return rows
