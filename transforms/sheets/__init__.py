"""The templates that agencies fill (报送表样), and how a file is matched to one of them.

Of licences and penalties two sheets are in force in the plan's window and the same words mean different things in them:
代码_2 is the organisation code in the old sheet and the registration number in the new one, 代码_5 is a resident ID
number in the old sheet and an institution certificate in the new one. A column is therefore found by its code, or by
what its label says inside the brackets, never by its number or its place. Each YAML file beside this module is one
sheet; the other kinds have the standard one only.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from transforms.columns import KIND_NAMES, Kind, Sheet
from transforms.problems import DeliveryRefused, Problem
from transforms.yaml_text import read_yaml

_NUMBERED_LABEL: Final = re.compile(r"(?:行政相对人)?代码[_\-]?\d(?:\((?P<named>.+)\))?")
_UNSEEN: Final = re.compile(r"""[\s'"*\u00ad\u200b-\u200f\u2060\ufeff]""")
_BRACKETS: Final = str.maketrans("（）【】[]〔〕", "()()()()")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a sheet: its code and label in the template, and the standard column that it fills."""

    code: str
    target: str
    label: str
    required: bool = False
    may_be_absent: bool = False
    max_length: int | None = None
    other_codes: tuple[str, ...] = ()
    other_labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class SheetDefinition:
    """One template: which columns it has, in the order of the document."""

    kind: Kind
    sheet: Sheet
    columns: tuple[Column, ...]

    @functools.cached_property
    def by_header(self) -> dict[str, Column]:
        """Every accepted spelling of a column, folded for comparison."""
        return {
            fold_header(spelling): column
            for column in self.columns
            for spelling in (column.code, column.label, *column.other_codes, *column.other_labels)
        }

    def code_of(self, target: str) -> str:
        """Return the template's code of a standard column, for people who know the template."""
        return next((column.code for column in self.columns if column.target == target), target)


@dataclass(frozen=True, slots=True)
class Recognition:
    """A header read: the sheet, the template column behind each header cell, and the cells that fit none.

    ``code_tables`` holds, per code of a column, the text behind each value that the source writes there;
    ``tombstone`` the header cell, and the value in it, by which the source says that a record is gone.
    """

    definition: SheetDefinition
    columns: dict[str, Column]
    unknown: tuple[str, ...]
    code_tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tombstone: tuple[str, str] | None = None


def fold_header(header: str) -> str:
    """Fold a header cell for comparison: width, case, blanks, quotes and the form of brackets say nothing."""
    text = unicodedata.normalize("NFKC", header).translate(_BRACKETS)
    return _UNSEEN.sub("", text).upper()


def _load(path: Path) -> SheetDefinition:
    content = read_yaml(path.read_text(encoding="utf-8"))
    columns = tuple(map(_column, content["columns"]))
    return SheetDefinition(kind=Kind(content["kind"]), sheet=Sheet(content["sheet"]), columns=columns)


def _column(entry: dict[str, Any]) -> Column:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return Column(**values)


SHEETS: Final[dict[tuple[Kind, Sheet], SheetDefinition]] = {
    (definition.kind, definition.sheet): definition
    for definition in map(_load, sorted(Path(__file__).parent.glob("*.yaml")))
}


def sheets_of(kind: Kind) -> tuple[SheetDefinition, ...]:
    """Return the templates that exist for a kind: two for 双公示, one for the kinds that had no sheet before."""
    return tuple(SHEETS[kind, sheet] for sheet in Sheet if (kind, sheet) in SHEETS)


def recognise(header: Sequence[str], kind: Kind, *, file: str) -> Recognition:
    """Tell which sheet a header belongs to.

    Raises ``DeliveryRefused`` when the header is of another kind, mixes both sheets, names a 代码_n without saying
    which code it is, fills one column twice, or lacks a required column.
    """
    folded = {cell: fold_header(cell) for cell in header}
    _refuse_bare_code_numbers(folded, file)
    found = {definition.sheet: _match(folded, definition) for definition in sheets_of(kind)}
    own = {sheet: _own_cells(sheet, found) for sheet in Sheet}
    if own[Sheet.STANDARD] and own[Sheet.LEGACY]:
        raise _refused(
            "S02",
            file,
            "表头混用了新、旧两种表样的列",
            "请只用一种表样报送。"
            f"新表样的列: {_listed(own[Sheet.STANDARD])}; 旧表样的列: {_listed(own[Sheet.LEGACY])}。",
        )
    sheet = Sheet.LEGACY if own[Sheet.LEGACY] else Sheet.STANDARD
    definition, columns = SHEETS[kind, sheet], found[sheet]
    _refuse_other_kind(folded, kind, columns, file)
    _refuse_twice_filled(columns, file)
    present = {column.target for column in columns.values()}
    missing = [
        f"{column.code}({column.label})"
        for column in definition.columns
        if column.required and not column.may_be_absent and column.target not in present
    ]
    if missing:
        raise _refused(
            "S03",
            file,
            f"缺少必需的列: {'、'.join(missing)}",
            "请按表样补上整列后重新报送; 列名可用代码或中文名称, 顺序不限。",
        )
    return Recognition(definition, columns, tuple(cell for cell in header if cell not in columns))


def known_cells(header: Sequence[str], kind: Kind) -> int:
    """Return how many cells of a row name a column of the kind, by the sheet that knows most of them."""
    folded = {cell: fold_header(cell) for cell in header}
    return max(len(_match(folded, definition)) for definition in sheets_of(kind))


def _own_cells(sheet: Sheet, found: dict[Sheet, dict[str, Column]]) -> set[str]:
    """Cells that are required columns of one sheet and belong to no other sheet of the kind."""
    elsewhere = {cell for other, columns in found.items() if other is not sheet for cell in columns}
    return {cell for cell, column in found.get(sheet, {}).items() if column.required} - elsewhere


def _match(folded: dict[str, str], definition: SheetDefinition) -> dict[str, Column]:
    matched: dict[str, Column] = {}
    for cell, text in folded.items():
        numbered = _NUMBERED_LABEL.fullmatch(text)
        name = numbered["named"] if numbered else text
        if name and (column := definition.by_header.get(name)):
            matched[cell] = column
    return matched


def _refuse_bare_code_numbers(folded: dict[str, str], file: str) -> None:
    for cell, text in folded.items():
        numbered = _NUMBERED_LABEL.fullmatch(text)
        if numbered and not numbered["named"]:
            raise _refused(
                "S04",
                file,
                f"列名“{cell}”只写了代码序号, 新旧表样的序号含义不同, 不能据此判断是哪种代码",
                "请写全列名, 例如“行政相对人代码_2(工商注册号)”, 或改用列代码, 例如 CF_XDR_GSZC。",
                field=cell,
            )


def _refuse_other_kind(folded: dict[str, str], kind: Kind, columns: dict[str, Column], file: str) -> None:
    for other in Kind:
        best = max(len(_match(folded, definition)) for definition in sheets_of(other))
        if other is not kind and best > len(columns):
            raise _refused(
                "S01",
                file,
                f"这是{KIND_NAMES[other]}的表头, 本次报送的种类却是{KIND_NAMES[kind]}",
                "请核对报送种类(--kind)与文件是否对应。",
            )
    if not columns:
        raise _refused("S01", file, "表头中没有一列属于报送表样", "请检查首行是否为列名, 以及文件编码是否正确。")


def _refuse_twice_filled(columns: dict[str, Column], file: str) -> None:
    cells: dict[str, str] = {}
    for cell, column in columns.items():
        if column.code in cells:
            raise _refused(
                "S05",
                file,
                f"列“{cells[column.code]}”与“{cell}”是同一列({column.code})",
                "请只保留其中一列。",
                field=cell,
            )
        cells[column.code] = cell


def _listed(cells: set[str]) -> str:
    return "、".join(sorted(cells))


def _refused(rule: str, file: str, message: str, remedy: str, field: str = "") -> DeliveryRefused:
    return DeliveryRefused(
        Problem(rule=rule, severity="refuse", message=message, remedy=remedy, file=file, row=1, field=field)
    )


def unknown_column_problems(recognition: Recognition, *, file: str) -> list[Problem]:
    """Say of each unknown header cell that its text is kept but not used."""
    return [
        Problem(
            rule="S06",
            severity="warn",
            message=f"列“{cell}”不在表样中, 内容已原样留存, 未入库使用",
            remedy="如属误填请删除该列; 如属新增列请联系平台登记。",
            file=file,
            row=1,
            field=cell,
        )
        for cell in recognition.unknown
    ]
