//! Published trees: reading them, believing them, watching them.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    "TILES_MISSING" Fault {
        zh "发布的内容不存在":
            "所给的目录或网址下没有检查点，或者缺少检查点所需的瓦片，提示中写明是哪一个。\
             这说明不了账本有没有问题，所以不算发现，也没有改动已记下的检查点。\
             请核对路径；路径无误而长期缺失的，请向账本的管理者查问。";
        en "not published":
            "There is no checkpoint under the directory or URL given, or a tile that the \
             checkpoint needs is not there; the message names it. That says nothing about the \
             ledger, so it is no finding, and the checkpoint that was kept is unchanged. Check the \
             path; if it is right and this lasts, ask whoever runs the ledger.";
    }
    "TILES_UNREACHABLE" Fault {
        zh "发布处无法读取":
            "发布检查点和瓦片的服务没有应答、没有按时应答或者拒绝应答，也可能是文件没有读取权限。\
             读不到不等于分叉，所以不报警；持续观察时会计数，并在下一轮重试。\
             请检查网络、地址和权限。";
        en "published tree not reachable":
            "The server that publishes the checkpoint and the tiles did not answer, not in time, \
             or with an error; or a file may not be read. What cannot be read has not forked, so \
             no alarm is raised; a watch that goes on counts it and tries again in the next round. \
             Check the network, the address and the permissions.";
    }
    "TILES_UNREADABLE" Fault {
        zh "瓦片长度不对":
            "某个瓦片的长度与其宽度不符，多半是复制到一半，或者中间的服务返回了别的内容。\
             这样的瓦片什么也证明不了，所以不算发现。请稍后再看；仍然如此的，请重新发布该瓦片。";
        en "tile of another length":
            "A tile does not have the length of its width: it is half copied, or something between \
             here and its publisher answered with something else. Such a tile proves nothing \
             either way, so it is no finding. Look again later; if it stays so, that tile has to \
             be published anew.";
    }
    "CHECKPOINT_UNREADABLE" Fault {
        zh "检查点不合格式":
            "文件或发布处的内容不是签名检查点：应为来源、大小、根各一行，空一行，然后是签名。\
             常见的是路径指到了别的文件，或者服务返回了出错页面。请核对路径，并取得原样的检查点，\
             不要改动换行。";
        en "checkpoint not readable":
            "The file, or what is published in its place, is no signed checkpoint: origin, size \
             and root, each on a line, an empty line, signatures. Usually the path is that of \
             another file, or a server answered with a page about an error. Check the path, and \
             take the checkpoint as it is, line ends included.";
    }
    "CHECKPOINT_FORGED" Fault {
        zh "检查点的签名不成立":
            "检查点上写着受信任密钥的签名，但签名与内容不符：内容或签名在签署之后被改动过，\
             可能是传输或保存中损坏。它不能说明账本签署过什么，所以既不采信，也不当作分叉。\
             请从别处取得同一检查点比对。";
        en "checkpoint's signature does not hold":
            "The checkpoint has a signature of a trusted key that does not fit its text: one of \
             them was changed after it was signed, perhaps by damage on the way. It shows nothing \
             that the log has signed, so it is neither believed nor taken for a fork. Get the same \
             checkpoint from somewhere else and compare.";
    }
    "CHECKPOINT_UNSIGNED" Fault {
        zh "没有受信任的签名":
            "检查点的来源与受信任的账本同名，但其上没有所给任何密钥的签名。可能是账本换了密钥，\
             也可能有人冒名，所以不采信。请通过可靠途径核实新的公钥，再用 --key 一并给出新旧密钥。";
        en "no trusted signature":
            "The checkpoint has the name of a trusted log and no signature of any key that was \
             given. The log may have a new key, or somebody else uses its name, so it is not \
             believed. Learn the new key in a way that you trust, and give the old and the new one \
             with --key.";
    }
    "CHECKPOINT_ORIGIN" Fault {
        zh "检查点属于别的账本":
            "检查点第一行的来源不是任何受信任密钥的名称，所以它说的是另一棵树。\
             请核对路径或网址，以及 --key 或策略文件中给出的是不是这个账本的密钥。";
        en "checkpoint of another log":
            "The first line of the checkpoint is not the name of any trusted key, so it speaks of \
             another tree. Check the path or URL, and whether --key or the policy file has the key \
             of this log.";
    }
    "CHECKPOINT_QUORUM" Fault {
        zh "联署的见证方不够":
            "账本已签署该检查点，但联署它的见证方未达到策略规定的数目。没有足够的见证方，\
             就不能排除账本给别人看的是另一套历史。请等见证方联署后再看，或者查明见证方为何没有联署。";
        en "too few cosignatures":
            "The log has signed the checkpoint, and fewer witnesses have cosigned it than the \
             policy asks for. Without them the log might show somebody else another history. Look \
             again when they have cosigned it, or find out why they have not.";
    }
    "TRUST_POLICY" Rejection {
        zh "策略文件有误":
            "信任策略文件不合 C2SP tlog-policy 的格式，提示中写明行号和原因。\
             策略决定相信谁，读不懂就不能猜测，所以没有核对任何签名。请改正该行。";
        en "policy file is wrong":
            "The file that says whom to trust is not in the form of C2SP tlog-policy; the message \
             has the line and the reason. It decides who is believed and is not guessed at, so no \
             signature was checked. Correct that line.";
    }
    "TREE_FORKED" Fault {
        zh "账本分叉":
            "账本签署了两个互不相容的检查点：较大的树并不包含较小的树。两份签名都有效，\
             这本身就是证据，不需要相信报警的人。请保存证据文件，停止依据该账本付款，\
             并与其他持有检查点的人核对谁看到的是哪一套。";
        en "the log has forked":
            "The log has signed two checkpoints that exclude each other: the larger tree does not \
             contain the smaller one. Both signatures hold, which is evidence in itself, whoever \
             raises the alarm. Keep the evidence file, pay nothing on the word of this ledger, and \
             compare with others who hold checkpoints which history they were shown.";
    }
    "TREE_SHRANK" Fault {
        zh "账本倒退":
            "账本签署了比以前更小的树：已经公布过的事件不见了。多半是从旧备份恢复后继续发布，\
             也可能是有意抹去。请保存证据文件，通知账本的管理者停止写入，\
             找回包含已公布事件的副本；不要删除状态文件。";
        en "the log has shrunk":
            "The log has signed a smaller tree than before: events that had been published are \
             gone. Most likely an old backup was restored and published from; they may also have \
             been erased. Keep the evidence file, have writing stopped, and find the copy that \
             holds the published events; do not delete the state file.";
    }
    "TILES_TAMPERED" Fault {
        zh "瓦片与检查点不符":
            "检查点的签名有效，但发布的瓦片读了两次都推不出它的根，所以这些瓦片不是那棵树的。\
             这不是分叉的证据：瓦片没有签名，可能是发布处损坏或被改动。\
             请由账本重新发布瓦片，并查明发布处发生了什么。";
        en "tiles do not fit the checkpoint":
            "The checkpoint is validly signed, and the published tiles, read twice, do not lead to \
             its root, so they are not those of its tree. That is no evidence of a fork: tiles are \
             not signed, and may be damaged or changed where they are published. Publish them anew \
             from the ledger, and find out what happened there.";
    }
    "WATCH_OTHER_TREE" Fault {
        zh "状态文件属于别的账本":
            "状态文件记的是一个账本的检查点，所给之处发布的是另一个受信任的账本。两者不能比较，\
             所以没有作任何改动。请为每个账本各用一个状态文件。";
        en "state file of another log":
            "The state file keeps a checkpoint of one log, and another trusted log is published at \
             the place given. The two cannot be compared, and nothing was changed. Use a state \
             file of its own for each log.";
    }
    "WATCH_STATE_LOCKED" Fault {
        zh "状态文件正在使用中":
            "另一个 luzhang audit watch 正在使用这个状态文件。两个进程同时写，记下的检查点就可能倒退，\
             所以只能有一个。请先停止那个进程，或者另用一个状态文件。";
        en "state file in use":
            "Another `luzhang audit watch` uses this state file. If two wrote to it, the checkpoint \
             that is kept could go back, so there is only one. Stop the other process, or use \
             another state file.";
    }
    "WATCH_STATE_DAMAGED" Fault {
        zh "状态文件损坏":
            "状态文件读不出签名检查点，或者其签名不成立。不会自动从头开始：\
             从头开始等于无条件相信下一次看到的内容，正好放过分叉。\
             请从备份恢复该文件，或者用保存在别处的同一账本的检查点代替它。";
        en "state file damaged":
            "The state file cannot be read as a signed checkpoint, or its signature does not hold. \
             The watch does not begin anew by itself: that would be to trust whatever is shown \
             next, and to miss a fork. Restore the file from a backup, or put a checkpoint of the \
             same log that was kept elsewhere into its place.";
    }
    "WATCH_STATE_UNTRUSTED" Fault {
        zh "状态文件不是所给密钥签的":
            "状态文件中的检查点没有所给任何密钥的签名：给错了密钥，用错了状态文件，或者账本换过密钥。\
             换过密钥的，请把旧密钥也用 --key 给出，直到记下由新密钥签署的检查点为止。";
        en "state file of another key":
            "The checkpoint in the state file has no signature of a key that was given: the key or \
             the state file is another one, or the log has a new key. In the last case give the \
             old key with --key too, until a checkpoint of the new one has been kept.";
    }
    "WEBHOOK_FAILED" Fault {
        zh "发现未能送出":
            "向 --webhook 的地址送了三次都没有成功。发现本身已经写入证据文件并在屏幕上给出，\
             退出码不变。请自行转告应当知道的人，并检查该地址。";
        en "finding not delivered":
            "The address given with --webhook did not take the finding, three times. The finding \
             itself is in the evidence file and on the screen, and the exit code is the same. Tell \
             whoever has to know, and check that address.";
    }
};
