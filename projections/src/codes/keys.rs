//! The key-encryption key, and keys that were destroyed.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    "KEK_MISSING" Fault {
        zh "主密钥缺失":
            "keys 目录中的密钥都由一把主密钥（密钥加密密钥）加密，而主密钥的文件不在应在之处。\
             没有它任何人都认不出来、查不到；自动换一把新的也无济于事，所以不会生成。\
             请从保管处恢复该文件，或者用 --kek-file、--kek-command（环境变量 LUZHANG_KEK_FILE、\
             LUZHANG_KEK_COMMAND）指明它在哪里。";
        en "key-encryption key missing":
            "All keys in the directory keys are wrapped under one key-encryption key, and its file \
             is not where it should be. Without it nobody on the ledger can be recognised or named; \
             a new one would open nothing, so none is made. Restore the file from where it is kept, \
             or say where it is with --kek-file or --kek-command (in the environment \
             LUZHANG_KEK_FILE or LUZHANG_KEK_COMMAND).";
    }
    "KEK_EXPOSED" Fault {
        zh "主密钥可被他人读取":
            "主密钥文件的权限过宽，或者属于别的用户：能读到它的人，得到 keys 目录的任何一份备份就能还原所有身份信息。\
             程序因此不用它。请把权限改为 0600 或 0400，属主改为运行本程序的用户或 root；\
             如果可能已经有人读过，再运行 luzhang keys rotate 更换主密钥。";
        en "key-encryption key exposed":
            "The file of the key-encryption key can be read by others or belongs to another user. \
             Whoever read it needs only some backup of the directory keys to see who everybody is, \
             so it is not used. Give it mode 0600 or 0400, and make it belong to the user who runs \
             the program or to root; if somebody may have read it, change it with luzhang keys rotate.";
    }
    "KEK_UNREADABLE" Fault {
        zh "主密钥无法读出":
            "主密钥的文件打不开，或者文件、命令给出的内容不是主密钥：应为两行，第一行“luzhang kek 1”，\
             第二行“key ”后跟64个十六进制数字。命令须在一分钟内正常结束，只把这两行写到标准输出。\
             出错信息不会重复读到的内容。请检查文件或单独运行一次命令，必要时从保管处恢复。";
        en "key-encryption key unreadable":
            "The file of the key-encryption key cannot be opened, or what the file or the command \
             gave is no key: it is two lines, luzhang kek 1 and then key with 64 hexadecimal digits. \
             A command must end well within a minute and print nothing else to its standard output. \
             What was read is not repeated. Look at the file, or run the command by itself; restore \
             the key from where it is kept if need be.";
    }
    "KEK_MISMATCH" Fault {
        zh "主密钥不对":
            "所给的主密钥不是加密这些密钥的那一把，两把的编号都写在信息中；编号不泄露密钥本身。\
             可能是指错了文件，也可能是 keys 目录取自 luzhang keys rotate 之前的备份：原主密钥销毁之后，\
             这样的备份不能再打开，这正是更换的目的。更换中途断电的，请用新的主密钥打开，程序会接着做完。";
        en "wrong key-encryption key":
            "The key-encryption key at hand is not the one that these keys are wrapped under; the \
             message has the ids of both, which say nothing of the keys. Either the wrong file is \
             named, or the directory keys comes from a backup older than the last luzhang keys \
             rotate: once the old key is destroyed such a backup opens no more, which is what \
             rotation is for. If a rotation was interrupted, open the ledger with the new key, and \
             it is finished.";
    }
    "KEK_UNCHANGED" Fault {
        zh "主密钥没有变化":
            "更换主密钥时，所指的新主密钥就是正在使用的那一把，没有作任何改动。\
             请用 --new-kek-file 指明一个尚不存在的文件，由程序生成；或者让 --new-kek-command 输出另一把密钥。";
        en "key-encryption key unchanged":
            "The new key-encryption key is the one that is in use already, and nothing was changed. \
             Name a file that is not there yet with --new-kek-file, which is then made, or let \
             --new-kek-command print another key.";
    }
    "KEK_NO_PLACE" Fault {
        zh "没有指明新的主密钥":
            "现用的主密钥不在数据目录中，可能有别的账本也在使用，因此不能就地替换，没有作任何改动。\
             请用 --new-kek-file 或 --new-kek-command 指明新的主密钥放在哪里。";
        en "new key-encryption key not named":
            "The key-encryption key in use is not the data directory's own. Other ledgers may use it \
             too, so it is not replaced where it is, and nothing was changed. Say where the new one \
             is, with --new-kek-file or --new-kek-command.";
    }
    "SUBJECT_ERASED" Rejection {
        zh "身份信息已删除":
            "该对象的姓名、号码和账户已经删除：解开它们的密钥已销毁，任何人、任何备份都不能再读取。\
             账本上的事项、限额和合计不受影响。本人再次申领时，重新登记即可。";
        en "details erased":
            "The subject's name, number and account were erased: the key to them was destroyed, and \
             nobody can read them any more. Events, limits and totals on the ledger hold as before. \
             If the person claims again, they are registered anew.";
    }
    "SUBJECT_BEING_ERASED" Rejection {
        zh "正在删除身份信息":
            "该对象的身份信息正在删除，删除落盘之前不能重新登记，以免新旧密钥混淆；没有写入任何内容。\
             这一过程不到一秒，请用原请求编号重发同一请求。";
        en "details being erased":
            "The subject's details are being erased, and until that is durable the subject cannot be \
             registered anew, lest the new key be taken for the old. Nothing was written. It takes \
             less than a second: send the same request again, with the same request id.";
    }
};
