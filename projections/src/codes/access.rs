//! Who may do what, and what becomes of those who ask for more.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    "PRINCIPAL_REQUIRED" Rejection {
        zh "没有说明账户":
            "本账本已有授权，请求必须说明是哪个账户：启用 TLS 时由证书说明，未启用时由 --principal 说明。请补上账户后重试。";
        en "no principal":
            "Mandates have been given in this ledger, so a request says who asks: by a certificate where there is TLS, by `--principal` where there is none. Name the account and try again.";
    }
    "PRINCIPAL_UNKNOWN" Rejection {
        zh "账户没有授权":
            "账本上没有给这个账户的授权，什么都不能办理。请核对账户名称，或请系统管理员提出授权（luzhang principal propose），再由另一名系统管理员确认。";
        en "no mandate":
            "The ledger has no mandate for this principal, so it may do nothing. Check the name, or have one administrator propose a mandate (`luzhang principal propose`) and another confirm it.";
    }
    "PRINCIPAL_REVOKED" Rejection {
        zh "授权已收回":
            "这个账户曾有授权，后来由两名系统管理员收回，从那时起什么都不能办理；正在进行的导入也随之停止。此前已办理的仍然有效。";
        en "mandate taken back":
            "This principal had a mandate, and two administrators took it back: it may do nothing from then on, and an import under way stops. What was done before still stands.";
    }
    "CREDENTIAL_UNKNOWN" Rejection {
        zh "密钥不在授权之内":
            "这个账户的授权限定了可用的证书密钥，当前证书的密钥不在其中，例如旧证书丢失后已被换掉。请使用登记过的证书，或由两名系统管理员登记新密钥。";
        en "key not in the mandate":
            "The mandate of this principal names the keys that it is used with, and that of this certificate is not among them, as after an old one was lost and replaced. Use the certificate that is on record, or have two administrators record the new key.";
    }
    "ROLE_REQUIRED" Rejection {
        zh "岗位不符":
            "此操作只能由特定岗位办理，账户的授权没有其中任何一个岗位。哪个岗位办理什么，见 docs/ACCESS.md；请由相应岗位的人员办理，或调整授权。";
        en "another role's work":
            "This is for certain roles only, and the principal's mandate has none of them. docs/ACCESS.md says which role does what; have somebody of that role do it, or change the mandate.";
    }
    "SCOPE_OFFICE" Rejection {
        zh "超出机构范围":
            "授权限定了经办机构，所涉及的机构不在其中；市本级 510500 的授权包含各区县。请由所属机构的人员办理，或调整授权。";
        en "another office's":
            "The mandate names offices, and the one that this is about is not among them; the city's, 510500, includes its counties. Have that office do it, or change the mandate.";
    }
    "SCOPE_PROGRAMME" Rejection {
        zh "超出项目范围":
            "授权限定了项目，所涉及的项目不在其中。请由负责该项目的人员办理，或调整授权。";
        en "another programme's":
            "The mandate names programmes, and the one that this is about is not among them. Have those do it who are in charge of it, or change the mandate.";
    }
    "SCOPE_WHOLE" Rejection {
        zh "需要全部范围":
            "此操作涉及全部机构和项目，例如导出整条链或没有机构栏的投影，只有不限机构、不限项目的授权才能办理。请由市本级人员办理。";
        en "about everything":
            "This is about all offices and programmes, such as an export of the chain or a projection without a column for offices, and takes a mandate without such limits. Have somebody of the city's office do it.";
    }
    "PRINCIPALS_NONE" Rejection {
        zh "尚无授权":
            "本账本还没有任何授权，因此也没有系统管理员可以授权，也不能启用 TLS 对外服务。请在账本所在的机器上运行 luzhang principal found，指定首批两名以上的系统管理员。";
        en "no mandates yet":
            "Nobody has a mandate in this ledger, so there is no administrator who could give one, and it is not served over TLS. On its own machine run `luzhang principal found` and name the first two administrators or more.";
    }
    "PRINCIPALS_EXIST" Rejection {
        zh "已有授权":
            "首批授权只能在没有任何授权时指定。本账本已有授权，此后的变更由一名系统管理员提出（luzhang principal propose），另一名确认。";
        en "mandates exist":
            "The first mandates are given only while there are none. This ledger has some: from now on one administrator proposes a change (`luzhang principal propose`) and another confirms it.";
    }
    "ADMINISTRATORS_TOO_FEW" Rejection {
        zh "系统管理员不足":
            "授权变更须由两名系统管理员办理，少于两名就再也无法变更。请先增加一名系统管理员。";
        en "too few administrators":
            "It takes two administrators to change a mandate; with fewer, none could be changed any more. Make another administrator first.";
    }
    "UNKNOWN_PROPOSAL" Rejection {
        zh "没有待确认的授权":
            "这个位置没有待确认的授权：可能已经确认，已被同一账户后来的提议取代，或者提出人已不再是系统管理员。请用 luzhang principal list 查看待确认的授权。";
        en "no such proposal":
            "No proposal waits at this position: it was confirmed, a later one for the same principal took its place, or whoever proposed it is no administrator any more. `luzhang principal list` shows what waits.";
    }
    "SECOND_ADMINISTRATOR" Rejection {
        zh "须由另一人确认":
            "授权由一名系统管理员提出，须由另一名确认，自己不能确认自己提出的。请由另一名系统管理员办理。";
        en "another one confirms":
            "What one administrator proposes another confirms; nobody confirms their own. Have another administrator do it.";
    }
    "REQUEST_OF_ANOTHER" Rejection {
        zh "他人已提交":
            "同一请求编号已由另一个账户提交，结果只给原提交账户。如果是同一份表格，说明已有人导入，请勿重复办理；如果当时不予受理，现在轮到您办理，请加 --resubmit 作为新的申报。";
        en "somebody else's request":
            "Another principal has used this request id, and its outcome is theirs. If it is the same table, somebody has imported it already, so there is nothing to do; if they were refused and it is yours to do, `--resubmit` makes it a new attempt.";
    }
    "SUBJECT_UNFINISHED" Rejection {
        zh "还有在途资金":
            "该对象还有尚未拨付、或应当追回的资金，删除信息后就无法办理。请先拨付、冲正或追回结案，再删除。";
        en "money on its way":
            "Money for this subject is still to be paid or to be claimed back, which is impossible without the details. Pay, reverse or close the recovery first, then erase.";
    }
};
