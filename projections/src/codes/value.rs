//! Rejections of a value, wherever it came from, and the warning about one.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    "FIELD_REQUIRED" Rejection {
        zh "缺少必填项":
            "必填的字段没有内容，或者没有列出任何日期。缺少这一项就无法判断申领或登记事实。\
             请按提示补全该字段后重新提交。";
        en "field required":
            "A field that has to be filled in is empty, or no date is listed. Without it the claim \
             cannot be judged, nor the fact be recorded. Fill in the field named and submit again.";
    }
    "TEXT_TOO_LONG" Rejection {
        zh "文字过长":
            "字段的文字超过允许的字数。编号、文号等应按原件填写，过长的多半是混入了其他列的内容。\
             请核对并缩短后重新提交。";
        en "text too long":
            "The text of a field has more characters than are allowed. Numbers and references are \
             written as on the document; a longer one has usually taken in another column. Check \
             it, shorten it and submit again.";
    }
    "TEXT_CHARACTER" Rejection {
        zh "含有不可用的字符":
            "文字中有控制字符，或者改变文字显示方向的字符，看上去相同的两段文字可能实际不同。\
             为防止混淆，账本不接受这类字符，多半是从网页或其他文件复制时带入的。\
             请直接键入该内容后重新提交。";
        en "character not allowed":
            "The text holds a control character or one that changes the direction of text, by \
             which two texts may look the same and differ. The ledger takes none of these; they \
             usually come along when text is copied from a page or another file. Type the content \
             anew and submit again.";
    }
    "VALUE_UNKNOWN" Rejection {
        zh "没有这个取值":
            "该字段只能填写规定的几种取值，所填内容不在其中。程序不按相近的字样猜测。\
             请改为提示所列的取值之一，再重新提交。";
        en "no such value":
            "The field takes one of a fixed list of values, and this is none of them. A similar \
             word is not guessed at. Use one of the values named in the message and submit again.";
    }
    "BYTE_LENGTH" Rejection {
        zh "字节长度不对":
            "标识或散列值的字节数与规定不符，多半是复制时缺了一截，或者把文本写法当成了字节。\
             这一项由程序填写，经办人员一般遇不到。请检查发送请求的程序后重新提交。";
        en "wrong number of bytes":
            "An identifier or hash has not the number of bytes that it must have; usually it was \
             cut short, or its text form was sent instead of its bytes. Programs fill this in, and \
             a clerk should not meet it. Check the program that sent the request, and send it again.";
    }
    "AMOUNT_FORMAT" Rejection {
        zh "金额写法不对":
            "所填内容不能读作金额。金额以元为单位，只写数字，最多两位小数，例如 1234.50；\
             不带“元”“¥”、千分位逗号，也不用科学记数法。请改正后重新提交。";
        en "amount not understood":
            "The content cannot be read as an amount. Amounts are in yuan, digits alone with at \
             most two decimals, such as 1234.50: no currency sign, no separators of thousands, no \
             exponent. Correct it and submit again.";
    }
    "AMOUNT_DECIMALS" Rejection {
        zh "金额超过两位小数":
            "金额的小数超过两位，而最小单位是分。账本不替人四舍五入，因为差一分也会使合计对不上。\
             请按原始凭证填写到分后重新提交。";
        en "amount with more than two decimals":
            "The amount has more than two decimals, and there is nothing smaller than a fen. The \
             ledger does not round for anyone: a single fen would keep sums from agreeing. Write \
             the amount to the fen as the voucher has it, and submit again.";
    }
    "AMOUNT_NEGATIVE" Rejection {
        zh "金额为负数":
            "金额小于零。申领和指标都只记正数，退回或者更正不能以负数金额代替。\
             请核对金额后重新提交。";
        en "negative amount":
            "The amount is below zero. Claims and appropriations are positive; a negative one \
             cannot stand for a return or a correction. Check the amount and submit again.";
    }
    "AMOUNT_RANGE" Rejection {
        zh "金额超出范围":
            "金额大于账本能记的最大单笔金额，或者数字过长，表格软件已不能精确保存。\
             设此上限是为了保证合计永不溢出。请检查是否多输了数字，改正后重新提交。";
        en "amount out of range":
            "The amount is above the largest that the ledger records, or has more digits than a \
             spreadsheet keeps exactly. The bound is there so that no sum can overflow. Look for \
             digits typed twice, correct it and submit again.";
    }
    "AMOUNT_NOT_POSITIVE" Rejection {
        zh "金额须大于零":
            "金额为零。零元的申领或指标没有意义，多半是漏填或公式没有算出结果。\
             请填写实际金额后重新提交；确无金额的，不必申领。";
        en "amount must be above zero":
            "The amount is zero. A claim or appropriation of nothing has no meaning; usually the \
             amount was left out or a formula has not been computed. Write the actual amount and \
             submit again; where there is none, do not claim.";
    }
    "AMOUNT_MISMATCH" Rejection {
        zh "金额与天数不符":
            "金额不等于每日标准乘以补贴日期的天数，三者之中必有一项填错。在核对政策之前就退回，\
             是因为无法确定申领的究竟是哪个金额。请改正日期、每日标准或金额后重新提交。";
        en "amount does not match the days":
            "The amount is not the daily rate times the number of days, so one of the three is \
             wrong. The row is sent back before policy is asked, since it is not known which \
             amount is claimed. Correct the days, the rate or the amount, and submit again.";
    }
    "RATE_RANGE" Rejection {
        zh "利率超出范围":
            "年利率超过百分之百，多半是把 4.35% 写成了 435，或者单位弄错。\
             请按借款合同改正后重新提交。";
        en "rate out of range":
            "The yearly rate is above 100 %; usually 4.35 % was written as 435, or in another \
             unit. Correct it by the loan contract and submit again.";
    }
    "YEAR_RANGE" Rejection {
        zh "年度超出范围":
            "预算年度不在账本可记的范围之内，多半是输入有误。请按指标文件改正后重新提交。";
        en "year out of range":
            "The budget year is not one that a budget can have; most likely it was mistyped. \
             Correct it by the appropriation's document and submit again.";
    }
    "DATE_INVALID" Rejection {
        zh "没有这一天":
            "所填的不是日历上存在的日期，例如平年的 2 月 29 日，或者早于 1900 年。\
             请与原件核对，改正后重新提交。";
        en "no such day":
            "This is no day of the calendar, for example 29 February of a common year, or it lies \
             before 1900. Compare it with the document, correct it and submit again.";
    }
    "DATE_DUPLICATE" Rejection {
        zh "日期重复":
            "同一条记录中同一天列了两次。按天计发的补贴每天只算一次，程序不替人删去重复的日期，\
             因为写错的也可能是另一天。请核对日期，并相应改正金额后重新提交。";
        en "day named twice":
            "One record names the same day twice. What is paid by the day counts each once, and \
             the repetition is not removed, since another day may have been meant. Check the days, \
             correct the amount with them, and submit again.";
    }
    "DATES_TOO_MANY" Rejection {
        zh "日期过多":
            "一条记录所列的日期超过允许的天数，多半是起止日期的年份写错。\
             请核对日期；确有这么多天的，拆成几行、各用各的编号后重新提交。";
        en "too many days":
            "One record names more days than it may; usually a run of days has a wrong year in it. \
             Check the days; if there are so many, split the row into several, each with a number \
             of its own, and submit again.";
    }
    "PERIOD_REVERSED" Rejection {
        zh "结束早于开始":
            "一段期间的结束日期早于开始日期；不含末日的期间（如计息期、名册有效期），两者相同也不行，\
             因为其中一天也没有。请核对两个日期，改正后重新提交。";
        en "period ends before it begins":
            "A period ends before it begins; where the end is not included, as in interest periods \
             and list validity, the two may not be equal either, since no day would be left. Check \
             both dates, correct them and submit again.";
    }
    "OFFICE_CODE" Rejection {
        zh "区县代码不对":
            "所填的不是六位行政区划代码（GB/T 2260），例如江阳区为 510502。预算指标按经办机构控制，\
             所以必须填写代码而不是名称。请改正后重新提交。";
        en "not a division code":
            "This is not a six-digit division code of GB/T 2260, such as 510502 for Jiangyang. \
             Budgets are kept by office, so the code is needed, not the name. Correct it and \
             submit again.";
    }
    "ID_LENGTH" Rejection {
        zh "身份证号码位数不对":
            "身份证号码不是 18 位。旧的 15 位号码已经停用，空格也会计入位数。\
             请按现行证件填写完整的 18 位后重新提交。";
        en "identity number of wrong length":
            "The identity number has not 18 characters. The old ones of 15 are no longer valid, and \
             blanks count as characters. Write all 18 of the present card and submit again.";
    }
    "ID_CHARACTER" Rejection {
        zh "身份证号码有误用字符":
            "身份证号码中有不是半角数字的字符；只有最后一位可以是 X（GB 11643）。全角数字、空格、\
             字母 O 和 l 是常见原因。请按证件重新录入后再提交。";
        en "identity number with a wrong character":
            "The identity number has a character that is no half-width digit; only the last may be \
             X (GB 11643). Full-width digits, blanks and the letters O and l are the usual cause. \
             Type it again from the card and submit.";
    }
    "ID_BIRTH_DATE" Rejection {
        zh "身份证号码中的出生日期无效":
            "身份证号码第 7 至 14 位不是可能的出生日期，说明号码录入有误（GB 11643）。\
             请与证件逐位核对，改正后重新提交。";
        en "identity number with an impossible birth date":
            "Characters 7 to 14 of the identity number are no possible birth date, so it was \
             mistyped (GB 11643). Compare it digit by digit with the card, correct it and submit \
             again.";
    }
    "ID_CHECK_DIGIT" Rejection {
        zh "身份证号码校验码不符":
            "身份证号码的最后一位与前 17 位算出的校验码不符（GB 11643），说明至少有一位录错。\
             号码一旦录错，补助就会记到另一个人名下，所以不能强行通过。请与证件逐位核对；\
             末三位都是零的，多半是表格软件把号码当成了数字。";
        en "identity number with a wrong check digit":
            "The last character of the identity number does not follow from the other 17 (GB \
             11643), so at least one was mistyped. A wrong number would book the grant on somebody \
             else, so this cannot be overridden. Compare it digit by digit with the card; three \
             zeros at the end mean that a spreadsheet took it for a number.";
    }
    "USCC_LENGTH" Rejection {
        zh "统一社会信用代码位数不对":
            "统一社会信用代码不是 18 位（GB 32100）。组织机构代码、注册号等旧代码不能代替，\
             也不要带空格或连字符。请按证照填写后重新提交。";
        en "credit code of wrong length":
            "The unified social credit code has not 18 characters (GB 32100). Older organisation \
             or registration numbers do not serve instead, and blanks or hyphens must not be in \
             it. Write it as on the certificate and submit again.";
    }
    "USCC_CHARACTER" Rejection {
        zh "统一社会信用代码有误用字符":
            "统一社会信用代码中有不应出现的字符：只用半角数字和大写字母，且不用 I、O、S、V、Z\
             （GB 32100），以免与数字混淆。请与证照核对，例如 O 应为 0、I 应为 1，改正后重新提交。";
        en "credit code with a wrong character":
            "The unified social credit code has a character that no code contains: only half-width \
             digits and capitals are used, without I, O, S, V and Z, which are easily mistaken for \
             digits (GB 32100). Compare it with the certificate, 0 for O or 1 for I for example, \
             correct it and submit again.";
    }
    "USCC_CHECK_DIGIT" Rejection {
        zh "统一社会信用代码校验码不符":
            "统一社会信用代码的最后一位与前 17 位算出的校验码不符（GB 32100），多半是录入有误。\
             但确有少数证照在发放时就是如此。请与证照逐位核对；证照确实这样写的，\
             在请求中确认（accept_check_digit）后重新提交，账本会受理并给出提醒。";
        en "credit code with a wrong check digit":
            "The last character of the unified social credit code does not follow from the other 17 \
             (GB 32100); most likely it was mistyped. A few certificates were issued that way, \
             though. Compare every character; if the certificate really reads so, confirm it \
             in the request (`accept_check_digit`) and submit again: the ledger takes it and gives \
             a warning.";
    }
    "USCC_CHECK_DIGIT_OVERRIDDEN" Warning {
        zh "已忽略统一社会信用代码校验码":
            "统一社会信用代码的校验码不符，但提交人已确认证照如此，账本已经受理。\
             代码如果录错，以后用正确代码申领时会被当作另一个单位，一次性限制将无法识别。\
             请在归档前再与证照核对一次；发现录错的，及时报告账本管理人员。";
        en "credit code check digit overridden":
            "The check digit of the unified social credit code does not match, and whoever \
             submitted it confirmed that the certificate reads so; it was accepted. If the code is \
             wrong after all, the same entity under its right code will be a stranger, and limits \
             that allow something once will not see it. Compare it with the certificate once more \
             before filing, and report an error to whoever keeps the ledger.";
    }
    "NAME_EMPTY" Rejection {
        zh "姓名或名称为空":
            "姓名、单位名称或品牌名称没有填写。名称密封保存在账本中，供日后核对和出具材料。\
             请按证件或证照填写后重新提交。";
        en "name is empty":
            "The name of the person, organisation or brand is empty. It is kept sealed in the \
             ledger, to be compared and printed later. Write it as on the card or certificate and \
             submit again.";
    }
    "NAME_TOO_LONG" Rejection {
        zh "姓名或名称过长":
            "姓名或名称超过允许的字数，多半是其他列的内容混了进来。\
             请与证件或证照核对，改正后重新提交。";
        en "name too long":
            "The name has more characters than are allowed; usually another column has run into \
             it. Compare it with the card or certificate, correct it and submit again.";
    }
    "NAME_CHARACTER" Rejection {
        zh "姓名或名称含有不可见字符":
            "姓名或名称中有看不见的字符（控制字符、改变方向的字符或零宽字符），\
             使看上去相同的两个名称实际不同，多半是复制时带入的。请直接键入名称后重新提交。";
        en "invisible character in a name":
            "The name has a character that cannot be seen (a control, direction or zero-width \
             character), by which names that look the same do not match. It usually comes along \
             when text is copied. Type the name anew and submit again.";
    }
    "SUBJECT_ID_LENGTH" Rejection {
        zh "对象标识位数不对":
            "对象标识不是 32 位十六进制数。它是账本对个人、单位或品牌的代号，不是身份证号码，\
             也不能由后者直接看出。请从查询结果中完整复制；要按证件查询的，改用证件号码一项。";
        en "subject id of wrong length":
            "The subject id has not 32 hexadecimal digits. It is the ledger's own name for a \
             person, organisation or brand; it is not an identity number, nor can it be read off \
             one. Copy the whole of it from the answer to a query, or ask by the identity number \
             in the field made for that.";
    }
    "SUBJECT_ID_CHARACTER" Rejection {
        zh "对象标识有误用字符":
            "对象标识中有 0–9、a–f 以外的字符。它由程序生成，不应手工录入。\
             请从查询结果中完整复制后重试。";
        en "subject id with a wrong character":
            "The subject id has a character other than 0-9 and a-f. Programs make it, and it is \
             not meant to be typed. Copy the whole of it from the answer to a query and try again.";
    }
};
