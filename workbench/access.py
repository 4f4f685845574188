"""Who may use which route: one table, and what is not in it nobody may."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from store.accounts import Role

EVERYONE: Final = frozenset(Role)
OFFICE: Final = frozenset({Role.PLATFORM, Role.APPROVER, Role.AUDITOR})
"""Those who see every agency's data."""
DECIDES: Final = frozenset({Role.PLATFORM, Role.APPROVER})
MENDS: Final = frozenset({Role.AGENCY, Role.PLATFORM})
"""Those who work through the list."""

PUBLIC: Final = frozenset({"login_page", "log_in", "health", "asset"})
"""Routes that answer anybody."""

MAY: Final[Mapping[str, frozenset[Role]]] = MappingProxyType(
    {
        "log_out": EVERYONE,
        "overview": EVERYONE,
        "deliveries": EVERYONE,
        "delivery": EVERYONE,
        "data_docs": EVERYONE,
        "data_docs_style": EVERYONE,
        "records": EVERYONE,
        "record": EVERYONE,
        "holds": EVERYONE,
        "hold": EVERYONE,
        "decide_hold": DECIDES,
        "worklist": EVERYONE,
        "worklist_items": EVERYONE,
        "preview_reviews": MENDS,
        "act_on_reviews": MENDS,
        "claim_review": MENDS,
        "comment_review": MENDS,
        "correct": MENDS,
        "recheck": MENDS,
        "propose_correction": MENDS,
        "rulings": EVERYONE,
        "ruling": EVERYONE,
        "decide_ruling": DECIDES,
        "findings": EVERYONE,
        "finding": EVERYONE,
        "finding_letter": EVERYONE,
        "decide_findings": MENDS,
        "decide_finding": MENDS,
        "sign_listing": DECIDES,
        "inspection_packet": EVERYONE,
        "base_gaps": EVERYONE,
        "attach": OFFICE,
        "attach_record": frozenset({Role.PLATFORM}),
        "returns": EVERYONE,
        "new_return": frozenset({Role.PLATFORM}),
        "make_return": frozenset({Role.PLATFORM}),
        "return_notice": EVERYONE,
        "return_file": EVERYONE,
        "campaign_returns": EVERYONE,
        "campaign_return": EVERYONE,
        "campaign_form": EVERYONE,
        "check_campaign_return": MENDS,
        "fill_campaign_return": MENDS,
        "submit_campaign_return": MENDS,
        "decide_campaign_return": frozenset({Role.PLATFORM}),
        "scorecards": EVERYONE,
        "scorecard_file": EVERYONE,
        "audit": OFFICE,
        "verify_audit": OFFICE,
        "releases": OFFICE,
        "release": OFFICE,
        "release_file": OFFICE,
        "verify_release": OFFICE,
    }
)


OF_AGENCY: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(
        (
            "findings", "finding", "finding_letter", "decide_findings", "decide_finding", "sign_listing",
            "inspection_packet", "base_gaps",
        ),
        "aic",
    )
)  # fmt: skip
"""Routes about one agency's work: stewards of other agencies may not use them."""


def may(role: Role, route: str, agency: str | None = None) -> bool:
    """Tell whether a role, of an agency where it is an agency's, may use a route."""
    return role in MAY.get(route, frozenset()) and agency in (None, OF_AGENCY.get(route, agency))
