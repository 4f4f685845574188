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
        "attach": OFFICE,
        "attach_record": frozenset({Role.PLATFORM}),
        "returns": EVERYONE,
        "new_return": frozenset({Role.PLATFORM}),
        "make_return": frozenset({Role.PLATFORM}),
        "return_notice": EVERYONE,
        "return_file": EVERYONE,
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


def may(role: Role, route: str) -> bool:
    """Tell whether a role may use a route."""
    return role in MAY.get(route, frozenset())
