"""One agency as reviewed facts: who it is, which streams it delivers, and how its bytes travel.

A descriptor is one YAML file under ``connectors/agencies``. It is dated configuration: names, codes, volumes and
limits change by editing the file, never the code. Addresses, tokens and passwords are *not* in it, see
:mod:`connectors.endpoint`. A mistake in a file is reported with file, line and key in plain words.

``agency`` who it is · ``streams`` what it delivers · ``transports`` how the bytes travel · ``loading`` reading files
"""

from __future__ import annotations

from connectors.descriptor.agency import Agency, AgencyCode, AgencyName, Contact, HandedOver
from connectors.descriptor.loading import DescriptorError, agency_ids, agency_name, load_agency, load_descriptor
from connectors.descriptor.streams import (
    Absence,
    Circuit,
    FileFormat,
    Limit,
    MassChange,
    NoDeletions,
    RecordStream,
    ReferenceStream,
    Retries,
    Stream,
    Tombstones,
    Volume,
)
from connectors.descriptor.transports import (
    ChangeDates,
    ChangeNumbers,
    DropFolder,
    ExchangeDb,
    HtmlList,
    HttpFacts,
    NextToken,
    PagedApi,
    PageNumbers,
    Sftp,
    SoapService,
    TimeWindows,
    Transport,
    Watermark,
)

__all__ = [
    "Absence",
    "Agency",
    "AgencyCode",
    "AgencyName",
    "ChangeDates",
    "ChangeNumbers",
    "Circuit",
    "Contact",
    "DescriptorError",
    "DropFolder",
    "ExchangeDb",
    "FileFormat",
    "HandedOver",
    "HtmlList",
    "HttpFacts",
    "Limit",
    "MassChange",
    "NextToken",
    "NoDeletions",
    "PageNumbers",
    "PagedApi",
    "RecordStream",
    "ReferenceStream",
    "Retries",
    "Sftp",
    "SoapService",
    "Stream",
    "TimeWindows",
    "Tombstones",
    "Transport",
    "Volume",
    "Watermark",
    "agency_ids",
    "agency_name",
    "load_agency",
    "load_descriptor",
]
