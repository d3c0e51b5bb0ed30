//! Witnesses of logs: running one, and asking one.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    "WITNESS_NOT_FOUND" Fault {
        zh "此处没有见证方":
            "所给的目录中没有见证方的文件。程序不会自行新建：新见证方不记得原来联署过什么，\
             路径写错时会让人误以为换了一个。请核对路径；确要新建的，运行 luzhang witness init。";
        en "no witness here":
            "There are no files of a witness in this directory. None is made without being asked \
             for: a new one remembers nothing of what another has cosigned. Check the path; to \
             make a new witness, run `luzhang witness init`.";
    }
    "WITNESS_EXISTS" Fault {
        zh "此处已有见证方":
            "要新建见证方的目录中已经有一个，没有作任何改动。已有的密钥和记录永远不会被新建覆盖。\
             请直接使用它，或者为新见证方另选目录。";
        en "a witness is here already":
            "The directory for the new witness has one in it, and nothing was changed. Making a \
             witness never overwrites the key and the records of another. Use the one that is \
             there, or choose another directory.";
    }
    "WITNESS_LOCKED" Fault {
        zh "见证方正在使用中":
            "另一个进程正打开着这个见证方。两个进程各记各的，就可能为同一日志联署两套历史，\
             所以同时只能打开一次。要增加关注的日志，请先停止服务；查看可以用 luzhang witness list，\
             不必停止。";
        en "witness in use":
            "Another process has this witness open. Two that remember apart could cosign two \
             histories of one log, so it is opened once at a time. Stop the server before adding a \
             log; to look, `luzhang witness list` needs no stop.";
    }
    "WITNESS_STATE_MISSING" Fault {
        zh "见证方的记录缺失":
            "见证方的某个文件不见了，提示中写明是哪一个。忘记了联署过什么的见证方，\
             会被分叉的日志骗去再联署一套历史，所以不启动，也不从头开始。\
             请找回该文件的最新内容；旧备份等于让它忘记，不可使用。找不回的，请以新名称另建见证方，\
             并告知信任它的各方改用新公钥。";
        en "a witness's record is missing":
            "A file of the witness is gone; the message names it. A witness that forgot what it \
             has cosigned can be led to cosign another history by a log that forked, so it does \
             not start, and does not start afresh. Bring the file back as it last was; an older \
             copy is as bad as none. If it cannot be had, make a new witness under a new name and \
             give its key to those who trusted this one.";
    }
    "WITNESS_STATE_DAMAGED" Fault {
        zh "见证方的记录已损坏":
            "见证方的某个文件与其校验值不符，或者其中的签名不成立，提示中写明是哪一个文件、哪里不对。\
             这样的记录不能说明联署过什么，所以不启动。请先原样复制目录留存，\
             再找回该文件的最新内容；旧备份不可使用。找不回的，请以新名称另建见证方，\
             并告知信任它的各方改用新公钥。";
        en "a witness's record is damaged":
            "A file of the witness does not match its checksum, or a signature in it does not \
             hold; the message names the file and what is wrong. Such a record does not say what \
             was cosigned, so the witness does not start. Copy the directory as it is, then bring \
             the file back as it last was, never an older copy. If it cannot be had, make a new \
             witness under a new name and give its key to those who trusted this one.";
    }
    "WITNESS_STATE_IO" Fault {
        zh "见证方的文件读写不了":
            "操作系统不让程序读写见证方的文件：没有权限、磁盘已满，或者存储介质出错。\
             联署之前必须先把检查点可靠记下，记不下就不联署，所以没有多联署任何内容。\
             请排除原因后重新启动。";
        en "a witness's file cannot be read or written":
            "The operating system does not let a file of the witness be read or written: \
             permission is missing, the disk is full, or the storage failed. A checkpoint is \
             recorded durably before it is cosigned, so nothing was cosigned that is not recorded. \
             Remove the cause and start the witness again.";
    }
    "WITNESS_STOPPED" Fault {
        zh "见证方已停止联署该日志":
            "此前写入该日志的记录失败，磁盘上究竟是新内容还是旧内容已无法确知，\
             继续联署可能与磁盘上的记录不符。其他日志不受影响。\
             请查看见证方的输出和磁盘，排除原因后重新启动：启动时以磁盘上的记录为准。";
        en "the witness cosigns this log no more":
            "Writing the record of this log failed earlier, and whether the disk has the newer or \
             the older one is not known. To go on could contradict it. Other logs are not \
             affected. See what the witness said and look after the disk, then start it again: it \
             goes on from what the disk has.";
    }
    "WITNESS_LOG_KEY" Rejection {
        zh "不是日志的公钥":
            "要关注的日志须给出签署其检查点的公钥（种类 01），而所给的是见证方联署用的公钥（种类 04）。\
             没有作任何改动。请向日志的管理者索取其检查点公钥。";
        en "not a log's key":
            "A log is watched by the key that signs its checkpoints (kind 01), and this one is of \
             a witness, which cosigns them (kind 04). Nothing was changed. Ask whoever keeps the \
             log for its verifier key.";
    }
    "WITNESS_CLOCK" Fault {
        zh "时钟不对":
            "联署须写明时间，而本机时钟早于 1970 年，写不出有效的时间。没有联署任何内容。\
             请校准时钟，再重新请求。";
        en "the clock is wrong":
            "A cosignature states its time, and the clock of this machine stands before 1970. \
             Nothing was cosigned. Set the clock and ask again.";
    }
    "WITNESS_UNREACHABLE" Fault {
        zh "联系不上见证方":
            "在所给的地址上没有见证方应答，或者没有按时应答。账本照常记账，只是这个检查点暂时少一个联署。\
             请确认见证方已经启动、地址无误，再重新请求；重复请求是安全的。";
        en "witness not reachable":
            "No witness answers at the address given, or not in time. The ledger goes on; this \
             checkpoint lacks a cosignature until then. Make sure that the witness is running and \
             the address is right, and ask again: asking twice does no harm.";
    }
    "WITNESS_AHEAD" Fault {
        zh "见证方已联署更长的日志":
            "见证方联署过的树比所给的检查点更大。要么检查点过旧，换用最新的即可；\
             要么账本被退回到旧备份，此后写入的内容将与已经公布的不一致。\
             后一种情况请立即停止写入，保留现状，与见证方持有的检查点核对。";
        en "the witness has cosigned a larger tree":
            "The witness has cosigned a larger tree than the checkpoint's. Either the checkpoint \
             is an old one, and the newest will do; or the ledger was set back to an old copy, and \
             what is written from now on will contradict what was published. In the latter case \
             stop writing, keep everything as it is, and compare it with the checkpoint that the \
             witness holds.";
    }
    "WITNESS_OVERTAKEN" Fault {
        zh "见证方同时收到另一请求":
            "在取得见证方的进度和提交证明之间，另一个请求改变了它的进度。这不是错误，也没有损失。\
             请重新请求；如果反复出现，请查明还有谁在替同一账本请求联署。";
        en "the witness was asked by somebody else meanwhile":
            "Between learning where the witness stands and sending it a proof, another request \
             moved it on. That is no error, and nothing is lost. Ask again; if it happens time and \
             again, find out who else asks for cosignatures of the same ledger.";
    }
    "WITNESS_REFUSED" Fault {
        zh "见证方拒绝联署":
            "见证方答复不联署，提示中有状态码和它的说明：403 是不认得检查点的签名，404 是没有关注本日志，\
             422 是与它联署过的不一致。前两种请见证方用 luzhang witness add-log 登记公钥；\
             422 说明账本可能分叉，请停止写入，保留现状，与见证方核对。";
        en "the witness does not cosign":
            "The witness said no; the message has its status and its words: 403 if it does not \
             know the checkpoint's signature, 404 if it does not watch this log, 422 if the \
             checkpoint contradicts what it has cosigned. For the first two, have the witness add \
             the key with `luzhang witness add-log`. A 422 means that the ledger may have forked: \
             stop writing, keep everything as it is, and compare with the witness.";
    }
    "WITNESS_ANSWER" Fault {
        zh "见证方的答复无效":
            "答复不符合协议，或者其中没有所期望公钥的有效联署：地址上可能是别的服务，\
             也可能见证方换了密钥。这样的答复不作为联署使用。请核对地址，\
             并直接向见证方核实其公钥（luzhang witness key）。";
        en "the witness's answer does not count":
            "The answer is not in the protocol, or has no valid cosignature of the key that is \
             expected: something else may be at this address, or the witness has another key now. \
             It does not count as a cosignature. Check the address, and check the key with the \
             witness's operator (`luzhang witness key`).";
    }
};
