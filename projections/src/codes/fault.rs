//! Faults: storage, keys and files that failed.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    "LEDGER_NOT_FOUND" Fault {
        zh "此处没有账本":
            "所给的目录中没有账本。程序不会自行新建，因为路径写错时新建一个空账本，\
             等于悄悄丢开了原来的全部记录。请核对路径；确要新建的，运行 luzhang init。";
        en "no ledger here":
            "There is no ledger in this directory. None is made without being asked for: at a \
             mistyped path an empty one would take the place of all that is recorded. Check the \
             path; to make a new ledger, run `luzhang init`.";
    }
    "LEDGER_EXISTS" Fault {
        zh "此处已有账本":
            "要新建账本的目录中已经有一个账本，没有作任何改动。已有的账本永远不会被新建覆盖。\
             请直接使用它，或者为新账本另选目录。";
        en "a ledger is here already":
            "The directory for the new ledger has one in it, and nothing was changed. Making a \
             ledger never overwrites another. Use the one that is there, or choose another \
             directory for the new one.";
    }
    "DIRECTORY_NOT_EMPTY" Fault {
        zh "目录不为空":
            "要新建账本或见证方的目录中已有其他文件，没有作任何改动。这样的目录只放自己的文件，\
             以免误删误改。请选用新目录或者空目录。";
        en "directory not empty":
            "The directory for the new ledger or witness has other files in it, and nothing was \
             changed. Such a directory holds its own files alone, lest something be deleted by \
             mistake. Choose a directory that is new or empty.";
    }
    "LEDGER_UNFINISHED" Fault {
        zh "账本没有建完":
            "新建这个账本时中途中断，其中从未记入任何内容。没有建完的账本不能使用，也没有什么可恢复的。\
             请删除该目录，重新运行 luzhang init。";
        en "ledger was never finished":
            "The making of this ledger was interrupted, and nothing was ever recorded in it. It \
             cannot be used, and there is nothing to recover. Remove the directory and run \
             `luzhang init` again.";
    }
    "FORMAT_MISSING" Fault {
        zh "缺少 FORMAT 文件":
            "账本的其他文件都在，唯独没有说明账本编号和格式的 FORMAT 文件。没有它就无法确认这是哪个账本，\
             程序没有作任何改动。请从备份恢复该文件，不要新建账本。";
        en "FORMAT file missing":
            "The ledger's other files are here without the file FORMAT, which says which ledger \
             this is and how it is stored. Nothing was changed. Restore that file from a backup; \
             do not make a new ledger.";
    }
    "FORMAT_UNKNOWN" Fault {
        zh "不认识的账本格式":
            "FORMAT 文件的内容不是本程序所写：账本由其他版本建立，或者文件已经损坏。\
             按错误的格式读写会毁坏账本，所以不打开。请改用建立它的版本，或者从备份恢复该文件。";
        en "ledger format not known":
            "The file FORMAT does not read as this program writes it: another version made the \
             ledger, or the file is damaged. Using a wrong format would ruin the ledger, so it is \
             not opened. Use the version that made it, or restore the file from a backup.";
    }
    "LEDGER_MIXED" Fault {
        zh "两个账本的文件混在一起":
            "数据目录中 FORMAT 和 head 两个文件所记的账本编号不同，说明恢复或复制时混入了另一个账本的文件。\
             继续使用会把两个账本的记录接在一起，所以不打开。请用同一份备份恢复整个数据目录，\
             不要只替换个别文件。";
        en "files of two ledgers mixed":
            "The files FORMAT and head in the data directory name different ledgers, so a file of \
             another ledger came in when it was copied or restored. To go on would join the records \
             of both, so it is not opened. Restore the whole data directory from one backup, not \
             single files.";
    }
    "LEDGER_LOCKED" Fault {
        zh "账本正在使用中":
            "另一个进程正打开着这个账本。账本的顺序只能由一个进程书写，所以同时只能打开一次。\
             请向运行中的服务提交（加 --server），或者先停止那个进程。";
        en "ledger in use":
            "Another process has this ledger open. Its order has a single writer, so it is opened \
             once at a time. Ask the running server instead (with --server), or stop that process \
             first.";
    }
    "LEDGER_MISSING" Fault {
        zh "账本文件缺失":
            "账本曾经建好，但它的数据文件不见了。程序不会用空账本代替，没有作任何改动。\
             请先查明文件去向（误删、未挂载的磁盘），再恢复整个数据目录的备份，\
             并用 luzhang audit verify 核对。";
        en "ledger file missing":
            "The ledger was made, but a file of its database is gone. It is not replaced by an \
             empty one, and nothing was changed. Find out where it went, for example a deletion or \
             a disk that is not mounted; then restore the whole data directory from a backup and \
             check it with `luzhang audit verify`.";
    }
    "LEDGER_EMPTY" Fault {
        zh "账本文件没有内容":
            "账本曾经建好，但它的数据文件里什么都没有，连空账本应有的内容也没有。\
             当作新账本继续使用会掩盖丢失，所以不打开。请先原样复制数据目录留存，\
             再从备份恢复，并用 luzhang audit verify 核对。";
        en "ledger file without content":
            "The ledger was made, but its database holds nothing, not even what an empty ledger \
             has. To go on with it as new would hide the loss, so it is not opened. Copy the data \
             directory as it is first; then restore it from a backup and check it with `luzhang \
             audit verify`.";
    }
    "LEDGER_UNREADABLE" Fault {
        zh "账本无法读取":
            "数据库打不开，或者其中的内容读不出来：文件已经损坏，或者不是它自己的文件。\
             再作任何写入都可能毁掉还完好的部分。请立即停止使用，先原样复制数据目录留存，\
             用 luzhang audit verify 查明情况，再从备份恢复。";
        en "ledger unreadable":
            "The database does not open, or its content cannot be read: its files are damaged or \
             are not its own. Writing anything could ruin what is still sound. Stop using it, copy \
             the data directory as it is, see what `luzhang audit verify` says, then restore it \
             from a backup.";
    }
    "LEDGER_DAMAGED" Fault {
        zh "区块已损坏":
            "某个区块的内容与其散列值不符，或者不成其为区块：存储介质出错，或者内容被人改动。\
             每个区块读取时都要核对，损坏的内容绝不会当作真的使用。请先原样复制数据目录留存，\
             用 luzhang audit verify 查明完好到哪个位置，再从备份恢复并报告审计人员。";
        en "block damaged":
            "A block does not match its hash or is no block at all: the storage failed, or somebody \
             changed it. Each block is checked as it is read, and damaged content is never used as \
             if it were true. Copy the data directory as it is, see with `luzhang audit verify` \
             how far it holds, then restore it from a backup and tell the auditors.";
    }
    "LEDGER_TRUNCATED" Fault {
        zh "账本被截短":
            "账本的末尾早于另行记下的进度（head 文件），说明已经记入的内容丢失了一段。\
             数据库自身察觉不到这种丢失，继续书写就会覆盖证据，所以不打开。\
             请先原样复制数据目录留存，再恢复包含该进度的备份，并报告审计人员。";
        en "ledger truncated":
            "The ledger ends before the position that was noted apart from it, in the file head; so \
             something that was recorded is lost. The database does not notice such a loss, and to \
             write on would cover it up, so it is not opened. Copy the data directory as it is, \
             restore a backup that reaches that position, and tell the auditors.";
    }
    "LEDGER_FORKED" Fault {
        zh "账本分叉":
            "账本在某个位置的散列值与另行记下的不同：它自身也许前后一致，但不是原来那条链，\
             例如恢复过旧备份后又继续书写，或者换上了另一个账本的文件。\
             请立即停止使用，原样保存两份数据，查明哪一份与回执和审计人员手中的链头一致，再恢复那一份。";
        en "ledger forked":
            "At some position the ledger has another hash than was noted apart from it: it may be \
             consistent in itself, but it is another chain, for example one continued from an old \
             backup, or the files of another ledger. Stop using it, keep both as they are, find out \
             which agrees with the receipts and with the chain head that the auditors hold, and \
             restore that one.";
    }
    "WITNESS_MISSING" Fault {
        zh "缺少进度文件":
            "记载账本进度的 head 文件不见了。没有它，账本末尾如有丢失将无从发现，所以不打开。\
             请从备份恢复该文件或整个数据目录；不要新建或者手工编写该文件。";
        en "witness file missing":
            "The file head, which notes how far the ledger had come, is gone. Without it a loss at \
             the end could not be noticed, so the ledger is not opened. Restore the file or the \
             whole data directory from a backup; do not write one by hand.";
    }
    "WITNESS_DAMAGED" Fault {
        zh "进度文件已损坏":
            "记载账本进度的 head 文件读不懂，无法据以确认账本完整，所以不打开。\
             请先原样复制数据目录留存，再从备份恢复该文件或整个数据目录。";
        en "witness file damaged":
            "The file head, which notes how far the ledger had come, cannot be understood, so the \
             ledger cannot be known to be whole and is not opened. Copy the data directory as it \
             is, then restore the file or the whole directory from a backup.";
    }
    "DISK_FULL" Fault {
        zh "磁盘已满":
            "磁盘没有剩余空间，账本停止书写。此前答复过的都已可靠记入，没有丢失；未答复的结果不确定。\
             请腾出空间或扩容，重新启动服务，再用同一请求编号重新提交未得到答复的请求。";
        en "disk full":
            "The disk has no space left, and the ledger has stopped writing. Everything that was \
             answered is safely recorded; of what was not answered the outcome is unknown. Free \
             some space, restart the server, and submit the unanswered requests again with the \
             same request ids.";
    }
    "LEDGER_IO" Fault {
        zh "账本读写出错":
            "操作系统拒绝读写账本的文件，提示中有文件名和原因，常见的是权限不足、磁盘只读或者设备故障。\
             请按原因处理后重试；怀疑磁盘有故障的，先原样复制数据目录留存。";
        en "ledger files not accessible":
            "The operating system refused to read or write a file of the ledger; the message has \
             the file and the reason, often missing permission, a read-only disk or a failing \
             device. Remove the cause and try again; if the disk may be failing, copy the data \
             directory as it is first.";
    }
    "WRITER_STOPPED" Fault {
        zh "账本已停止书写":
            "此前一次写入失败，能否落盘不得而知，账本因此不再接受任何写入。\
             只有重新打开才能知道实际记入了什么。请排除故障（磁盘空间、设备），重新启动服务，\
             再用同一请求编号重新提交未得到答复的请求：不会记两次。";
        en "writer stopped":
            "An earlier write failed and may or may not be on the disk, so the ledger takes no more. \
             Only opening it anew tells what was recorded. Remove the cause \
             (disk space, device), restart the server, and submit the unanswered requests again \
             with the same request ids: nothing is recorded twice.";
    }
    "KEYS_MISSING" Fault {
        zh "密钥缺失":
            "数据目录的 keys 中缺少密钥文件。没有它就认不出账上的人和单位，也看不到他们的名称；\
             换一把新密钥会使所有一次性限制失效，所以不会自动生成。\
             请从单独保管的密钥备份恢复整个 keys 目录；账本和密钥应分开备份。";
        en "keys missing":
            "A key file is not in keys, inside the data directory. Without it nobody on the ledger \
             can be recognised or named, and a new key would make all once-only limits forget; so \
             none is made. Restore the directory keys from its backup, which is kept apart from \
             that of the ledger.";
    }
    "KEYS_UNREADABLE" Fault {
        zh "密钥无法读取":
            "身份密钥或对象密钥的文件存在，但读不出来：权限不对、内容损坏或者长度不符。\
             请确认运行服务的账户能读取 keys 目录且只有它能读取；文件损坏的，从密钥备份恢复。";
        en "keys unreadable":
            "A file of the identity key or of the subjects' keys is there but cannot be read: \
             permission is missing, or its content is damaged or of the wrong length. Make sure \
             that the account which runs the server can read the directory keys, and nobody else; \
             restore a damaged file from the backup of the keys.";
    }
    "KEY_MISMATCH" Fault {
        zh "密钥不属于此账本":
            "所用的身份密钥不是这个账本建立时的那一把，多半是恢复备份时配错了密钥。\
             用它继续书写，同一个人会变成两个对象，限制随之失效，所以不打开。\
             请恢复与账本同时备份的密钥。";
        en "key of another ledger":
            "The identity key is not the one with which this ledger was made; usually a restored \
             ledger was given the wrong keys. With it the same person would become two subjects \
             and limits would not hold, so the ledger is not opened. Restore the keys that were \
             backed up with this ledger.";
    }
    "DETAILS_LENGTH" Fault {
        zh "密封信息长度不对":
            "密封保存的姓名和号码长度不可能出现，账本在此处已经损坏，或者由不合格的程序写入。\
             限制和合计不依赖这些信息，仍然有效。请用 luzhang audit verify 核对账本，\
             按其结果从备份恢复。";
        en "sealed details of wrong length":
            "The sealed name and number have an impossible length: the ledger is damaged here, or a \
             faulty program wrote them. Limits and totals do not depend on them and still hold. \
             Check the ledger with `luzhang audit verify`, and restore it from a backup if that \
             finds damage.";
    }
    "DETAILS_UNAUTHENTIC" Fault {
        zh "密封信息无法解开":
            "密封保存的姓名和号码解不开：密钥或对象不符，或者内容被改动，这几种情况无法区分。\
             请先用 luzhang audit verify 核对账本；账本完好的，问题在密钥，\
             请核对 keys 目录是否属于此账本，从密钥备份恢复。";
        en "sealed details do not open":
            "The sealed name and number do not open: the key or the subject is another, or they \
             were changed; these cases cannot be told apart. Check the ledger with `luzhang audit \
             verify`; if it is sound the keys are at fault: see whether the directory keys belongs \
             to this ledger, and restore it from the backup of the keys.";
    }
    "DETAILS_VERSION" Fault {
        zh "密封信息版本较新":
            "密封保存的姓名和号码是本程序不认识的版本，由更新的版本写入。内容没有损坏。\
             请使用更新的版本查看。";
        en "sealed details of a newer version":
            "The sealed name and number have a version that this program does not know; a newer \
             one wrote them. They are not damaged. Use a newer version to see them.";
    }
    "DETAILS_LAYOUT" Fault {
        zh "密封信息格式不对":
            "密封保存的姓名和号码确由持有密钥的程序写入，但不符合规定的格式，说明那个程序有错。\
             限制和合计不依赖这些信息，仍然有效。请记下事件的位置，报告程序维护人员。";
        en "sealed details laid out wrongly":
            "The sealed name and number were written by a program that had the key, but not as the \
             format says, so that program is at fault. Limits and totals do not depend on them and \
             still hold. Note the position of the event and report it to whoever maintains the \
             program.";
    }
    "RESULT_FILE" Fault {
        zh "结果文件写不出":
            "导入已经完成并记账，但写不出带结果的副本：目录不存在、没有权限、磁盘已满，\
             或者同名文件正被打开。原有的文件没有改动。请排除原因后用同一文件再导入一次：\
             已办理的各行不会重复记账，结果照样写入副本。";
        en "result file not written":
            "The import is done and recorded, but the annotated copy could not be written: the \
             directory is not there, permission is missing, the disk is full, or a file of that \
             name is open. The file that was there before is unchanged. Remove the cause and \
             import the same file again: rows that are done are not recorded twice, and the copy \
             will have their results.";
    }
    "LISTEN_FAILED" Fault {
        zh "服务无法监听":
            "服务未能在所给的地址和端口上运行，常见的是端口已被占用，例如另一个服务还没有停止。\
             账本没有因此改动。请停止占用端口的程序，或者用 --listen 另选端口，再启动服务。";
        en "server cannot listen":
            "The server could not run on the address and port given; usually another program has \
             the port, for example a server that has not stopped yet. Nothing changed in the \
             ledger. Stop that program or choose another port with --listen, and start the server \
             again.";
    }
    "SERVER_UNREACHABLE" Fault {
        zh "连接不上服务":
            "在所给的地址上没有服务应答：服务没有启动，地址或端口写错，或者连接被防火墙阻断。\
             请求没有送出，没有记账。命令会等候片刻（--patience），仍无应答才这样结束。\
             请确认已运行 luzhang serve，核对 --server 的地址，再重新运行；\
             在保存账本的机器上，也可以改用 --data-dir 直接打开账本。";
        en "server not reachable":
            "No server answers at the address given: it is not running, the address or port is \
             wrong, or a firewall stands between. The request was not sent, and nothing was \
             recorded. A command waits for a while (--patience) before it ends like this. Make \
             sure that `luzhang serve` is running, check the address in --server, and try again; \
             on the machine that holds the ledger, --data-dir opens it directly.";
    }
    "CONNECTION_LOST" Fault {
        zh "答复之前连接中断":
            "请求已经送出，答复还没有收到，与服务的连接就断了，在等候的时间（--patience）内也没有别的服务给出答复。\
             服务可能已经办理，也可能没有。请用提示中的请求编号重试（导入的，再导入同一文件）：\
             已办理的会得到原来的结果，不会重复办理。";
        en "the connection broke before the answer":
            "The request was sent, and the connection to the server broke before the answer came; \
             no other server gave one within the time that a command waits (--patience). It may \
             have been done or not. Try again with the request id that was shown, or import the \
             same file again: what was done has its first outcome, and nothing is done twice.";
    }
    "SERVER_OTHER_LEDGER" Fault {
        zh "服务上是另一个账本":
            "--server 所列的、或者写入方所指的服务，应当都是同一个账本。这台服务上的账本与先前所问的不同，\
             所以没有向它提交任何内容：行的请求编号因账本而异，记到别的账本里会重复发放。\
             请核对 --server（或 LUZHANG_SERVER）所列的地址，以及各服务的 --advertise。";
        en "that server has another ledger":
            "The servers that --server lists, or that one of them calls the writer, have one \
             ledger. This one has another than was asked before, and nothing was sent there: request \
             ids of rows differ by ledger, and in another one they would be granted once more. \
             Check the addresses in --server (or LUZHANG_SERVER), and what each server has as \
             --advertise.";
    }
    "LOG_UNVERIFIED" Fault {
        zh "日志未通过核验":
            "重新计算之前先核验日志，发现它被改动、缺了尾部、分叉、为空，或者不是导出文件。\
             由这样的日志算出的任何结论都不作数，所以没有给出结论。\
             请用 luzhang audit verify 查明是哪一处，再换用完好的导出文件或者从备份恢复。";
        en "the log does not verify":
            "A log is verified before anything is computed from it. This one was changed, lacks \
             its end, is another chain, is empty, or is no export at all. Nothing that follows \
             from it would count, so no result is given. See what `luzhang audit verify` names, \
             and use a sound export or restore the ledger from a backup.";
    }
    "DIGEST_DIFFERS" Fault {
        zh "重建的摘要不一致":
            "从账本重新计算的投影与运行中的不一致。同一账本在任何机器上都应得到相同的摘要，\
             因此要么是账本被改动，要么是程序有误。请停止服务，运行 luzhang audit verify，\
             在查明之前不要使用报表数字。";
        en "rebuilt digest differs":
            "The projections computed anew from the log differ from the running ones. The same \
             log gives the same digests on every machine, so either the log was changed or the \
             program is wrong. Stop the server, run `luzhang audit verify`, and use no figures \
             until the cause is known.";
    }
    "DEMO_DIFFERS" Fault {
        zh "演示结果与预期不符":
            "luzhang demo 的某一步与独立模型给出的结果不一致，提示中写明是哪一步。\
             演示数据随程序提供，不会因机器而异，因此这是程序的缺陷。\
             请把提示原文连同版本号一并报告。";
        en "the demo differs":
            "A step of `luzhang demo` did not end as an independent model says; the message names \
             it. The demo's tables come with the program and are the same everywhere, so this is \
             a defect of the program. Report the message together with the version.";
    }
    "TRACES_COLLECTOR" Fault {
        zh "跟踪采集器不可用":
            "环境变量 OTEL_EXPORTER_OTLP_ENDPOINT 指明了 OpenTelemetry 采集器，但其地址无法使用，程序没有启动。\
             账本本身没有问题。请改正地址（例如 http://127.0.0.1:4317），或者去掉该变量，不发送跟踪。";
        en "traces cannot be sent":
            "OTEL_EXPORTER_OTLP_ENDPOINT names an OpenTelemetry collector, and that address cannot \
             be used, so the program did not begin. Nothing is wrong with the ledger. Correct the \
             address, such as http://127.0.0.1:4317, or unset the variable and send no traces.";
    }
};
