//! What `luzhang doctor` looks at.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    "DOCTOR_LEDGER" Warning {
        zh "体检：数据目录":
            "检查给出的目录是不是账本、有没有程序在写、head 文件是否完好。只看目录本身，不打开日志，\
             所以可以在服务运行时检查。有问题时给出打开账本会得到的错误代码，按该代码的说明处理。";
        en "check-up: the data directory":
            "Whether the directory is a ledger, who has it open, and whether its file `head` is \
             sound. The log is not opened, so this can be asked beside a running server. If \
             something is wrong, the code that opening would give is named; do what that one says.";
    }
    "DOCTOR_DISK" Warning {
        zh "体检：磁盘":
            "检查数据目录所在文件系统的类型、挂载选项和剩余空间。磁盘写满会使账本停止写入；内存文件系统、\
             网络文件系统和关闭写屏障的挂载不能保证已确认的内容在断电后仍在。请使用本机磁盘上的 ext4 或 xfs，\
             并在剩余不足 2 GiB 或二十分之一之前腾出空间。";
        en "check-up: disk":
            "The kind of file system below the data directory, how it is mounted, and how much room \
             it has. A full disk stops the writer; what is in memory, on a network, or mounted \
             without barriers may lose in a power cut what was acknowledged. Take ext4 or xfs on a \
             disk of the machine, and make room before less than 2 GiB or a twentieth is left.";
    }
    "DOCTOR_FLUSH" Warning {
        zh "体检：落盘时间":
            "在数据目录里写一个没有名字的临时文件，反复追加并等待落盘，给出中位和最长时间。每次受理都要等一次落盘，\
             慢则全慢；快得不像磁盘，说明没有真正落盘。前者请换带掉电保护的 SSD，后者请检查虚拟磁盘的缓存方式。";
        en "check-up: flushes":
            "A scratch file without a name is appended to in the data directory, and each time it is \
             waited until that is durable. Every acknowledgement waits for a flush, so slow ones slow \
             everybody; one that is faster than any disk did not reach it. Take an SSD with power-loss \
             protection for the first, and look at the virtual disk's cache mode for the second.";
    }
    "DOCTOR_CLOCK" Warning {
        zh "体检：时钟":
            "检查时钟是否早于最近写入的内容，以及本机是否有服务保持它准确（systemd-timesyncd、timedatectl 或 chrony，\
             都只问本机）。事件的时间由时钟给出且只增不减；时钟倒退时，事件时间会停在最后一个之后。\
             请先校准时钟，再启动服务。";
        en "check-up: clock":
            "Whether the clock is behind what was written last, and whether something keeps it right: \
             systemd-timesyncd, timedatectl or chrony are asked, all of them on this machine. The \
             clock stamps every event, and stamps only grow; while it is behind they stay just after \
             the last one. Put the clock right before the server starts.";
    }
    "DOCTOR_PERMISSIONS" Warning {
        zh "体检：权限":
            "检查数据目录、密钥、快照和 TLS 私钥是否只有所有者可以读写，以及检查者是不是所有者。\
             密钥能打开姓名和账号，不应让同一台机器上的其他用户看到。请用 chmod 收回权限，并查明是否有人读过。";
        en "check-up: permissions":
            "Whether the data directory, keys, snapshots and the TLS key are their owner's alone, and \
             whether whoever looks is that owner. Keys open names and accounts, and other users of the \
             machine should not have them. Take the rights back with `chmod`, and find out whether \
             anybody used them.";
    }
    "DOCTOR_KEK" Warning {
        zh "体检：主密钥":
            "检查主密钥是否在手、能否打开 keys 目录，以及它是否与数据放在一处。放在一处时，得到目录副本的人就得到了全部，\
             清除个人信息也管不到旧备份。请把主密钥放到别处，用 --kek-file 或 --kek-command 指明。";
        en "check-up: key-encryption key":
            "Whether the key-encryption key is at hand and opens the directory `keys`, and whether it \
             lies beside what it protects. If it does, whoever has a copy of the directory has all of \
             it, and an erasure does not reach old backups. Keep it elsewhere, and name it with \
             --kek-file or --kek-command.";
    }
    "DOCTOR_CERTIFICATE" Warning {
        zh "体检：证书":
            "检查服务的证书、它信任的 CA 以及自己出示的证书还有多久有效，私钥与证书是否相配。\
             证书过期后谁也连不上；不足 30 天时提醒。把新文件放到原处即可，服务会自行重新读取。";
        en "check-up: certificates":
            "How long the server's certificate, the CAs that it trusts and one's own certificate are \
             still valid, and whether keys and certificates belong together. Nobody can connect once \
             one has expired; it is said 30 days before. Put a new file in its place: the server reads \
             it by itself.";
    }
    "DOCTOR_FILES" Warning {
        zh "体检：打开文件数":
            "检查服务进程（没有运行时则是从当前环境启动的服务）最多能打开多少文件。每个连接占用一个，\
             不够时新的连接会等待。请在 systemd 单元中设置 LimitNOFILE，或减小 --connections。";
        en "check-up: open files":
            "How many files the server's process may have open, or one that would be started from \
             here. Each connection is one, and new ones wait when there are no more. Set LimitNOFILE \
             in the systemd unit, or take fewer `--connections`.";
    }
    "DOCTOR_CHECKPOINT" Warning {
        zh "体检：检查点":
            "检查最新检查点覆盖到哪里、多久之前签出。检查点之后的事件还没有对外承诺，只有本机知道；\
             一小时以上没有新检查点而账本在增长，说明签名或联署停了。请查看服务日志和 luzhang checkpoint show。";
        en "check-up: checkpoints":
            "How far the newest checkpoint reaches and how old it is. What comes after it is promised \
             to nobody outside this machine yet; if there is none for an hour while the ledger grows, \
             signing or cosigning has stopped. See the server's log and `luzhang checkpoint show`.";
    }
    "DOCTOR_WITNESSES" Warning {
        zh "体检：见证方":
            "检查最新检查点由哪些见证方联署、最近一次在什么时候、是否达到策略的法定数；需用 --witnesses 给出策略。\
             没有见证方时，改写全部历史只有看过旧检查点的人能发现。请让审计部门运行见证方。";
        en "check-up: witnesses":
            "Which witnesses have cosigned the newest checkpoint, when the last of them did, and \
             whether the policy's quorum is met; --witnesses names the policy. Without witnesses, \
             only who has seen an earlier checkpoint notices that all of history was rewritten. Have \
             the audit office run one.";
    }
    "DOCTOR_DATABASE" Warning {
        zh "体检：数据库":
            "日志在 PostgreSQL 中时，检查数据库是否应答、与另一台机器的连接是否加密、各主机的证书是否可信、\
             其设置会不会丢失已确认的内容、账本到了哪个位置、由谁写入。\
             连接不上的，先看数据库是否在运行；设置不合格的，服务不会启动，请改正后重新加载。";
        en "check-up: the database":
            "If the log is in PostgreSQL: whether the database answers, whether the connection to \
             another machine is encrypted and each host can be trusted, whether it is set to keep \
             what it acknowledges, how far the ledger has come and who writes it. If it cannot be reached, \
             see first whether it runs; with settings that lose something no server starts, so \
             change and reload them.";
    }
    "DOCTOR_REPLICATION" Warning {
        zh "体检：备库":
            "检查数据库在等待哪些备库、有几台在线、落后多少。没有备库在等待时，已确认的内容只在一块磁盘上；\
             等待的备库都不在时，什么也不会得到确认；只有一台时，它再坏掉就要停办。";
        en "check-up: standbys of the database":
            "Which standbys the database waits for, how many of them are there, and how far they are \
             behind. If it waits for none, what is acknowledged is on one disk; if none of those is \
             there, nothing is acknowledged; with one alone, work stops when that fails too.";
    }
    "DOCTOR_SNAPSHOT" Warning {
        zh "体检：快照":
            "检查最新快照到哪个位置，启动时还要读多少事件。快照只影响启动快慢，删掉也不丢任何内容。\
             落后超过一百万个事件时，请查看服务日志里没有生成快照的原因。";
        en "check-up: snapshots":
            "Of which position the newest snapshot is, and how many events a start has to read after \
             it. Snapshots make a start fast and nothing else: without them nothing is lost. If a \
             million events came after the newest, see in the server's log why none was made.";
    }
    "DOCTOR_VERIFIED" Warning {
        zh "体检：上次核验":
            "检查上一次 luzhang audit verify --note 是什么时候、结论如何。核验逐个计算全部哈希，是发现存储悄悄损坏的办法；\
             超过 35 天没有核验就提醒。结论不是完整或自洽时，先保留现场，查明原因，再谈恢复。";
        en "check-up: last verification":
            "When `luzhang audit verify --note` was run last, and what it found. It computes every \
             hash anew, and so finds what a disk has lost without a word; it is due every 35 days. If \
             it found anything, keep everything as it is and find out why before restoring.";
    }
    "DOCTOR_BACKUP" Warning {
        zh "体检：上次备份":
            "检查上一次备份留下的记录：什么时候、到哪个位置。备份应每天进行，存放在另一台机器上，并定期试着恢复；\
             超过两天没有备份就提醒。主密钥要与备份分开保存。";
        en "check-up: last backup":
            "The note that the last backup left: when it was, and how far it reaches. It is due every \
             day, belongs on another machine, and is worth what a restore of it was worth; after two \
             days it is said. Keep the key-encryption key apart from it.";
    }
    "DOCTOR_SERVER" Warning {
        zh "体检：服务":
            "检查服务能否连上、健康检查是否为 SERVING、应答要多久。写入因存储故障停止的服务仍能回答查询，但不再受理，\
             健康检查会说明这一点。请按给出的错误代码处理，或查看服务日志。";
        en "check-up: server":
            "Whether the server can be reached, whether its health is SERVING, and how long an answer \
             takes. A server whose writer has stopped after a storage failure still answers questions \
             and takes nothing; its health says so. Do what the code that is named says, or see the \
             server's log.";
    }
};
