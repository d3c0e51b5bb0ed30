//! Rejections of a table: its file, its header, its cells.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    "FILE_IO" Rejection {
        zh "文件读写不了":
            "操作系统不让程序读写这个文件：路径不存在、没有权限、给的是目录，或者中途出错。\
             账本没有因此改动。请核对路径和权限，关闭正在编辑该文件的软件，再重新运行。";
        en "file cannot be read or written":
            "The operating system does not let the file be read or written: there is none at this \
             path, permission is missing, it is a directory, or it failed half way. Nothing changed \
             in the ledger. Check the path and the permissions, close the program that edits the \
             file, and run the command again.";
    }
    "FILE_EMPTY" Rejection {
        zh "文件是空的":
            "文件里没有任何内容，连表头也没有；工作簿则是所有可见的工作表都为空。\
             程序凭第一行的表头识别模板。请确认导出的是正确的表，再重新导入。";
        en "file is empty":
            "The file has no content, not even a header; of a workbook, all visible sheets are \
             empty. A table is known by the header in its first row. Make sure that the right \
             table was exported, and import again.";
    }
    "FILE_TOO_LARGE" Rejection {
        zh "文件过大":
            "文件的字节数、行数、列数或者解压后的大小超过了程序一次读取的限度。\
             设此限度是为了让损坏或恶意的文件不致耗尽内存。请拆成几个文件，每个都带表头，分别导入；\
             表内只有少量数据的，删除多余的空行空列后另存。";
        en "file too large":
            "The file has more bytes, rows or columns, or unfolds to more, than is read at a time. \
             The bound is there so that a damaged or malicious file cannot use up the memory. \
             Split it into several files, each with the header, and import them one by one; if it \
             has little in it, delete the surplus empty rows and columns and save it again.";
    }
    "FILE_ENCODING" Rejection {
        zh "文字编码不对":
            "文本文件的编码既不是 UTF-8 也不是 GB18030，汉字无法可靠还原。程序不猜测编码，\
             以免姓名被读错后记入账本。请在表格软件中另存为“CSV UTF-8”或 XLSX，再重新导入。";
        en "unknown text encoding":
            "The text is neither UTF-8 nor GB18030, so its characters cannot be known for certain. \
             The encoding is not guessed, lest a name be recorded wrongly. Save the table from the \
             spreadsheet as \"CSV UTF-8\" or XLSX, and import it again.";
    }
    "FILE_UNREADABLE" Rejection {
        zh "文件无法识别":
            "文件不是可以读取的表格：不是文本也不是 XLSX，是旧版 XLS 或设了密码，或者工作簿已经损坏。\
             没有导入任何内容。请用表格软件打开并检查，另存为不带密码的 XLSX 或 CSV，再重新导入。";
        en "file not readable as a table":
            "The file is no table that can be read: neither text nor XLSX, an old XLS, one with a \
             password, or a damaged workbook. Nothing was imported. Open it in the spreadsheet, \
             look at it, save it as XLSX without a password or as CSV, and import it again.";
    }
    "FILE_QUOTES" Rejection {
        zh "引号没有闭合":
            "某一行的引号只有左半边，其后各行都会被当成同一个单元格的内容。\
             为避免整段数据被悄悄并掉，整个文件都不导入。请到所指的行补全或删除引号，再重新导入。";
        en "quotation mark never closed":
            "In some row a quotation mark is opened and never closed, so that all rows after it \
             would become part of one cell. The whole file is left alone, lest rows disappear in \
             silence. Close or remove the mark in the row named, and import again.";
    }
    "TEMPLATE_UNKNOWN" Rejection {
        zh "不认识的表头":
            "第一行不是任何模板的表头，程序不知道各列是什么。列名须与模板完全一致，顺序可以不同。\
             请确认表头在第一行、上面没有标题行，并按模板改正列名，再重新导入。";
        en "unknown header":
            "The first row is the header of no template, so it is not known what the columns are. \
             Their names must be exactly those of the template, in any order. Make sure that the \
             header is the first row, with no title above it, correct the names, and import again.";
    }
    "COLUMN_MISSING" Rejection {
        zh "缺少列":
            "表头与某个模板相近，但缺少其中一列或几列。缺列的表如果导入，每一行都会少一项必填内容，\
             所以整个文件都不导入。请按提示补上缺少的列（列名须完全一致），再重新导入。";
        en "column missing":
            "The header is nearly that of a template, but one or more of its columns are missing. \
             Each row would lack something, so the whole file is left alone. Add the columns named \
             in the message, with exactly these names, and import again.";
    }
    "COLUMN_UNKNOWN" Rejection {
        zh "多余的列":
            "表头包含模板之外的列，其内容不会被导入。程序不悄悄丢弃内容，因为多出的列也可能是写错了名称的列。\
             请删除这些列，或者改正列名，再重新导入。";
        en "unknown column":
            "The header has columns that the template does not know and that would not be \
             imported. Content is not dropped in silence, and such a column may be one whose name \
             is misspelt. Delete these columns or correct their names, and import again.";
    }
    "COLUMN_REPEATED" Rejection {
        zh "列名重复":
            "同一列名在表头中出现了两次，无法确定以哪一列为准。请删除多余的一列，或者改正列名，再重新导入。";
        en "column twice":
            "A column's name is in the header twice, so it is not known which of them counts. \
             Delete one or correct its name, and import again.";
    }
    "FIELD_COUNT" Rejection {
        zh "字段数不符":
            "这一行的字段数与表头不一致，各单元格可能已经错位。常见原因是内容中的逗号没有加引号，\
             或者多了、少了分隔符。请对照表头改正这一行，再重新导入；其他行不受影响。";
        en "wrong number of fields":
            "The row has not as many fields as the header, so its cells may stand under the wrong \
             columns. Usually a comma in the content has no quotation marks around it, or there is \
             a separator too many or too few. Correct the row by the header and import again; \
             other rows are not affected.";
    }
    "CELL_EMPTY" Rejection {
        zh "未填写":
            "必填的单元格是空的，或者只有空格。这一行没有记账，其他行不受影响。请补全后重新导入。";
        en "cell is empty":
            "A cell that has to be filled in is empty, or has nothing but blanks. The row was not \
             recorded; other rows are not affected. Fill it in and import again.";
    }
    "CELL_TOO_LONG" Rejection {
        zh "单元格内容过长":
            "单元格的内容超过了表格软件自身的限度，多半是引号没有闭合，把后面的内容都并了进来。\
             请检查这一行的引号和分隔符，改正后重新导入。";
        en "cell too long":
            "The cell holds more than a spreadsheet allows in one; most likely a quotation mark \
             was not closed and what follows has run into it. Look at the quotation marks and \
             separators of the row, correct it, and import again.";
    }
    "CELL_ERROR" Rejection {
        zh "公式出错":
            "单元格里的公式没有算出结果，例如 #N/A 或 #REF!。程序不会把出错的公式当作空白或零。\
             请改正公式，或者直接填入数值，再重新导入。";
        en "formula failed":
            "The cell's formula has no result, for example #N/A or #REF!. It is not taken for a \
             blank or a zero. Correct the formula or put the value in its place, and import again.";
    }
    "CELL_KIND" Rejection {
        zh "单元格类型不对":
            "表格软件把应为文字的内容变成了日期或逻辑值，原来填写的内容已经无法还原，例如编号 1-2 变成了日期。\
             请把该列设为文本格式，重新填写后再导入。";
        en "wrong kind of cell":
            "The spreadsheet has turned a text into a date or a truth value, for example the \
             number 1-2 into a day, and what was typed cannot be recovered. Format the column as \
             text, type the content again, and import.";
    }
    "ID_NOT_TEXT" Rejection {
        zh "证件号码存成了数字":
            "证件号码或编号在表格中存成了数字，而表格软件只保留十五位有效数字，后面几位已经变成零，\
             无法还原。请把该列设为文本格式，按证件重新录入后再导入；只改格式而不重新录入，\
             丢失的数字不会恢复。";
        en "number not stored as text":
            "An identity number or a long reference is stored as a number, of which spreadsheets \
             keep fifteen digits; the others have become zeros and cannot be recovered. Format the \
             column as text, type the numbers again from the documents, and import; changing the \
             format alone does not bring the digits back.";
    }
    "DATE_FORMAT" Rejection {
        zh "日期写法不对":
            "单元格的内容不能读作日期。可用的写法是 2024-02-29、2024/2/29 或者表格软件的日期格式；\
             几个日期之间用分号隔开，连续的日期写成“首日..末日”。程序不猜测两位年份和日月顺序。\
             请改正后重新导入。";
        en "date not understood":
            "The cell cannot be read as a date. Write 2024-02-29 or 2024/2/29, or use a date \
             format of the spreadsheet; separate several dates by semicolons, and write a run of \
             days as FIRST..LAST. Years of two digits and the order of day and month are not \
             guessed. Correct the cell and import again.";
    }
    "DATE_RUN_REVERSED" Rejection {
        zh "起止日期颠倒":
            "一段连续日期的末日早于首日。程序不自行调换，因为写错的也可能是年份或月份。\
             请写成“首日..末日”，改正后重新导入。";
        en "run of days reversed":
            "In a run of days the last lies before the first. They are not exchanged, since a \
             wrong year or month may be the cause. Write FIRST..LAST and import again.";
    }
    "RATE_FORMAT" Rejection {
        zh "利率写法不对":
            "单元格的内容不能读作年利率。利率以百分数填写，4.35% 写作 4.35 或 4.35%。\
             请按借款合同改正后重新导入。";
        en "rate not understood":
            "The cell cannot be read as a yearly rate. Rates are written in percent: 4.35 % is \
             4.35 or 4.35%. Correct it by the loan contract and import again.";
    }
    "RATE_DECIMALS" Rejection {
        zh "利率小数过多":
            "以百分数填写的利率超过四位小数。账本以百万分之一为利率的最小单位，不作四舍五入，\
             以免记入的利率与合同不一致。请按借款合同改正后重新导入。";
        en "too many decimals in a rate":
            "The rate in percent has more than four decimals. The ledger counts rates in \
             millionths and does not round, lest the recorded rate differ from the contract's. \
             Correct it by the loan contract and import again.";
    }
    "YEAR_FORMAT" Rejection {
        zh "年度写法不对":
            "单元格的内容不是四位年份。年度只写数字，例如 2025，不带“年”字，也不要设成日期格式。\
             请改正后重新导入。";
        en "year not understood":
            "The cell is not a year of four digits. Write the digits alone, such as 2025, and do \
             not format the cell as a date. Correct it and import again.";
    }
    "AMOUNT_ZERO" Rejection {
        zh "金额为零":
            "单元格写的是零。冲正、追回的金额留空表示全部，写了就必须大于零，免得把“零”误当成“全部”。\
             请改成要冲正或追回的金额，或者留空，再重新导入。";
        en "amount of zero":
            "The cell says zero. Of a reversal or a recovery, an empty cell means all of it; a \
             figure must be above zero, so that nobody takes one for the other. Write the amount, \
             or leave the cell empty, and import again.";
    }
    "POSITION_FORMAT" Rejection {
        zh "位置写法不对":
            "单元格的内容不是账本位置。位置是大于零的整数，见导入结果的“位置”一列，或查询结果。\
             请改正后重新导入。";
        en "position not understood":
            "The cell is not a position of the chain, which is a whole number above 0. It stands in \
             the last column of an import's results and in every query. Correct it and import again.";
    }
    "PROVINCE_UNKNOWN" Rejection {
        zh "不是省份":
            "单元格的内容不是省级行政区。请写名称（如 广东、广东省）或六位代码（如 440000），不要写到市县。\
             请改正后重新导入。";
        en "not a province":
            "The cell is not a division of the first level. Write its name or its \
             six-digit code (440000), not that of a city or county. Correct it and import again.";
    }
    "GRANT_NUMBER" Rejection {
        zh "不能确定是哪一笔补助":
            "这一行没有写项目，申领编号也不是 @ 加位置。同一个申领编号可能出现在几个项目里，只有编号不能确定是哪一笔。\
             请补上项目，或者项目留空、在申领编号处填 @ 和补助的位置（如 @17）。";
        en "which grant is meant is not clear":
            "The row names no programme, and its claim number is not @ and a position. Two \
             programmes may have the same claim number, so the number alone does not do. Fill in \
             the programme, or leave it empty and write @ and the grant's position, such as @17.";
    }
};
