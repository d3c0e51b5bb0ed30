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
             postgresql://用户@主机/库名?sslrootcert=文件；有多台的，主机之间用逗号隔开；\
             本机套接字的路径中，斜线写成 %2F。";
        en "the database's address makes no sense":
            "`--database` (or LUZHANG_DATABASE) is no address of PostgreSQL that can be used. Write \
             postgresql://USER@HOST/NAME?sslrootcert=FILE, several hosts with commas between them; \
             in the path of a socket write %2F for each slash.";
    }
    "DATABASE_UNVERIFIED" Fault {
        zh "数据库连接没有保护":
            "数据库在另一台机器上，而地址没有写明如何确认对方就是它。未作任何连接：明文会被途中截获、篡改，\
             不核对证书的加密也挡不住冒名者。请在地址中写 ?sslrootcert=文件，指明签发数据库证书的 CA\
             （sslmode 默认为 verify-full）；网络本身可信的，写 ?sslmode=disable，体检会提示。";
        en "the connection to the database is not protected":
            "The database is on another machine, and the address does not say how to know that it \
             is the right one. Nothing was connected to: in clear everything can be read and \
             changed on the way, and encryption to whoever answers keeps nobody out. Name the CA \
             of the database's certificate with `?sslrootcert=FILE` in the address (sslmode is \
             then verify-full); if the network itself is to be trusted, write `?sslmode=disable`, \
             and the check-up will mention it.";
    }
    "DATABASE_NO_TLS" Fault {
        zh "数据库没有启用 TLS":
            "地址要求加密，而数据库答复说不支持，因此未发送任何内容，也没有改用明文：否则途中的人只要这样答复就能得到明文。\
             请在数据库上设置 ssl = on、ssl_cert_file、ssl_key_file 并重新加载。";
        en "the database offers no TLS":
            "The address asks for encryption and the database says that it has none. Nothing was \
             sent, and not in clear either: else whoever is in between would only have to say the \
             same. Set `ssl = on`, ssl_cert_file and ssl_key_file in the database and reload it.";
    }
    "DATABASE_UNTRUSTED" Fault {
        zh "数据库的证书不可信":
            "数据库出示的证书不是 sslrootcert 文件中的 CA 签发的，因此未发送任何内容：对方可能不是真正的数据库。\
             请核对该文件是否为签发数据库证书的 CA；更换 CA 期间，可把新旧两张都放进文件。";
        en "the database's certificate is not believed":
            "The certificate that the database shows is by none of the CAs in the file of \
             sslrootcert, and nothing was sent: it may not be the database that it seems to be. \
             Check that the file has the CA of the database's certificate; while a CA is replaced, \
             both may be in it.";
    }
    "DATABASE_NAME_MISMATCH" Fault {
        zh "数据库的证书属于别的名称":
            "数据库的证书由可信的 CA 签发，但备用名称（SAN）中没有所连接的主机名或地址；通用名称（CN）不算。\
             未发送任何内容，否则同一 CA 下的任何一台机器都可以顶替它。请用证书上的名称连接，\
             或者重新签发；sslmode=verify-ca 不核对名称，只在该 CA 专为数据库签发时才可用。";
        en "the database's certificate is for another name":
            "The database's certificate is by a CA that is believed, but the host that was \
             connected to is not among its alternative names; its common name does not count. \
             Nothing was sent: otherwise any machine with a certificate by that CA could stand in. \
             Connect by a name that it has, or have it made anew. `sslmode=verify-ca` does not \
             look at names, and will do only where that CA is for these databases alone.";
    }
    "DATABASE_CERTIFICATE_EXPIRED" Fault {
        zh "数据库的证书已过期":
            "数据库的证书已过有效期，不再证明任何事，因此未发送任何内容。\
             请在数据库上换发证书并重新加载（SELECT pg_reload_conf()），服务会自行重连。\
             luzhang doctor 会在到期之前提示。";
        en "the database's certificate has expired":
            "The certificate of the database has expired and proves nothing any more, so nothing \
             was sent. Give the database a new one and reload it (`SELECT pg_reload_conf()`); \
             servers connect again by themselves. `luzhang doctor` warns before that day.";
    }
    "DATABASE_CERTIFICATE_INVALID" Fault {
        zh "数据库的证书不可用":
            "数据库的证书没有通过检验：尚未生效、用途不是服务器认证、编码有误，或者本身就是 CA 的证书\
             （用 openssl req -x509 自签的往往如此）。未发送任何内容。请核对两边的时钟，\
             并由 CA 为数据库签发一张服务器证书。";
        en "the database's certificate cannot be used":
            "The database's certificate did not pass: it is not valid yet, not for a server, badly \
             encoded, or a CA's own, as `openssl req -x509` makes them. Nothing was sent. Check \
             both clocks, and have a CA make a certificate for a server.";
    }
    "DATABASE_DISTRUSTS" Fault {
        zh "数据库不接受本服务的证书":
            "数据库要求出示证书，而地址中 sslcert 所指的证书没有通过。请核对它是否由数据库 ssl_ca_file \
             中的 CA 签发、是否过期，以及其通用名称（CN）是否为数据库账户或已在 pg_ident.conf 中对应。";
        en "the database does not accept this server's certificate":
            "The database asks for a certificate, and the one that sslcert in the address names \
             did not pass. Check that it is by a CA in the database's ssl_ca_file, that it has not \
             expired, and that its common name is the account's, or mapped to it in pg_ident.conf.";
    }
    "DATABASE_TLS" Fault {
        zh "未能与数据库建立 TLS":
            "双方没有谈成 TLS：版本过旧（至少要 TLS 1.2）、没有共同的算法，或者对方根本不是 PostgreSQL。\
             未发送任何内容。请核对地址与端口，以及数据库的 ssl_min_protocol_version 与 ssl_ciphers。";
        en "no TLS could be agreed on with the database":
            "The two sides did not come to terms: a version that is too old (TLS 1.2 is the least), \
             no algorithm in common, or no PostgreSQL at all. Nothing was sent. Check address and \
             port, and ssl_min_protocol_version and ssl_ciphers of the database.";
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
             一台用 luzhang keys rotate 更换之后，其余各台在换用之前不存密钥、不接管，跟随到出现新的人为止，\
             什么也不会丢。请从更换的那一台取得现用的主密钥，停止本服务，运行 luzhang keys take --new-kek-file 文件，再启动。";
        en "another server's keys cannot be opened":
            "Keys in the database that another server has made are wrapped under another \
             key-encryption key. All servers of a ledger need the same one. When one of them has \
             changed it with luzhang keys rotate, the others store no keys and do not take over \
             until they have it too; they follow until a new person comes, and nothing is lost. \
             Bring the one that is used now from where it was changed, stop this server, run \
             luzhang keys take --new-kek-file FILE, and start it again.";
    }
    "KEYS_ROTATING" Fault {
        zh "更换主密钥未完成":
            "luzhang keys rotate 在其他服务还不能跟上时中断了：新的主密钥已经写下，密钥还在原主密钥之下，什么也没有丢。\
             请停止正在写入此账本的服务，再次运行 luzhang keys rotate（参数相同），它会接着做完；其他服务此前照常工作。";
        en "a change of the key-encryption key is not finished":
            "luzhang keys rotate was interrupted before the other servers could follow: the new \
             key-encryption key is written down, the keys are still under the old one, and nothing \
             is lost. Stop whichever server writes this ledger and run luzhang keys rotate again, \
             with the same arguments; it finishes what was begun. The other servers work as before \
             meanwhile.";
    }
    "KEK_NOT_AGREED" Fault {
        zh "不是账本现用的主密钥":
            "luzhang keys take 只接受账本的服务已经换用的那一把主密钥，数据库中记有它的编号；所给的是另一把，\
             或者从来没有更换过。没有作任何改动。请从运行过 luzhang keys rotate 的那台服务取得主密钥；\
             还没有更换的，先在其中一台上更换。";
        en "not the ledger's key-encryption key":
            "luzhang keys take accepts only the key-encryption key that the ledger's servers have \
             changed to, whose id is in the database. The one given is another, or it was never \
             changed. Nothing was changed here. Bring the one from where luzhang keys rotate was \
             run, or run that on one of the servers first.";
    }
};
