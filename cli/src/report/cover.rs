//! The cover of a report as it is written: keys and values in a fixed order,
//! from which the report can be made again.

use jiff::Timestamp;
use luzhang_ledger::{Office, Position};
use luzhang_projections::report::{AsOf, Cover, Name, Query};

use crate::{failure::Failure, lang::Lang};

/// Whether the names of persons could be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// The report shows none.
    None,
    /// They are in the report.
    Opened,
    /// There were no keys: their cells are empty.
    Sealed,
}

impl Names {
    fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Opened => "opened",
            Self::Sealed => "sealed",
        }
    }
}

/// What each key is called.
pub(super) fn label(key: &str) -> (&'static str, &'static str) {
    match key {
        "report" => ("报表", "Report"),
        "ledger" => ("账本", "Ledger"),
        "position" => ("截至位置", "As of position"),
        "recorded_at" => ("该位置入账时间（UTC）", "Recorded at (UTC)"),
        "head" => ("链头", "Chain head"),
        "projections" => ("投影摘要", "Projection digests"),
        "packs" => ("政策包", "Policy packs"),
        "office" => ("经办机构", "Office"),
        "programme" => ("项目", "Programme"),
        "fund" => ("资金来源", "Fund"),
        "from" => ("起", "From"),
        "to" => ("止", "To"),
        "on" => ("基准日", "On"),
        "subject" => ("对象代号", "Subject"),
        "notice" => ("公示编号", "Notice"),
        "with" => ("附列", "With"),
        "all" => ("全部", "All"),
        "lang" => ("语言", "Language"),
        "names" => ("姓名", "Names"),
        "rows" => ("行数", "Rows"),
        _ => ("", ""),
    }
}

/// The cover, in its order. What was not asked for is left out.
pub(super) fn pairs(cover: &Cover, lang: Lang, names: Names) -> Vec<(&'static str, String)> {
    let query = &cover.query;
    let mut pairs = vec![(
        "report",
        format!("{}/{}", query.report, query.report.version()),
    )];
    let mut put = |key, value: Option<String>| pairs.extend(value.map(|value| (key, value)));
    put("ledger", cover.ledger.map(|ledger| ledger.to_string()));
    let position = cover.position.map_or(0, Position::number);
    put("position", Some(position.to_string()));
    let recorded_at = Timestamp::from_microsecond(cover.recorded_at).ok();
    put("recorded_at", recorded_at.map(|at| format!("{at:.6}")));
    put("head", cover.head.map(|head| head.to_string()));
    let projections = cover.projections.iter().map(|status| {
        let name = status.name;
        format!("{}/{}:{}", name.as_str(), name.version(), status.digest)
    });
    put(
        "projections",
        Some(projections.collect::<Vec<_>>().join(";")),
    );
    let packs = cover
        .packs
        .iter()
        .map(|(id, content)| format!("{id}:{content}"));
    put("packs", Some(packs.collect::<Vec<_>>().join(";")));
    put("office", query.office.map(|office| office.to_string()));
    put("programme", query.programme.clone());
    put("fund", query.fund.clone());
    put("from", query.from.map(|day| day.to_string()));
    put("to", query.to.map(|day| day.to_string()));
    put("on", query.on.map(|day| day.to_string()));
    put("subject", query.subject.map(|subject| subject.to_string()));
    put("notice", query.notice.clone());
    let with = match (query.identity, query.account) {
        (false, false) => None,
        (true, false) => Some("identity"),
        (false, true) => Some("account"),
        (true, true) => Some("identity;account"),
    };
    put("with", with.map(str::to_owned));
    put("all", query.all.then(|| "yes".to_owned()));
    put("lang", Some(lang.pick("zh", "en").to_owned()));
    put("names", Some(names.as_str().to_owned()));
    put("rows", Some(cover.rows.to_string()));
    pairs
}

/// What a report was asked for, by its cover.
pub(super) struct Read {
    pub(super) query: Query,
    pub(super) lang: Lang,
    pub(super) names: Names,
    pub(super) pairs: Vec<(String, String)>,
}

impl Read {
    pub(super) fn of(pairs: Vec<(String, String)>) -> Result<Self, Failure> {
        let value = |key: &str| {
            let pair = pairs.iter().find(|(known, _)| known == key);
            pair.map(|(_, value)| value.as_str())
        };
        let (name, version) = value("report")
            .and_then(|v| v.split_once('/'))
            .unwrap_or_default();
        let report = Name::parse(name).ok_or_else(|| bad("report"))?;
        if version != report.version().to_string() {
            return Err(Failure::new(
                "REPORT_VERSION",
                format!(
                    "该报表是第 {version} 版，本程序只能重做第 {} 版",
                    report.version()
                ),
                format!(
                    "the report is version {version}, and this program makes version {}",
                    report.version()
                ),
            ));
        }
        let position: Option<u64> = parsed("position", value("position"))?;
        let position = position
            .and_then(Position::new)
            .ok_or_else(|| bad("position"))?;
        let office: Option<u32> = parsed("office", value("office"))?;
        let office = office.map(|code| Office::new(code).map_err(|_| bad("office")));
        let with = value("with").unwrap_or("");
        let query = Query {
            as_of: Some(AsOf::Position(position)),
            office: office.transpose()?,
            programme: value("programme").map(str::to_owned),
            fund: value("fund").map(str::to_owned),
            from: parsed("from", value("from"))?,
            to: parsed("to", value("to"))?,
            on: parsed("on", value("on"))?,
            subject: parsed("subject", value("subject"))?,
            notice: value("notice").map(str::to_owned),
            all: value("all") == Some("yes"),
            identity: with.split(';').any(|w| w == "identity"),
            account: with.split(';').any(|w| w == "account"),
            ..Query::of(report)
        };
        Ok(Self {
            query,
            lang: match value("lang") {
                Some("zh") => Lang::Zh,
                Some("en") => Lang::En,
                Some(_) | None => return Err(bad("lang")),
            },
            names: match value("names") {
                Some("opened") => Names::Opened,
                Some("sealed") => Names::Sealed,
                Some("none") => Names::None,
                Some(_) | None => return Err(bad("names")),
            },
            pairs,
        })
    }
}

fn parsed<T: std::str::FromStr>(
    key: &'static str,
    value: Option<&str>,
) -> Result<Option<T>, Failure> {
    value.map(|v| v.parse().map_err(|_| bad(key))).transpose()
}

fn bad(key: &str) -> Failure {
    let (zh, en) = label(key);
    Failure::new(
        "REPORT_COVER",
        format!("报表封面缺少或写错了“{zh}”（{key}）：它不是 luzhang 报表，或者已被改动"),
        format!(
            "the cover's {en} ({key}) is missing or wrong: this is no luzhang report, or it was changed"
        ),
    )
}
