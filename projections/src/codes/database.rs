//! Ledgers whose log is in a database, and the servers that share it.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    "NOT_THE_WRITER" Fault {
        zh "本服务不是写入方":
            "同一账本可由多台服务共用，但只有一台写入，其余跟随并答复查询。这台服务没有写入任何内容；\
             错误详情中的 writer 写明由谁写入。请用同一请求编号向它重试，不会重复办理；\
             切换期间稍候片刻再试即可。";
        en "this server does not write the ledger":
            "Several servers may share a ledger, and one of them writes; the others follow and \
             answer reads. This one wrote nothing; `writer` in the error's details says who does. \
             Ask there with the same request id: nothing is done twice. While the writer changes, \
             try again shortly.";
    }
    "NOTHING_TO_FOLLOW" Fault {
        zh "没有可跟随的账本":
            "备用服务跟随数据库中的账本；这个账本的日志在自己的数据目录里，别的服务写不到。\
             请去掉 --standby，或者先把日志复制到数据库（luzhang log copy）。";
        en "there is nothing to follow":
            "A standby follows a log that is in a database; the log of this ledger is in its own \
             data directory, where no other server writes. Leave out `--standby`, or copy the log \
             to a database first (`luzhang log copy`).";
    }
    "LEDGER_ELSEWHERE" Fault {
        zh "账本的日志在数据库中":
            "这个数据目录只有密钥、检查点等，日志在 PostgreSQL 中。此操作需要日志在本目录的账本。";
        en "the ledger's log is in a database":
            "This data directory has keys and checkpoints only; the log is in PostgreSQL. What was \
             asked for needs a ledger whose log is in the directory.";
    }
    "LEDGER_UNNAMED" Fault {
        zh "数据库中有多个账本":
            "一个数据库可以存放多个账本，这里不止一个，而命令没有指明是哪一个。请用 --ledger 写明编号。";
        en "the database has several ledgers":
            "A database can hold several ledgers; this one does, and the command does not say \
             which is meant. Name it with `--ledger`.";
    }
    "DATABASE_ADDRESS" Fault {
        zh "数据库地址有误":
            "--database（或 LUZHANG_DATABASE）写的不是可用的 PostgreSQL 地址。写法为 \
             postgresql://用户@主机/库名；有多台的，主机之间用逗号隔开；本机套接字的路径中，斜线写成 %2F。";
        en "the database's address makes no sense":
            "`--database` (or LUZHANG_DATABASE) is no address of PostgreSQL that can be used. Write \
             postgresql://USER@HOST/NAME, several hosts with commas between them; in the path of a \
             socket write %2F for each slash.";
    }
    "DATABASE_UNREACHABLE" Fault {
        zh "无法连接数据库":
            "存放账本的 PostgreSQL 没有应答，或者连接中断。写入方会在半分钟内反复查明未决的写入，\
             仍不成功才停止；备用服务会一直等待。请确认数据库在运行、网络畅通；\
             主库故障的，请提升拥有全部内容的备库。";
        en "the database cannot be reached":
            "The PostgreSQL instance that has the ledger does not answer, or the connection broke. \
             A writer tries for half a minute to find out what became of what it had sent, and \
             stops only then; a standby waits. See that the database runs and can be reached; if \
             its primary failed, promote the standby that has everything.";
    }
    "DATABASE_REFUSED" Fault {
        zh "数据库拒绝执行":
            "数据库答复了错误或警告，原文附在提示中。常见原因：账户没有权限、库已满、实例是只读的备库。\
             提交时带警告的，说明备库可能还没有收到，不作为已完成。请按原文处理后重试。";
        en "the database refused":
            "The database answered with an error or a warning, which the message repeats. Often the \
             account has no right, the disk is full, or the instance is a standby that only reads. \
             A commit with a warning may not be on any standby yet and does not count as done. Do \
             what the text asks for, then try again.";
    }
    "DATABASE_NOT_DURABLE" Fault {
        zh "数据库的设置不够安全":
            "数据库当前的设置会在断电或切换时丢失已经答复的内容，因此不予使用。提示中写明是哪项设置、现值和要求。\
             --durable standby 要求 synchronous_commit 不低于 on 且指定了同步备库；\
             --durable local 只要求写入本机磁盘。fsync 和 full_page_writes 都须为 on。";
        en "the database is not set to keep what it acknowledges":
            "As it is set, the database could lose what was acknowledged when the power fails or a \
             standby takes over, so it is not used. The message names the setting, its value and \
             what is asked for. `--durable standby` asks for synchronous_commit of `on` or more and \
             for named standbys; `--durable local` only for its own disk. `fsync` and \
             `full_page_writes` have to be on.";
    }
    "KEYS_NOT_SHARED" Fault {
        zh "密钥未能交给其他服务":
            "新登记的人或单位的密钥要先存入数据库（已加密），别的服务接管后才能看到他们的名称。这一步没有成功，\
             所以相应的业务也没有写入。请查明数据库为何不应答，再用同一请求编号重试。";
        en "keys could not be shared":
            "The key of a person or organisation that is new is stored in the database first, \
             wrapped, so that a server that takes over can show who they are. That did not succeed, \
             and nothing that needs it was written. See why the database does not answer, then try \
             again with the same request id.";
    }
    "KEYS_FOREIGN" Fault {
        zh "其他服务的密钥打不开":
            "数据库中由其他服务存入的密钥，是用另一把主密钥加密的。同一账本的各台服务必须使用同一把主密钥；\
             写入方轮换之后，其余各台也要换。请从写入方取得现用的主密钥。";
        en "another server's keys cannot be opened":
            "Keys in the database that another server has made are wrapped under another \
             key-encryption key. All servers of a ledger need the same one; when the writer's is \
             rotated, the others have to follow. Bring the one that the writer uses now.";
    }
};
