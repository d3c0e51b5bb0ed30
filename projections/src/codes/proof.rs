//! Checkpoints, receipts and the tree that they come from.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    "PROOF_UNREADABLE" Fault {
        zh "不是回执或一致性证明":
            "文件不是 c2sp.org/tlog-proof@v1 格式的回执，也不是以“old”开头的一致性证明，或者其中的检查点残缺。\
             什么也没有证明，也没有推翻。请取得原样的文件：不要改动换行，二维码扫出的文字要完整保存。";
        en "not a receipt or consistency proof":
            "The file is neither a receipt of the form c2sp.org/tlog-proof@v1 nor a consistency \
             proof that begins with `old`, or the checkpoint in it is incomplete. Nothing was \
             proven and nothing refuted. Take the file as it was handed out, line ends included; \
             of a QR code, all of the text.";
    }
    "PROOF_REFUTED" Fault {
        zh "证明不成立":
            "回执或一致性证明的格式正确、签名可信，但内容推不出检查点的根：事件、位置、路径或检查点中有一处被改动，\
             或者出自另一段历史。请向出具方索取新的证明；新的仍不成立的，说明账本改写过历史，\
             请保存两份文件并核验整个账本（luzhang audit verify）。";
        en "proof does not hold":
            "The receipt or consistency proof is well formed and its checkpoint is signed by \
             somebody who is trusted, but it does not lead to the root: the event, its position, \
             the path or the checkpoint was changed, or they are of two histories. Ask for a new \
             one; if that does not hold either, history was rewritten: keep both files, and verify \
             the whole ledger with `luzhang audit verify`.";
    }
    "QR_TOO_LARGE" Fault {
        zh "二维码放不下":
            "一个二维码最多约 2,900 字节，带事件内容的回执可能更大。请去掉 --with-content，\
             只印事件哈希；内容另附，核验时比对哈希即可。";
        en "does not fit a QR code":
            "A QR code holds about 2,900 bytes, and a receipt with the event in it can be larger. \
             Leave out --with-content and print the hash alone; whoever has the event can compare \
             its hash.";
    }
    "TREE_OFF" Fault {
        zh "未维护检查点所用的树":
            "服务以 --tree off 启动，只用于测量，不签署检查点，也不出具回执。请去掉该选项后重启，树会根据日志补齐。";
        en "no tree is kept":
            "The server was started with `--tree off`, which is for measuring: it signs no \
             checkpoints and hands out no receipts. Restart it without; the tree is then made from \
             the log.";
    }
    "TREE_TOO_SHORT" Fault {
        zh "所给检查点比账本还大":
            "请求从一个覆盖更多事件的检查点证明到现在，而账本没有那么多事件：检查点属于另一账本，\
             或者账本被退回到较早的状态。请核对来源；属于本账本的，请保存该检查点并核验账本。";
        en "the older checkpoint is the larger one":
            "A proof was asked for from a checkpoint over more events than the ledger has: it is of \
             another ledger, or this one was put back to an earlier state. Check where it comes \
             from; if it is of this ledger, keep it and verify the ledger.";
    }
    "TREE_UNAVAILABLE" Fault {
        zh "树无法读写":
            "检查点所用的树（数据目录下 tree/）读写失败，多为磁盘已满或权限不对。发放和查询不受影响，\
             但在重启之前不再签署检查点。请排除磁盘问题后重启；tree/ 可以删除，会根据日志重建。";
        en "the tree cannot be kept":
            "Reading or writing `tree/` in the data directory failed, most often a full disk or \
             wrong permissions. Issuing and reading go on; no checkpoint is signed until the server \
             is started again. Mend the disk and restart; `tree/` may be deleted and is then made \
             from the log.";
    }
    "TREE_DAMAGED" Fault {
        zh "树与日志不符":
            "出具证明前的自检发现 tree/ 中的内容推不出已签署的根，多为磁盘损坏。没有给出错误的证明；\
             树正在根据日志重建，请稍后重试。反复出现的，请检查磁盘。";
        en "the tree does not fit the log":
            "A proof is checked before it is handed out, and this one did not lead to the signed \
             root: `tree/` is damaged, most often by the disk. Nothing wrong was handed out; the \
             tree is being made anew from the log, so try again soon. If it comes back, check the \
             disk.";
    }
    "TILES_OTHER_HISTORY" Fault {
        zh "已发布的是另一段历史":
            "发布目录中的检查点与现在的账本不是同一段历史，或者日志与它自己的检查点不符，所以没有写入任何内容。\
             请先用 luzhang audit verify --tiles 查明从哪个事件起不同，再决定换目录还是恢复账本。";
        en "another history was published":
            "The checkpoint in the directory is of another history than the ledger, or the log does \
             not fit its own checkpoint, so nothing was written. Find out with `luzhang audit verify \
             --tiles` from which event on they differ before another directory is used or the \
             ledger restored.";
    }
    "CHECKPOINT_KEY_MISSING" Fault {
        zh "签名密钥不在":
            "日志写明检查点由某个密钥签署，而 keys/checkpoint 中没有它的私钥。发放不受影响，但不能签署检查点。\
             请从备份恢复 keys/checkpoint；确已丢失的，用 luzhang checkpoint rotate --lost 换新，\
             并把新的公钥另行告知所有核验方。";
        en "the signing key is not there":
            "The log says which key signs checkpoints, and `keys/checkpoint` does not hold it. \
             Issuing goes on, but nothing can be signed. Restore `keys/checkpoint` from its backup; \
             if it is lost, replace it with `luzhang checkpoint rotate --lost`, and tell everybody \
             who checks of the new key by other means.";
    }
    "QUORUM_NOT_MET" Fault {
        zh "联署的见证方不足":
            "最新检查点已签署，但按策略要求的见证方没有足够多联署，所以仍发布较早的检查点，较新的事件暂时没有回执。\
             发放不受影响，会在下一个检查点时再次请求。请查看提示中各见证方的答复；\
             有见证方答复“不一致”的，说明账本与它见过的不是同一段历史，请立即核验。";
        en "too few witnesses have cosigned":
            "The newest checkpoint is signed, but not cosigned by as many witnesses as the policy \
             asks for. So an earlier one stays published, and newer events have no receipt yet. \
             Issuing goes on, and the witnesses are asked again with the next checkpoint. See what \
             each of them said; one that says that the checkpoint is inconsistent has seen another \
             history of this ledger: verify it at once.";
    }
};
