//! Connections and certificates.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    "PRINCIPAL_MISMATCH" Rejection {
        zh "自称的账户与证书不符":
            "请求中写明的账户不是所出示证书的账户，因此没有受理。经 TLS 连接时，账户只看证书，\
             否则持任何一张证书的人都可以冒用他人名义。请去掉 --principal（或 LUZHANG_PRINCIPAL），\
             或者改用该账户的证书。";
        en "account named is not the certificate's":
            "The request names an account other than that of the certificate that was shown, and \
             was not taken. Over TLS the certificate alone says who asks; else whoever has any \
             certificate could act in another's name. Leave out `--principal` (or \
             LUZHANG_PRINCIPAL), or use that account's certificate.";
    }
    "CERTIFICATE_REQUIRED" Rejection {
        zh "没有出示证书":
            "该服务要求每个调用方出示证书，本次连接没有出示。账户由证书证明，不凭自称。\
             请用 --identity 指明证书（前缀.crt 与 前缀.key），或者设置 LUZHANG_IDENTITY。";
        en "no certificate was shown":
            "The server asks every caller for a certificate, and none was shown. An account is \
             proven by its certificate, not by what a caller says. Name yours with `--identity` \
             (PREFIX.crt and PREFIX.key), or set LUZHANG_IDENTITY.";
    }
    "CERTIFICATE_EXPIRED" Rejection {
        zh "证书已过期":
            "连接的一方出示的证书已过有效期；提示中写明是调用方的还是服务器的。过期的证书不再证明任何事，\
             已建立的连接到期时也会断开。请向签发机构换发；luzhang cert show 列出各证书的到期日。";
        en "certificate has expired":
            "The certificate of one side has expired; the message says whether it is the caller's \
             or the server's. An expired certificate proves nothing any more, and a connection \
             that was made with it ends when it does. Have another one made; `luzhang cert show` \
             lists when each expires.";
    }
    "CERTIFICATE_NOT_YET_VALID" Rejection {
        zh "证书尚未生效":
            "证书的生效时间在将来，因此不被接受。多半是两台机器中有一台时钟不准；也可能证书就是为以后签发的。\
             请先核对两边的时钟，再查看 luzhang cert show。";
        en "certificate is not valid yet":
            "The certificate is valid from a time that is still to come, and was not accepted. \
             Most often the clock of one of the two machines is wrong; or it was made for later. \
             Check both clocks, then look at `luzhang cert show`.";
    }
    "CERTIFICATE_UNTRUSTED" Rejection {
        zh "证书由不被认可的机构签发":
            "签发调用方证书的 CA 不在服务器所认可的之列，因此没有建立连接。\
             任何人都能自建 CA 并签发任何名字，所以只有服务器指明的 CA 才算数。\
             请使用单位 CA 签发的证书；确应认可该 CA 的，由管理服务的人加入 --tls-client-ca 所指的文件。";
        en "certificate is by an unknown CA":
            "The CA of the caller's certificate is none of those that the server believes, and \
             there is no connection. Anybody can make a CA and give any name, so only those that \
             the server was told of count. Use a certificate by the bureau's CA; if this CA is to \
             be believed, whoever runs the server adds it to the file of `--tls-client-ca`.";
    }
    "CERTIFICATE_NAMELESS" Rejection {
        zh "证书没有写明账户":
            "证书本身有效，但从中看不出是哪个账户：没有名称、写了不止一个，或者名称不可用。\
             账户写在备用名称 urn:luzhang:principal:账户 中；没有这一项的，取唯一的通用名称（CN）。\
             名称至多 64 个字符，luzhang 为账本自用。请重新签发。";
        en "certificate names no account":
            "The certificate is valid, but which account it is of cannot be told: it names none, \
             or more than one, or one that cannot be an account's. The account stands in the \
             alternative name `urn:luzhang:principal:NAME`, or else in the only common name; it \
             has 64 characters at most, and `luzhang` is the ledger's own. Have another one made.";
    }
    "CERTIFICATE_INVALID" Rejection {
        zh "证书不能用于此处":
            "证书没有通过检验：用途不是客户端认证、编码有误、已被吊销，或者本身就是 CA 的证书。\
             例如服务器证书不能用来表明调用方是谁。请用 luzhang cert show 查看，并改用为该账户签发的证书。";
        en "certificate cannot be used for this":
            "The certificate did not pass: it is not for client authentication, is badly encoded, \
             was revoked, or is a CA's own. A server's certificate, for one, does not say who a \
             caller is. Look at it with `luzhang cert show`, and use one that was made for the \
             account.";
    }
    "CERTIFICATE_NAME" Rejection {
        zh "账户名不能用于证书文件":
            "luzhang cert dev 以账户名作为文件名，因此名称只能用文字、数字和 - _ . @，且以文字或数字开头。\
             ca 和 server 另有用途，luzhang 为账本自用。没有生成任何文件，请换一个名称。";
        en "account's name cannot be that of a file":
            "`luzhang cert dev` names files after accounts, so a name has letters, digits and \
             `-_.@` alone, and begins with a letter or digit. Files by the names `ca` and `server` \
             are for something else, and `luzhang` is the ledger's own. No file was made; choose \
             another name.";
    }
    "CERTIFICATE_EXISTS" Rejection {
        zh "证书已经存在":
            "要生成的证书或私钥文件已经存在，没有作任何改动。私钥一旦覆盖就无法恢复，所以从不覆盖。\
             要换新证书，请先移走同名的 .crt 和 .key 两个文件，再运行一次。";
        en "certificate is there already":
            "A file that was to be made, of a certificate or its key, is there already, and \
             nothing was changed. A key that is overwritten is gone, so none ever is. To make \
             another, move its .crt and its .key away first and run the command again.";
    }
    "SERVER_UNTRUSTED" Rejection {
        zh "服务器的证书不可信":
            "签发服务器证书的机构不在本方所认可的之列，因此没有发送任何内容：对方可能不是真正的服务。\
             请用 --ca（或 LUZHANG_CA）指明单位 CA 的证书；不给时取 --identity 所在目录中的 ca.crt。\
             服务端日志中出现此代码，说明是调用方不认可本服务的证书。";
        en "server's certificate is not believed":
            "The server's certificate is by none of the CAs that are believed here, and nothing \
             was sent: it may not be the server that it seems to be. Name the certificate of the \
             bureau's CA with `--ca` (or LUZHANG_CA); else it is `ca.crt` in the directory of \
             `--identity`. In a server's log this code says that a caller did not believe the \
             server.";
    }
    "SERVER_NAME_MISMATCH" Rejection {
        zh "服务器的证书不属于这个地址":
            "服务器的证书由可信的 CA 签发，但其中没有所连接的主机名或地址，因此没有发送任何内容。\
             否则同一 CA 下的任何一台机器都可以顶替它。请改用证书上写明的名称连接，\
             或者重新签发并加上该名称（luzhang cert dev --host）。";
        en "server's certificate is for another address":
            "The server's certificate is by a CA that is believed, but does not have the name or \
             address that was connected to, and nothing was sent. Otherwise any machine with a \
             certificate by that CA could stand in for it. Connect by a name that the certificate \
             has, or have it made anew with this one (`luzhang cert dev --host`).";
    }
    "TLS_REQUIRED" Rejection {
        zh "该服务只接受 TLS 连接":
            "用 http:// 连接了启用 TLS 的服务，没有发送任何申报内容。\
             请把地址改为 https://，并用 --identity 出示证书。";
        en "server speaks TLS only":
            "A server that has TLS was called by http://, and nothing was asked of it. Write \
             https:// in the address, and show a certificate with `--identity`.";
    }
    "TLS_HANDSHAKE" Fault {
        zh "TLS 连接没有建立":
            "双方没有谈成 TLS：对方可能没有启用 TLS、版本过旧，或者根本不是在说 TLS。没有发送任何内容。\
             请核对地址与端口（7380 为服务，7381 为公开的树）；服务端日志中零星出现，多半是端口扫描。";
        en "no TLS could be agreed on":
            "The two sides did not come to terms: the other may not have TLS, have a version that \
             is too old, or speak something else. Nothing was sent. Check address and port (7380 \
             is the server, 7381 the published tree); now and then in a server's log, it is most \
             often somebody looking for open ports.";
    }
    "TLS_FILE_INVALID" Fault {
        zh "证书或私钥文件不可用":
            "文件中没有所需的 PEM 证书或私钥，或者内容损坏。启动时遇到，服务不会启动；\
             运行中换上的，继续使用原来的证书，并在日志中说明。请核对文件，证书以 BEGIN CERTIFICATE 开头。";
        en "file of certificates or a key cannot be used":
            "The file does not have the certificate or private key in PEM that it should, or is \
             damaged. At its start the server does not run with it; while it runs, it goes on with \
             the old certificates and says so in its log. Look at the file: a certificate begins \
             with BEGIN CERTIFICATE.";
    }
    "TLS_KEY_MISMATCH" Fault {
        zh "私钥与证书不配对":
            "私钥不是这张证书的，用它无法证明身份。更换时只换了其中一个文件，便会暂时如此；\
             服务在此期间继续使用原来的一对，两个文件都换好后自动启用。请核对两个文件是否同时签发。";
        en "key is not the certificate's":
            "The private key is not that of the certificate, and proves nothing with it. While \
             files are replaced one by one this is so for a moment: the server goes on with the \
             old pair and takes the new one when both are there. Check that the two were made \
             together.";
    }
    "CONNECTIONS_FULL" Warning {
        zh "连接数已满":
            "同时打开的连接达到上限，新的连接要等到有连接结束。迟迟不开始的连接会在 --connection-start \
             之后断开，无人应答的在 --connection-silence 之后断开，所以一般自行恢复。\
             经常出现的，请查明来源，或者提高 --connections。";
        en "all connections are taken":
            "As many connections are open as there may be, and new ones wait until one ends. Those \
             that do not begin are closed after `--connection-start`, those where nobody answers \
             after `--connection-silence`, so it passes by itself. If it happens often, find out \
             who calls, or raise `--connections`.";
    }
    "CONNECTION_STALLED" Warning {
        zh "连接迟迟没有开始":
            "调用方连上之后，没有在 --connection-start 之内完成 TLS 和 HTTP/2 的开头，已被断开。\
             这样的连接占着位置却不做事。正常的客户端在几毫秒内完成；反复出现的，请按日志中的地址查明来源。";
        en "connection did not begin":
            "A caller connected and did not get through the beginning of TLS and HTTP/2 within \
             `--connection-start`; it was closed. Such a connection takes a place and does \
             nothing. Any usual client needs some milliseconds; if it happens again and again, \
             find out who is at the address in the log.";
    }
};
