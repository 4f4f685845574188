"""What can be wrong with a file before anyone asks what its columns mean: one table, told in the stewards' words.

A rule that refuses stops the file; a rule that rejects stops one row and lets the others go on; a rule that warns
stops nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from transforms.problems import DeliveryRefused, Problem


@dataclass(frozen=True, slots=True)
class FormatRule:
    """One thing that can be wrong: ``message`` is a template, ``why`` says what would happen without the rule."""

    id: str
    severity: Literal["refuse", "reject", "warn"]
    title: str
    message: str
    remedy: str
    why: str

    def problem(self, file: str, row: int | None = None, field: str = "", text: str = "", **values: Any) -> Problem:
        """Say it of one file or row; ``values`` fill the template (KeyError when one is missing)."""
        message = self.message.format_map(values)
        return Problem(self.id, self.severity, message, self.remedy, file=file, row=row, field=field, text=text)

    def refusal(self, file: str, row: int | None = None, **values: Any) -> DeliveryRefused:
        """Say it as the exception that stops the file."""
        return DeliveryRefused(self.problem(file, row, **values))


EMPTY_FILE: Final = FormatRule(
    "F01",
    "refuse",
    "空文件",
    "文件没有任何内容",
    "请确认导出程序已写完文件后重新报送;当日确无数据的,请报送只含表头的文件",
    "An export that was cut off at its first byte must not look like a day without decisions.",
)
WEB_PAGE: Final = FormatRule(
    "F02",
    "refuse",
    "网页",
    "收到的是网页(HTML),不是数据文件,多为登录页或报错页",
    "请检查下载地址和登录状态,重新导出数据文件后报送",
    "An error page saved as .csv is the most common false delivery; as text it would become one strange column.",
)
UNKNOWN_FORMAT: Final = FormatRule(
    "F03",
    "refuse",
    "格式不受支持",
    "文件格式不受支持:{what}",
    "请另存为 CSV(UTF-8)、XLSX、XML、JSON 或 JSON Lines 后重新报送,不要只改扩展名",
    "Each reader is a door; a format that nobody asked for is not let in by its extension.",
)
UNKNOWN_ENCODING: Final = FormatRule(
    "F04",
    "refuse",
    "编码不受支持",
    "文件编码不受支持:{what}",
    "请另存为 UTF-8 或 GB18030 编码后重新报送",
    "A wrong guess turns names into other names; UTF-8 and GB18030 are the only two the exchange agreed on.",
)
NO_TABLE: Final = FormatRule(
    "F05",
    "refuse",
    "找不到表头或记录",
    "{what}",
    "请按数据项模板报送:表头为数据项代码或中文名称,表格文件用逗号或制表符分隔",
    "Without names of columns a file could only be mapped by position, which is forbidden.",
)
DUPLICATE_COLUMN: Final = FormatRule(
    "F06",
    "refuse",
    "列名重复",
    "列名重复:{names}",
    "请删除或改正重复的列,使每个列名只出现一次,再重新报送",
    "Which of two columns of one name is meant cannot be told by a machine.",
)
TOO_MANY_COLUMNS: Final = FormatRule(
    "F07",
    "refuse",
    "列数过多",
    "共 {count} 列,超过上限 {limit} 列",
    "请只保留模板中的列后重新报送",
    "A sheet has about thirty columns; thousands mean a transposed or hostile file.",
)
TOO_LARGE: Final = FormatRule(
    "F08",
    "refuse",
    "文件过大",
    "{what}",
    "请拆分成较小的文件重新报送;超大 JSON 请改用 JSON Lines(每行一条记录)",
    "A zip bomb of some kilobytes unpacks to terabytes; it is stopped before it is unpacked.",
)
BROKEN_XML: Final = FormatRule(
    "F09",
    "refuse",
    "XML 不完整",
    "XML 在第 {line} 行损坏或被截断({what})",
    "请检查传输是否中断,用校验工具确认 XML 完整后重新报送",
    "After the first broken tag nothing says where a record ends; a guess would lose or merge records.",
)
XML_DTD: Final = FormatRule(
    "F10",
    "refuse",
    "XML 含 DTD",
    "XML 含有文档类型定义(DTD)或实体声明,出于安全不予解析",
    "请去掉 <!DOCTYPE …> 和实体声明后重新报送",
    "Entities read local files (XXE) or grow without bound; no sheet needs them.",
)
BROKEN_JSON: Final = FormatRule(
    "F11",
    "refuse",
    "JSON 不完整",
    "JSON 在第 {line} 行损坏或被截断",
    "请检查传输是否中断,用校验工具确认 JSON 完整后重新报送",
    "After the first broken bracket nothing says where a record ends.",
)
TOO_MANY_DAMAGED: Final = FormatRule(
    "F12",
    "refuse",
    "损坏行过多",
    "损坏的行超过 {limit} 行,整个文件按损坏处理",
    "请检查分隔符、编码和导出程序,整份重新导出后报送",
    "Tens of thousands of damaged rows are one broken export, not tens of thousands of tasks for a steward.",
)
FIELD_COUNT: Final = FormatRule(
    "F13",
    "reject",
    "字段个数不符",
    "表头有 {expected} 列,本行有 {actual} 个字段",
    "请检查本行是否缺少或多出分隔符;内容含逗号、引号或换行的,须用英文双引号括起",
    "A missing comma shifts every later value into a wrong column: a fine becomes a date.",
)
UNDECODABLE: Final = FormatRule(
    "F14",
    "reject",
    "含无法解码的字节",
    "本行含有不属于 {encoding} 编码的字节",
    "请用文件其余部分的编码重新导出本行",
    "A replaced character in a name makes another name.",
)
NUL_BYTE: Final = FormatRule(
    "F15",
    "reject",
    "含空字符",
    "本行含有空字符(NUL)",
    "请去掉空字符后重新报送本行",
    "PostgreSQL stores no NUL, and dropping it silently would change the text.",
)
LONG_CELL: Final = FormatRule(
    "F16",
    "reject",
    "单元格过长",
    "单元格超过 {limit} 个字符",
    "请核对该单元格是否误粘贴了整份文件,按模板长度填写后重新报送本行",
    "The longest legal field has 5,000 characters; a cell of megabytes is a pasted file.",
)
FORMULA: Final = FormatRule(
    "F17",
    "reject",
    "公式单元格",
    "单元格是公式,不是值",
    "请复制该列,以“值”的方式粘贴后重新报送本行",
    "A formula's shown value may be stale, may refer to another file, and is not what was decided.",
)
EXCEL_VALUE: Final = FormatRule(
    "F18",
    "reject",
    "Excel 值失真",
    "单元格的值已失真:{what}",
    "请将该列设为“文本”格式后重新填写,再报送本行",
    "#REF! is no value, and Excel keeps 15 digits: a longer number has already been changed.",
)
STRUCTURE: Final = FormatRule(
    "F19",
    "reject",
    "记录结构不符",
    "记录结构不符:{what}",
    "请使每条记录只含一层“数据项: 值”,每个数据项只出现一次",
    "A nested or repeated field has no place in a flat sheet; picking one part would lose the other.",
)
UNREADABLE: Final = FormatRule(
    "F20",
    "reject",
    "记录无法解析",
    "记录无法解析:{what}",
    "请检查本行的引号、括号是否成对,改正后重新报送本行",
    "One broken line must not take the others with it.",
)
NO_ROWS: Final = FormatRule(
    "F21",
    "warn",
    "没有数据行",
    "文件没有数据行",
    "当日确无数据的无需处理;否则请检查导出条件后重新报送",
    "A day without decisions is normal, but an empty export looks the same.",
)
BLANK_ROWS: Final = FormatRule(
    "F22",
    "warn",
    "空白行",
    "跳过 {count} 个空白行",
    "无需处理;下次报送前请删除空白行",
    "Spreadsheets end in formatted, empty rows; they are no records, but a count that differs must be explained.",
)
OTHER_SHEETS: Final = FormatRule(
    "F23",
    "warn",
    "其他工作表未读取",
    "只读取了工作表“{read}”,以下工作表也像数据表但未读取:{others}",
    "其余工作表含有应报送数据的,请另存为单独文件报送",
    "Rows on a second sheet would otherwise be lost in silence.",
)

ROWS_ABOVE: Final = FormatRule(
    "F24",
    "warn",
    "表头上方的行",
    "表头在第 {header} 行,其上方的第 {rows} 行未读取",
    "如为标题、单位、制表日期等说明,无需处理;如含应报送数据,请移到表头下方后重新报送",
    "A title row above the table is customary, but what is passed over must be told.",
)

RULES: Final[tuple[FormatRule, ...]] = (
    EMPTY_FILE,
    WEB_PAGE,
    UNKNOWN_FORMAT,
    UNKNOWN_ENCODING,
    NO_TABLE,
    DUPLICATE_COLUMN,
    TOO_MANY_COLUMNS,
    TOO_LARGE,
    BROKEN_XML,
    XML_DTD,
    BROKEN_JSON,
    TOO_MANY_DAMAGED,
    FIELD_COUNT,
    UNDECODABLE,
    NUL_BYTE,
    LONG_CELL,
    FORMULA,
    EXCEL_VALUE,
    STRUCTURE,
    UNREADABLE,
    NO_ROWS,
    BLANK_ROWS,
    OTHER_SHEETS,
    ROWS_ABOVE,
)
"""All rules of this folder, by number."""
