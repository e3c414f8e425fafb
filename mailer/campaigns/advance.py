"""The front door: opens campaigns and moves them on. Every rule about whether one may go out stands here."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

import msgspec

from mailer.campaigns import approval
from mailer.campaigns.account import Account
from mailer.campaigns.agenda import Agenda
from mailer.campaigns.campaign import Campaign, State, move
from mailer.errors import Refused


def open_campaign(
    agenda: Agenda,
    issue: str,
    content_hash: str,
    segments: Sequence[str],
    *,
    by: str,
    now: datetime,
    again: bool = False,
    rules: Mapping[str, str] = MappingProxyType({}),
    excluded: Sequence[str] = (),
) -> Campaign:
    """
    Open a campaign for an issue that was signed off as it stands.

    What was held for the same issue is cancelled: this campaign stands in its place.

    Raises:
        Refused: Not approved, edited since, or a segment has had the issue and `again` was not given.

    """
    if not segments:
        raise Refused("a campaign needs at least one segment")
    with agenda.alone():
        earlier = may_open(agenda, issue, content_hash, segments, again=again)
        draft = Campaign(0, issue, content_hash, tuple(segments), State.DRAFT, now, created_by=by)
        draft = msgspec.structs.replace(draft, rules=dict(rules), excluded=tuple(excluded))
        opened = agenda.add(draft)
        approved = agenda.save(opened, move(opened, State.APPROVED), who=by, at=now)
        for held in (campaign for campaign in earlier if campaign.state is State.HELD):
            replaced = move(held, State.CANCELLED, reason=f"replaced by campaign {opened.id}")
            agenda.save(held, replaced, who=by, at=now)
    return approved


def may_open(agenda: Agenda, issue: str, content_hash: str, segments: Sequence[str], *, again: bool) -> list[Campaign]:
    """
    Refuse what `open_campaign` would refuse; gives the earlier campaigns of the issue.

    Raises:
        Refused: Not approved, edited since, or a segment has had the issue and `again` was not given.

    """
    approval.require(agenda.approval(issue), issue, content_hash)
    earlier = agenda.campaigns(issue)
    _refuse_second(earlier, segments, again=again)
    return earlier


def _refuse_second(earlier: Sequence[Campaign], segments: Sequence[str], *, again: bool) -> None:
    """Refuse to send twice what nobody ordered twice; beside what is still to come, even where somebody did."""
    for campaign in earlier:
        both = [segment for segment in segments if segment in campaign.segments]
        if not both or not campaign.holds_its_segments:
            continue
        held = f"campaign {campaign.id} of issue {campaign.issue} is {campaign.state} and holds {', '.join(both)}"
        if campaign.state is State.SCHEDULED:
            raise Refused(f"{held}; to send it at another time, first run `mailer campaigns cancel {campaign.id}`")
        if not again:
            see = f"see `mailer campaigns show {campaign.id}`"
            raise Refused(f"{held}; {see}, or add --again to send it to them a second time")


def schedule(
    agenda: Agenda, campaign: Campaign, at: datetime, *, who: str, now: datetime, grace: timedelta = timedelta(0)
) -> Campaign:
    """
    Set the hour at which an approved campaign goes out.

    Raises:
        Refused: The hour is past by more than the grace.

    """
    if at < now - grace:
        raise Refused(f"{at:%Y-%m-%d %H:%M} is past; name an hour to come with --at, or run `mailer send`")
    scheduled = msgspec.structs.replace(move(campaign, State.SCHEDULED), scheduled_at=at)
    return agenda.save(campaign, scheduled, who=who, at=now)


def start(agenda: Agenda, campaign: Campaign, *, who: str, now: datetime) -> Campaign:
    """
    Let an approved, scheduled or paused campaign send; one that is sending stays so.

    Its recipients must have been frozen.

    Raises:
        Refused: It can't send from where it stands.

    """
    if campaign.state is State.SENDING:
        return campaign
    if campaign.frozen_at is None:
        raise Refused(f"campaign {campaign.id} has no recipients yet; run `mailer send {campaign.issue}`")
    return agenda.save(campaign, move(campaign, State.SENDING), who=who, at=now)


def pause(agenda: Agenda, campaign: Campaign, *, reason: str, who: str, now: datetime) -> Campaign:
    """Stop a sending campaign, with the words of who or what asked for it; what is in flight lands."""
    return agenda.save(campaign, move(campaign, State.PAUSED, reason=reason), who=who, at=now)


def resume(agenda: Agenda, campaign: Campaign, *, who: str, now: datetime) -> Campaign:
    """
    Let a paused campaign go on.

    Raises:
        Refused: It is not paused.

    """
    if campaign.state is not State.PAUSED:
        raise Refused(f"campaign {campaign.id} is {campaign.state}, not paused; there is nothing to resume")
    return start(agenda, campaign, who=who, now=now)


def cancel(agenda: Agenda, campaign: Campaign, *, who: str, now: datetime) -> Campaign:
    """End a campaign before its end; who was not written to stays listed as pending."""
    return agenda.save(campaign, move(campaign, State.CANCELLED, reason=f"cancelled by {who}"), who=who, at=now)


def hold(agenda: Agenda, campaign: Campaign, *, reason: str, who: str, now: datetime) -> Campaign:
    """Keep back a campaign that should have gone out and must not, with the reason why."""
    return agenda.save(campaign, move(campaign, State.HELD, reason=reason), who=who, at=now)


def hold_fire(agenda: Agenda, issue: str, segments: Sequence[str], *, reason: str, now: datetime) -> Campaign:
    """Keep a scheduled send that could not even be opened on the agenda, held, with the reason why."""
    opened = agenda.add(Campaign(0, issue, "", tuple(segments), State.DRAFT, now, created_by="schedule"))
    return hold(agenda, opened, reason=reason, who="schedule", now=now)


def finish(agenda: Agenda, campaign: Campaign, account: Account, *, now: datetime) -> Campaign:
    """
    Close a campaign of which nothing is open.

    Raises:
        Refused: Something is open, or the sums don't reconcile.

    """
    if account.pending:
        raise Refused(f"campaign {campaign.id} has {account.pending} deliveries open; it isn't finished")
    if not account.reconciled:
        raise Refused(
            f"campaign {campaign.id} froze {account.recipients} recipients and accounts for {account.closed}; "
            f"it stays open until a person has found the difference"
        )
    finished = msgspec.structs.replace(move(campaign, State.FINISHED), finished_at=now)
    return agenda.save(campaign, finished, who="mailer", at=now)
