//! Copies of a log, backups and what is restored from them.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    "LEDGER_COPYING" Fault {
        zh "日志尚未复制完":
            "luzhang log copy 或 luzhang restore 正向此目录复制，或曾在中途被打断。全部区块到齐并读回核验之前，\
             此目录（或数据库中的这份日志）不是账本，任何命令都不会打开它。请用同样的命令继续，它会从中断处接着做；不再需要的，删除该目录即可。";
        en "a log is still being copied here":
            "`luzhang log copy` or `luzhang restore` is at work here, or was interrupted. Before all \
             blocks are there and were read back, the directory, or the log in the database, is \
             no ledger and nothing opens it. \
             Run the same command again: it goes on where it ended. If it is not wanted any more, \
             remove the directory.";
    }
    "COPY_OTHER_LEDGER" Fault {
        zh "来源与目标不是同一账本":
            "每个账本有自己的编号，写在第一个事件、数据目录和导出文件中。两边编号不同，接着复制只会弄坏目标，\
             所以没有作任何改动。请核对 --from 与 --to，或者另选一个新的目标。";
        en "source and target are of two ledgers":
            "Each ledger has an id, which stands in its first event, in a data directory and in an \
             export file. The two differ, so going on would only spoil the target, and nothing was \
             changed. Check --from and --to, or choose a target that is new.";
    }
    "COPY_FORKED" Fault {
        zh "来源与已复制的内容分叉":
            "目标已有的最后一个区块，在来源的同一位置是另一个区块。同一账本只有一条链，因此至少有一边被改写过，\
             或者曾从备份恢复到较早的位置后又继续记账。没有作任何改动。请原样保存两份，用 luzhang audit verify \
             对照写下的链头、回执或检查点，查明哪一份是真的，再决定用哪一份。";
        en "source and copy have forked":
            "Where the target ends, the source has another block. A ledger has one chain, so at \
             least one of the two was rewritten, or was restored to an earlier position and written \
             to again. Nothing was changed. Keep both as they are, and find out with `luzhang audit \
             verify` and a head, receipt or checkpoint that was written down which is the true one.";
    }
    "COPY_CUT" Fault {
        zh "目标止于区块之中":
            "目标曾用 --until 恢复到一个区块的中间，那个区块因此重新封存，区块哈希与来源不同，事件及其哈希则相同。\
             区块逐个相连，后面的区块接不上去，没有作任何改动。请复制或恢复到另一个新的目标。";
        en "the target ends inside a block":
            "The target was restored with --until to a position inside a block. That block was sealed \
             anew and has another hash than the source's, though its events and their hashes are the \
             same. Later blocks do not continue it, so nothing was changed. Copy or restore to a \
             target that is new.";
    }
    "COPY_SHORTER" Fault {
        zh "来源比已复制的内容短":
            "目标或备份中已有的事件，来源里没有：来源丢了尾部，或者被退回到较早的状态，也可能是来源与目标写反了。\
             没有作任何改动，先前复制的内容仍在。请先核对方向；方向无误的，不要让来源继续记账，\
             用 luzhang audit verify 核验来源，再考虑从备份恢复。";
        en "the source is shorter than its copy":
            "The target or backup has events that the source does not have: the source lost its end \
             or was put back to an earlier state, or source and target are the wrong way round. \
             Nothing was changed, and what was copied is still there. Check the direction first; if \
             it is right, let nobody write to the source, verify it with `luzhang audit verify`, and \
             consider restoring from the copy.";
    }
    "COPY_TARGET_MOVED" Fault {
        zh "目标被另一写入者改动":
            "复制期间有别的程序向目标写入，复制随即停止，已经复制的部分仍然成立。一份日志同时只能有一个写入者。\
             请停止那个程序，再运行同样的命令；若目标因此分叉，会报 COPY_FORKED。";
        en "something else wrote to the target":
            "While the log was copied, another program wrote to the target, so the copy stopped; what \
             was copied holds. A log has one writer at a time. Stop that program and run the same \
             command again; if the target forked by it, that is said with COPY_FORKED.";
    }
    "RESTORE_BEYOND" Fault {
        zh "备份没有到那个位置":
            "--until 给出的位置在备份的末尾之后。备份只到它的清单所说的位置，后来的事件不在其中，没有建立任何账本。\
             请用 luzhang backup verify 查看备份到哪里，改用较小的位置，或者换一份更新的备份。";
        en "the backup does not reach that far":
            "The position given with --until is after the end of the backup. A backup ends where its \
             manifest says, and later events are not in it; no ledger was made. See with `luzhang \
             backup verify` how far it reaches, and give an earlier position or use a newer backup.";
    }
    "RESTORE_PAST" Fault {
        zh "先前的恢复已越过该位置":
            "此目录中有一次被打断的恢复，已写到 --until 所给位置之后。日志只增不减，不能退回。\
             请删除该目录，再以所要的位置重新恢复。";
        en "an earlier restore went further":
            "A restore that was interrupted left this directory with events after the position given \
             with --until. A log only grows, and is not cut back. Remove the directory and restore \
             again to the position that is wanted.";
    }
    "SHELF_NOT_FOUND" Fault {
        zh "此处没有备份":
            "所给目录中没有 manifest.json，也没有备份的文件。请核对路径；备份目录是 luzhang backup --to 所写的那一个。";
        en "no backup here":
            "The directory has no manifest.json and no files of a backup. Check the path: it is the \
             one that was given to `luzhang backup --to`.";
    }
    "SHELF_NOT_EMPTY" Fault {
        zh "备份目录中有别的文件":
            "要写备份的目录里已有不属于备份的文件，没有作任何改动。备份目录只放备份，以便多一个、少一个文件都能发现。\
             请选用新目录或空目录。";
        en "other files are where the backup shall be":
            "The directory for the backup has files that are no part of one, and nothing was changed. \
             Such a directory holds the backup alone, so that a file too many or too few is found. \
             Choose a directory that is new or empty.";
    }
    "SHELF_MANIFEST_MISSING" Fault {
        zh "备份缺少清单":
            "备份的文件都在，但没有 manifest.json，无从知道应有哪些文件、到哪里为止。不会另起一份清单，\
             否则丢失的尾部就无人发现。请从本备份的另一份副本取回 manifest.json；没有副本而账本仍在的，\
             请在新目录中重新备份；账本也不在了的，用 luzhang restore --without-manifest 取出文件中尚有的全部区块。";
        en "the backup has no manifest":
            "The files of the backup are there, but not manifest.json, which says what belongs to it \
             and where it ends. None is made anew, since a lost end would then go unnoticed. Fetch \
             manifest.json from another copy of this backup; if there is none and the ledger is \
             still there, make a new backup in a new directory; if the ledger is gone too, `luzhang \
             restore --without-manifest` takes out all blocks that the files have.";
    }
    "SHELF_MANIFEST_DAMAGED" Fault {
        zh "备份的清单已损坏":
            "manifest.json 不是写下时的样子：与其中的校验值不符，或者无法解读。清单不可信时，备份既不核验也不增补，\
             没有作任何改动。请从本备份的另一份副本取回 manifest.json，再运行 luzhang backup verify。";
        en "the backup's manifest is damaged":
            "manifest.json is not as it was written: it does not match the checksum in it, or cannot \
             be read. With a manifest that cannot be believed, nothing is verified and nothing added; \
             nothing was changed. Fetch manifest.json from another copy of this backup, then run \
             `luzhang backup verify`.";
    }
    "SHELF_MANIFEST_UNTRUE" Fault {
        zh "备份的清单所述不实":
            "manifest.json 自身完好，但所述与文件不符：有人按格式改写过它，或者它是另一次备份、另一账本的。\
             请从另一份副本取回整个备份，核对两份清单，并查明谁能写入备份目录。";
        en "the backup's manifest is not true":
            "manifest.json is sound in itself but does not describe the files: somebody rewrote it \
             according to the format, or it is of another backup. Fetch the whole backup from \
             another copy, compare the two manifests, and find out who can write to the directory.";
    }
    "SHELF_VERSION" Fault {
        zh "备份由更新的程序写成":
            "备份的版本号大于本程序所知，不能据旧规则判断真伪，所以没有读取。请改用写这份备份的程序版本，\
             清单中的 written_by 写明了是哪一版。";
        en "the backup is of a later version":
            "The backup has a version that this program does not know, and is not judged by older \
             rules, so nothing was read. Use the version of the program that wrote it: `written_by` \
             in the manifest says which.";
    }
    "SHELF_FILE_MISSING" Fault {
        zh "备份缺少文件":
            "清单列出的一个文件不在，其中的事件范围已在提示中写明。其余文件已照常核验。\
             请从本备份的另一份副本取回该文件（文件名和 BLAKE3 在清单中），再核验一次；\
             该文件之前的事件，仍可用 luzhang restore --until 恢复。";
        en "a file of the backup is missing":
            "A file that the manifest names is not there; the message says which events it had. The \
             other files were verified all the same. Fetch it from another copy of this backup (name \
             and BLAKE3 are in the manifest) and verify again; what comes before it can still be \
             restored with `luzhang restore --until`.";
    }
    "SHELF_FILE_SHORT" Fault {
        zh "备份文件被截短":
            "一个文件比清单所述的短，从提示的事件起缺失，多为复制中断或磁盘故障。其余文件已照常核验。\
             请从本备份的另一份副本取回该文件；缺失之前的事件，仍可用 luzhang restore --until 恢复。";
        en "a file of the backup was cut":
            "A file is shorter than the manifest says; the message names the first event that is \
             missing. Most often a copy was interrupted or a disk failed. Fetch the file from another \
             copy of this backup; what comes before can still be restored with `luzhang restore \
             --until`.";
    }
    "SHELF_FILE_CHANGED" Fault {
        zh "备份文件被改动":
            "一个文件的字节与写下时不同，提示中写明是哪个文件、第几字节、哪个事件。每个字节都有校验，\
             磁盘坏了一位也会发现。请从本备份的另一份副本取回该文件；此前的事件仍可用 luzhang restore --until 恢复。\
             同一介质反复出现的，请更换介质。";
        en "a file of the backup was changed":
            "A file has other bytes than were written; the message names the file, the byte and the \
             event. Every byte is under a checksum, so one bad bit of a disk is found. Fetch the file \
             from another copy of this backup; what comes before can still be restored with `luzhang \
             restore --until`. If it happens again on the same medium, replace that.";
    }
    "SHELF_CHAIN_BROKEN" Fault {
        zh "备份中的链接不上":
            "文件的校验值都对，但其中的区块接不上前面的链。磁盘故障不会这样：有人改写了内容，又重算了校验值。\
             请原样保存这份备份作为证据，从另一份副本恢复，并查明谁能写入备份目录。";
        en "the chain in the backup is broken":
            "All checksums of the file hold, but a block in it does not continue the chain. No disk \
             does that: somebody changed what was written and computed the checksums anew. Keep this \
             copy as evidence, use another one, and find out who can write to the directory.";
    }
    "SHELF_FILE_EXTRA" Fault {
        zh "备份中有多余文件":
            "备份目录中有清单没有列出的文件。它不参与恢复，但不该在那里：可能是人手放入的，\
             也可能清单是旧的、后来的文件反而没有列入。请查明来源，移走多余文件，或者取回与之相配的清单。";
        en "there is a file too many in the backup":
            "The directory has a file that the manifest does not name. It takes no part in a restore, \
             but should not be there: somebody put it there, or the manifest is an older one than the \
             files. Find out where it comes from, and remove it or fetch the manifest that belongs to \
             it.";
    }
    "SHELF_CHECKPOINT_DIFFERS" Fault {
        zh "备份与签署的检查点不符":
            "备份的链自身完好，但推不出清单中检查点的根：检查点签署的是另一段历史。备份或账本的历史被改写过。\
             请原样保存这份备份和检查点，与见证方的联署、先前的备份比对，查明从哪里起不同。";
        en "the backup is not what was signed":
            "The chain in the backup holds in itself but does not lead to the root of the checkpoint \
             in the manifest: that was signed over another history, so one of the two was rewritten. \
             Keep the backup and the checkpoint as they are, and compare with witnesses and earlier \
             backups where they begin to differ.";
    }
    "SHELF_NO_CHECKPOINT" Fault {
        zh "备份中没有检查点":
            "核验时给出了信任的密钥，但备份时账本还没有签署过检查点，没有签名可查，所以什么也没有证明。\
             不带 --key 仍可核验备份自身是否完好。请在账本上运行 luzhang checkpoint sign，再备份一次。";
        en "the backup has no checkpoint":
            "Keys to trust were given, but when the backup was made the ledger had signed no \
             checkpoint, so there is no signature to check and nothing was proven. Without --key the \
             backup can still be verified in itself. Run `luzhang checkpoint sign` on the ledger, \
             then back up once more.";
    }
    "SHELF_LOCKED" Fault {
        zh "备份正被另一进程写入":
            "另一个 luzhang backup 正在向同一目录写入。同一份备份同时只能有一个写入者，本次没有作任何改动。\
             请等它结束再运行；读取和核验不受影响。";
        en "the backup is being written to":
            "Another `luzhang backup` writes to the same directory. A backup has one writer at a \
             time, and this run changed nothing. Run it again when the other has ended; reading and \
             verifying are possible meanwhile.";
    }
    "SHELF_OTHER_LEDGER" Fault {
        zh "备份属于另一账本":
            "目录中的备份是另一个账本的。两个账本不能共用一个备份目录，没有作任何改动。\
             请核对账本与路径，或者为这个账本另选目录。";
        en "the backup is of another ledger":
            "The backup in the directory is of another ledger. Two ledgers cannot share one, and \
             nothing was changed. Check the ledger and the path, or choose another directory for \
             this ledger.";
    }
    "SHELF_IO" Fault {
        zh "备份读写失败":
            "读写备份目录中的一个文件时，操作系统报错，原文已在提示中：多为权限不对、介质已拔出或网络盘断开。\
             账本没有改动，已写入备份的内容仍在。请排除原因后再运行同样的命令，它会接着做。";
        en "the backup cannot be read or written":
            "The operating system failed on a file of the backup, and its words are in the message: \
             most often permissions, a medium that was removed, or a network drive that is gone. \
             Nothing changed in the ledger, and what was backed up is kept. Remove the cause and run \
             the same command again: it goes on.";
    }
};
