//! Rejections of a request: what it refers to, and how it was sent.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    "NO_POLICY" Rejection {
        zh "尚未启用政策包":
            "账本中没有任何已启用的政策包，无从判断申领是否符合规定。每项决定都要引用当时执行的政策，\
             所以须先启用政策包。请由账本管理人员运行 luzhang policy adopt 启用政策包，再重新提交。";
        en "no policy adopted":
            "No policy pack was ever adopted in this ledger, so there is nothing to judge a claim \
             by. Each decision names the policy in force, and hence one has to be adopted first. \
             Have whoever keeps the ledger run `luzhang policy adopt`, then submit again.";
    }
    "POLICY_INVALID" Rejection {
        zh "政策包不可用":
            "政策包的文本读不懂，或者未通过检查：参数有缺口或重叠、缺少出处或译文、引用了不存在的项目等。\
             不完整的政策包会使某一天或某条理由无据可查，所以不能启用。请运行 luzhang policy check，\
             按所列问题逐项改正后再启用。";
        en "policy pack not usable":
            "The pack's text cannot be read or fails its checks: a parameter with a gap or an \
             overlap, a missing citation or translation, a reference to something absent. Such a \
             pack would leave a day or a reason unexplained, so it is not adopted. Run `luzhang \
             policy check`, correct everything that it lists, and adopt it then.";
    }
    "UNKNOWN_FUND" Rejection {
        zh "资金来源不存在":
            "所填的资金来源不在政策包的资金名录中，可能是简称、旧称或者错字。预算指标按资金来源控制，\
             所以名称须完全一致。请改为提示所列的名称之一，再重新提交。";
        en "unknown fund":
            "The fund is not one that the policy pack lists; it may be abbreviated, outdated or \
             misspelt. Budgets are kept by fund, so the name must be exact. Use one of the names \
             in the message and submit again.";
    }
    "UNKNOWN_PROGRAMME" Rejection {
        zh "项目不存在":
            "所填的项目不在政策包的项目名录中。预算指标表的“项目”一列填写项目标识，\
             例如 training-allowance，不填中文名称。请改为提示所列的标识之一，再重新提交。";
        en "unknown programme":
            "The programme is not one that the policy pack lists. The appropriation table takes \
             the programme's id, such as training-allowance, and not its Chinese name. Use one of \
             the ids in the message and submit again.";
    }
    "NO_PROGRAMME" Rejection {
        zh "政策包没有此类项目":
            "基准日期执行的政策包没有规定这类申领的项目，因此没有可以适用的规则。\
             请核对申领的日期和所用的模板；政策已有规定而政策包未收入的，报告政策包维护人员。";
        en "no programme for this claim":
            "The policy pack in force on the basis date has no programme for this kind of claim, \
             so no rule applies to it. Check the claim's date and the template; if the policy does \
             provide for it, tell whoever maintains the pack.";
    }
    "UNKNOWN_COURSE" Rejection {
        zh "培训班未登记":
            "考勤所填的班级编号在账上没有。考勤依附于培训班，须先登记培训班才能核对起止日期。\
             请核对班级编号；编号无误的，先导入培训班表，再导入考勤表。";
        en "course not registered":
            "The course number of an attendance record is not on the ledger. Attendance belongs to \
             a course, whose dates must be known first. Check the number; if it is right, import \
             the course table, then the attendance.";
    }
    "UNKNOWN_LOAN" Rejection {
        zh "贷款不在账上":
            "结清记录所填的贷款编号在账上没有：编号有误，贷款尚未登记，或者登记时不予受理。\
             请核对贷款编号；贷款漏登的，先导入创业担保贷款表，再导入贷款结清表。";
        en "loan not on the ledger":
            "The loan number of a settlement is not on the ledger: it is wrong, the loan was not \
             recorded, or it was refused. Check the number; if the loan was not recorded, import \
             the loan table, then the settlement.";
    }
    "UNKNOWN_BENEFIT" Rejection {
        zh "没有可撤回的领取期间":
            "所指的位置不是此人有效的失业保险金领取期间：位置或证件号码有误，或者该期间已经撤回。\
             请用 luzhang subject show 查出登记该期间的位置，再重新提交撤回。";
        en "no such benefit period":
            "The position named is not a standing benefit period of this person: the position or \
             the identity number is wrong, or the period was retracted before. Find the position \
             of the period with `luzhang subject show`, and submit the retraction again.";
    }
    "COURSE_EXISTS" Rejection {
        zh "培训班已登记":
            "该班级编号已在提示所列的位置登记，内容不能再改。班级编号是考勤和补贴的依据，\
             重复登记会使两个培训班混为一个。请与原登记核对；确是另一个培训班的，改用新的编号。";
        en "course registered already":
            "The course number was registered at the position named, and what is recorded does not \
             change. Attendance and allowances rest on the number, and a second course under it \
             would be mistaken for the first. Compare the two; if this is another course, give it \
             another number.";
    }
    "LOAN_EXISTS" Rejection {
        zh "贷款已登记":
            "该贷款编号已在提示所列的位置登记为已发放。累计次数和贴息都按贷款编号计算，\
             一笔贷款只登记一次。请与原登记核对；确是另一笔贷款的，改正编号后重新提交。";
        en "loan recorded already":
            "The loan number was recorded as issued at the position named. The count of loans and \
             the interest subsidies go by this number, so a loan is recorded once. Compare the \
             two; if this is another loan, correct the number and submit again.";
    }
    "LOAN_SETTLED" Rejection {
        zh "贷款已结清":
            "该贷款已在提示所列的位置登记结清，结清只登记一次。请核对贷款编号；\
             原结清登记有误的，报告账本管理人员，不要重复登记。";
        en "loan settled already":
            "The loan was recorded as settled at the position named, which happens once. Check the \
             loan number; if the recorded settlement is wrong, tell whoever keeps the ledger \
             instead of recording another.";
    }
    "PLAQUE_EXISTS" Rejection {
        zh "品牌已授牌":
            "该品牌编号已在提示所列的位置登记授牌。牌匾的级别和有效期以首次登记为准，\
             同一编号不重复授牌。请与原登记核对；确是另一个品牌的，改正编号后重新提交。";
        en "plaque recorded already":
            "The brand number has its plaque at the position named. Its level and term are those \
             recorded first, and one number has one plaque. Compare the two; if this is another \
             brand, correct the number and submit again.";
    }
    "APPROPRIATION_EXISTS" Rejection {
        zh "指标文件已登记":
            "该文号的预算指标已经登记。同一文件登记两次会使指标虚增，所以一个文号只登记一次。\
             请与原登记核对；确是另一份文件的，改正文号后重新提交。";
        en "appropriation recorded already":
            "An appropriation with this document number is recorded. Recorded twice it would \
             inflate the budget, so a document counts once. Compare the two; if this is another \
             document, correct the number and submit again.";
    }
    "COMMAND_EMPTY" Rejection {
        zh "请求没有内容":
            "请求中没有任何事实、申领或政策包，或者是本版本不认识的新内容。\
             请检查发送请求的程序及其版本，填入内容后重新提交。";
        en "command without content":
            "The command holds no fact, no claim and no policy pack, or something newer that this \
             version does not know. Check the program that sent it and its version, put the \
             content in, and submit again.";
    }
    "COMMAND_JSON" Rejection {
        zh "请求的 JSON 读不懂":
            "用 luzhang submit 提交的文件不是规定格式的 JSON：语法有误，字段名不对，或者取值的类型不符。\
             不认识的字段不会被忽略，以免写错名称的内容悄悄丢失。请按提示的位置改正后重新提交；\
             成批的数据建议用表格导入。";
        en "JSON of the command not understood":
            "The file given to `luzhang submit` is not the JSON that a command is written in: its \
             syntax is wrong, or a field's name or kind of value. Unknown fields are not passed \
             over, lest something misspelt be lost in silence. Correct it at the place named in \
             the message and submit again; for many rows, import a table instead.";
    }
    "REQUEST_ID_INVALID" Rejection {
        zh "请求编号无效":
            "请求编号缺失，或者不是 UUID。账本凭请求编号识别重复提交，网络中断后重发也不会记两次账，\
             所以每个请求都要有编号。请由发送程序生成 UUID，重发同一请求时沿用同一编号。";
        en "request id not valid":
            "The request id is missing or is not a UUID. By it the ledger knows a repeated request, \
             so that one sent again after a broken connection is never recorded twice; hence each \
             request has one. Let the sending program make a UUID, and keep it when it sends the \
             same request again.";
    }
    "REQUEST_ID_REUSED" Rejection {
        zh "请求编号已用于其他内容":
            "同一请求编号此前提交过不同的内容，原来的结果不变，本次没有记账。导入表格时，\
             这表示该行的编号（如申领编号）没变而内容改了。原来不予受理的，改正后加 --resubmit 重新导入；\
             原来已经受理的，不能改写，确是另一笔的请改用新的编号。";
        en "request id used for something else":
            "Other content was submitted under this request id before; its outcome stands, and \
             nothing was written now. For an imported table it means that the row's key, such as \
             its claim number, is the same and its content has changed. If the original was \
             refused, import again with --resubmit; if it was accepted, it cannot be rewritten: \
             give what is really another claim a number of its own.";
    }
    "BATCH_TOO_LARGE" Rejection {
        zh "一批请求过多":
            "一条批量消息中的请求数超过服务的上限，整批都没有处理。设此上限是为了让一个发送者\
             不致耗尽服务的内存。请分成几批，在同一个流中依次发送。";
        en "batch too large":
            "One batch message holds more commands than the server takes, and none of them was \
             decided. The bound keeps one sender from using up the server's memory. Split it into \
             several messages and send them one after the other on the same stream.";
    }
    "MESSAGE_TOO_LARGE" Rejection {
        zh "消息过大":
            "一条消息的字节数超过服务的上限，没有处理。正常的请求远小于此，过大的多半是把整个文件放进了一个字段，\
             或者一批请求过多。请检查内容，或者减少每批的请求数后重新发送。";
        en "message too large":
            "A message has more bytes than the server takes, and was not looked at. Ordinary \
             requests are far smaller; usually a whole file was put into one field, or a batch has \
             too many commands. Check the content or send fewer commands at a time.";
    }
    "EVENT_TOO_LARGE" Rejection {
        zh "事件过大":
            "这个请求形成的事件超过了一个区块能容纳的大小，没有记账。最常见的是政策包文本过长，\
             或者列出的日期过多。请精简政策包的注释，或者把日期拆成几行后重新提交。";
        en "event too large":
            "The event that the request would make does not fit into one block, and was not \
             written. Usually the text of a policy pack is too long, or too many dates are listed. \
             Shorten the pack's comments or split the dates over several rows, and submit again.";
    }
    "QUEUE_FULL" Rejection {
        zh "排队已满":
            "等候处理的请求已达上限，本请求没有进入队列，也没有记账。服务宁可请人稍候，也不无限堆积。\
             请按答复中的间隔稍后重试，沿用同一请求编号。";
        en "queue full":
            "As many requests are waiting as the server lets wait; this one was not queued, and \
             nothing was written. It rather asks to come back than lets them pile up. Try again \
             after the delay in the answer, with the same request id.";
    }
    "RATE_LIMITED" Rejection {
        zh "请求过多":
            "同一账户每秒提交的命令、同时进行的请求或打开的数据流超过了服务允许的数量（serve --rate），\
             本请求没有处理，也没有记账。批量数据流不会因此失败，只会放慢。请按答复中的间隔稍后重试，\
             沿用同一请求编号；大量数据请用 luzhang import 一次提交。";
        en "too many requests":
            "One principal sends more commands a second, has more requests under way or more \
             streams open than the server allows (`serve --rate`); this one was not decided, and \
             nothing was written. A stream of batches does not fail for that, it is slowed down. \
             Try again after the delay in the answer, with the same request id; send much at once \
             with `luzhang import`.";
    }
    "DEADLINE_PASSED" Rejection {
        zh "已过期限":
            "在发送者给定的期限内没有得到答复。轮到处理时已过期限的请求不再处理，也不记账；\
             期限到时正在处理的可能已经记账，所以结果不确定。请用同一请求编号重新提交：\
             已记账的返回原来的结果，不会记两次。";
        en "deadline passed":
            "There was no answer within the time that the sender set. A request whose deadline has \
             passed when its turn comes is dropped and not recorded; one that was being decided may \
             have been, so the outcome is unknown. Submit again with the same request id: what was \
             recorded gives its original outcome, and nothing is recorded twice.";
    }
    "SHUTTING_DOWN" Rejection {
        zh "服务正在停止":
            "服务正在有序停止，不再接受新请求；此前已受理的都会记完账再停。本请求没有记账。\
             请待服务重新启动后，用同一请求编号重新提交。";
        en "server is stopping":
            "The server is stopping in order and takes no new requests; what it had taken is \
             recorded first. This request was not. Submit it again with the same request id when \
             the server is back.";
    }
    "EVENT_NOT_FOUND" Rejection {
        zh "没有这个位置":
            "账本中没有这个位置的事件。位置从 1 开始连续编号，大于末尾的位置尚未产生。\
             请核对回执上的位置，并确认查询的是出具回执的那个账本。";
        en "no such position":
            "The ledger has no event at this position. Positions count from 1 without gaps, and one \
             beyond the end does not exist yet. Compare it with the receipt, and make sure that \
             this is the ledger which gave it.";
    }
    "SUBJECT_NOT_FOUND" Rejection {
        zh "没有这个对象":
            "账本中没有此人、此单位或此品牌的任何记录。账本只认完整一致的证件号码，不按姓名查找。\
             请核对号码；号码无误的，说明尚未登记过任何事项。";
        en "no such subject":
            "The ledger has no record of this person, organisation or brand. It knows them by the \
             whole number alone, and nobody is found by name. Check the number; if it is right, \
             nothing has been recorded about them.";
    }
    "PROJECTION_UNKNOWN" Rejection {
        zh "没有这个投影":
            "没有所指名称的投影（由账本推算出的登记簿或汇总表）。名称可能有误，或者属于别的版本。\
             请用 luzhang rebuild 列出全部投影的名称，改正后重试。";
        en "no such projection":
            "There is no projection (a register or total computed from the log) of this name. It \
             may be misspelt, or belong to another version. `luzhang rebuild` lists them all; \
             correct the name and try again.";
    }
    "PAGE_TOKEN_INVALID" Rejection {
        zh "分页标记无效":
            "分页标记不是本服务上一页所给的，或者所属的查询已经不同。分页标记只能原样用于同一查询的下一页。\
             请不带标记，从第一页重新查询。";
        en "page token not valid":
            "The page token is not one that this server gave with the previous page, or it belongs \
             to another query. It can only be handed back unchanged for the next page of the same \
             query. Begin again at the first page, without a token.";
    }
    "POLICY_UNKNOWN" Rejection {
        zh "没有启用这个政策包":
            "账本从未启用过这个标识的政策包，可能是标识写错，或者只检查过而没有启用。\
             请用 luzhang policy list 查看已启用的政策包；确需启用的，运行 luzhang policy adopt。";
        en "policy pack not adopted":
            "The ledger never adopted a policy pack of this id; it may be misspelt, or was checked \
             and not adopted. `luzhang policy list` has those that were; to adopt another, run \
             `luzhang policy adopt`.";
    }
    "CODE_UNKNOWN" Rejection {
        zh "没有这个代码":
            "目录中没有这个原因代码，可能是抄写有误，或者由更新的版本给出。\
             请与提示所列的相近代码对照；要查某一事件为何如此决定的，改用它在账本中的位置：\
             luzhang explain 后面写位置。";
        en "no such code":
            "There is no such reason code in the catalogue; it may have been copied wrongly, or a \
             newer version gave it. Compare it with those named in the message. To ask why an \
             event was decided as it was, give its position on the chain to `luzhang explain` \
             instead.";
    }
    "NOT_LOOPBACK" Rejection {
        zh "拒绝在本机以外监听":
            "没有配置 TLS 时，服务只在本机回环地址上监听：身份证号码和姓名会在连接中传输，\
             不能明文经过网络。其他机器需要访问的，用 --tls 启用 TLS（luzhang cert dev 生成试用证书）；\
             否则请改用 127.0.0.1 或 [::1]。";
        en "not a loopback address":
            "Without TLS the server listens on loopback alone: identity numbers and names travel \
             over the connection and must not cross a network in clear text. For other \
             machines, switch TLS on with `--tls` (`luzhang cert dev` makes certificates for trying \
             out); else use 127.0.0.1 or [::1].";
    }
    "PROGRAMME_UNKNOWN" Rejection {
        zh "没有这个项目":
            "所给的项目不在任何已启用的政策包中，按它筛选只会得到空表，因此没有编制。\
             请用项目标识或者中文名称；luzhang policy show 列出全部项目。";
        en "no such programme":
            "No adopted policy pack knows the programme; a report chosen by it would be empty, so \
             none was made. Give its id or its Chinese name; `luzhang policy show` lists them.";
    }
    "FUND_UNKNOWN" Rejection {
        zh "没有这项资金来源":
            "所给的资金来源不在任何已启用的政策包中，按它筛选只会得到空表，因此没有编制。\
             请用资金标识或者中文名称；luzhang policy show 列出全部资金来源。";
        en "no such fund":
            "No adopted policy pack knows the fund; a report chosen by it would be empty, so none \
             was made. Give its id or its Chinese name; `luzhang policy show` lists them.";
    }
    "REPORT_FORM" Rejection {
        zh "不是可核对的报表":
            "文件不是 luzhang 写出的 CSV、JSON、NDJSON、XLSX 或 Parquet 报表；终端表格没有可核对的封面，\
             用其他软件另存过的文件也可能如此。请使用原始文件。";
        en "no report that can be checked":
            "The file is no CSV, JSON, NDJSON, XLSX or Parquet report of luzhang; tables for a \
             terminal cannot be checked, and a file that another program saved again may be one \
             no more. Use the original file.";
    }
    "REPORT_COVER" Rejection {
        zh "报表封面不全":
            "报表要靠自己的封面才能重做，而封面缺少一项或者写错了：文件可能被截短或者改动过。\
             请使用原始文件，或者用同样的条件重新编制。";
        en "the cover is not whole":
            "A report is made again from its own cover, and a part of that is missing or wrong: \
             the file may have been cut short or changed. Use the original, or make the report \
             anew with the same options.";
    }
    "REPORT_VERSION" Rejection {
        zh "报表版本不同":
            "报表由另一版本的规则编制，本程序重做出来的会不同，因此没有比较。\
             请使用编制它的程序版本核对，或者重新编制。";
        en "another version of the report":
            "The report was made by another version of its rules, so that this program would make \
             another one; nothing was compared. Check it with the program that made it, or make \
             it anew.";
    }
    "REPORT_CANCELLED" Rejection {
        zh "已取消":
            "编制在完成之前被中断，没有留下任何文件，账本也没有变化。需要时重新运行即可。";
        en "cancelled":
            "The work was interrupted before it was done; no file was left behind and the ledger \
             is as it was. Run the command again when it is wanted.";
    }
};
