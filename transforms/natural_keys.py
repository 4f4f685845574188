"""What makes two rows tell of the same thing: the natural key of each kind, beside the subject (domain 1.10, 6).

licence, penalty
    文书号 (domain 1.10 [found]). No agency in it: a decision that comes again by way of a ministry is one record
    (domain 8 c).
inspection
    The organ and the source's own number, else organ, check type and day: INSAUTH, INSTYPE, INSDATE, INSRES are all
    that domain 6 knows of, without a document number [found]. One organ does one type of check on a subject once a
    day, or numbers its checks [our reading].
abnormal_operation
    The organ and its own number (BUSEXCLIST), else organ, cause and day of listing. AO_OPA_DETAIL holds listing and
    removal of one entry in one row [found]: the removal is a later version of the entry.
serious_violation
    列入决定文书号 (DEDOCNUM), else as above with ILLID; the removal has a number of its own, RECORGNUM [found].
enforcement_notice
    文书号, else organ, measure and day: 约谈 often goes without a document [our reading].
basic_info
    The address of the site (网址), else platform and shop number: one entry per subject and site (domain 5.2
    [our reading]).

The first alternative whose columns are all there counts; a source that begins to number its entries begins new records.
Where a source gives no 数据更新时间戳, ``dated_by`` says which day orders the versions: a removal is later than the
listing that it ends, also when an overlap brings the listing again; of two recordings of a site the newer one holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from transforms import names
from transforms.columns import NATURAL_PERSON, Kind


@dataclass(frozen=True, slots=True)
class NaturalKey:
    """Alternatives in the order in which they are tried, and the days that order versions, the most telling first."""

    alternatives: tuple[tuple[str, ...], ...]
    dated_by: tuple[str, ...] = ()

    @property
    def columns(self) -> frozenset[str]:
        """Every column that one of the alternatives reads."""
        return frozenset(name for alternative in self.alternatives for name in alternative)


_LISTED: Final = (("authority_name", "entry_no"), ("authority_name", "listing_cause", "decision_date"))

NATURAL_KEYS: Final[dict[Kind, NaturalKey]] = {
    Kind.LICENCE: NaturalKey((("document_no",),)),
    Kind.PENALTY: NaturalKey((("document_no",),)),
    Kind.INSPECTION: NaturalKey((("authority_name", "entry_no"), ("authority_name", "check_type", "decision_date"))),
    Kind.ABNORMAL_OPERATION: NaturalKey(_LISTED, ("removal_date", "decision_date")),
    Kind.SERIOUS_VIOLATION: NaturalKey((("document_no",), *_LISTED), ("removal_date", "decision_date")),
    Kind.ENFORCEMENT_NOTICE: NaturalKey((("document_no",), ("authority_name", "measure", "decision_date"))),
    Kind.BASIC_INFO: NaturalKey((("site_address",), ("platform_name", "shop_id")), ("decision_date",)),
}

_FOLDED: Final = {
    "authority_name": names.name_key,
    "platform_name": names.name_key,
    "site_address": names.site_key,
}
"""How a column is written for comparison; numbers are folded as 文书号 are, the others compared as they stand."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What identifies each record of a batch (null where the key is incomplete), and its parts for looking it up."""

    natural: pa.StringArray
    document: pa.StringArray
    subject: pa.StringArray


def keys_of(kind: Kind, written: Mapping[str, pa.StringArray]) -> Keys:
    """Fold and put together the keys of a batch.

    ``written`` holds the standard columns in their canonical texts. Natural persons and organisations, and the kinds,
    are kept apart. ``document`` is the number by which the agency itself calls a record: 文书号, else its own number.
    """
    subject = names.name_key(written["subject_name"])
    numbers = {name: names.document_key(written[name]) for name in ("document_no", "entry_no") if name in written}
    person = pc.equal(written["subject_category"], NATURAL_PERSON)
    realm = pc.if_else(pc.fill_null(person, False), f"{kind}\x1fperson", f"{kind}\x1forganisation")
    key = NATURAL_KEYS[kind]
    parts = numbers | {name: _FOLDED.get(name, _as_it_stands)(written[name]) for name in key.columns - numbers.keys()}
    natural = (
        pc.binary_join_element_wise(realm, *(parts[name] for name in alternative), subject, "\x1f")
        for alternative in key.alternatives
    )
    return Keys(pc.coalesce(*natural), pc.coalesce(*numbers.values()), subject)


def _as_it_stands(texts: pa.StringArray) -> pa.StringArray:
    return texts


def moment_of_version(kind: Kind, values: Mapping[str, pa.Array]) -> pa.StringArray | None:
    """Return the day that orders the versions of a kind as an ISO moment (its midnight), None where it has none."""
    days = [values[name] for name in NATURAL_KEYS[kind].dated_by]
    return pc.strftime(pc.coalesce(*days), format="%Y-%m-%dT00:00:00") if days else None
