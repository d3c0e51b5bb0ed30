//! What a measurement is reported as: a figure beside its yardstick.
//!
//! Everything is an integer in a stated unit; a ratio is in thousandths. So
//! there is nothing to round but the ratio, and it is rounded down.

use std::{fmt, time::Duration};

use serde_json::{Map, Number, Value, json};

/// A ratio in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Thousandths(pub(super) u64);

impl Thousandths {
    /// `part / whole`, rounded down. `None` for a whole of zero.
    pub(super) fn of(part: u64, whole: u64) -> Option<Self> {
        let thousandths = (u128::from(part) * 1_000).checked_div(u128::from(whole))?;
        u64::try_from(thousandths).ok().map(Self)
    }

    pub(super) fn json(self) -> Value {
        // Text to number, since arithmetic with floats is not wanted anywhere.
        let number: Result<Number, _> = self.to_string().parse();
        number.map_or(Value::Null, Value::Number)
    }
}

impl fmt::Display for Thousandths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1_000, self.0 % 1_000)
    }
}

/// How many of something a second, rounded down.
pub(super) fn per_second(count: u64, time: Duration) -> u64 {
    let rate = (u128::from(count) * 1_000_000_000)
        .checked_div(time.as_nanos())
        .unwrap_or(0);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// Nanoseconds for each of something, rounded down.
pub(super) fn nanos_each(count: u64, time: Duration) -> u64 {
    let cost = time.as_nanos().checked_div(count.into()).unwrap_or(0);
    u64::try_from(cost).unwrap_or(u64::MAX)
}

/// The results of several runs of one measurement.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs(Vec<u64>);

impl Runs {
    pub(super) fn push(&mut self, result: u64) {
        self.0.push(result);
    }

    /// Every result, in the order of the runs.
    pub(super) fn all(&self) -> &[u64] {
        &self.0
    }

    /// The middle one; the lower of two. `None` without runs.
    pub(super) fn median(&self) -> Option<u64> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        sorted.get(last / 2).copied()
    }

    /// The lowest and the highest. `None` without runs.
    pub(super) fn bounds(&self) -> Option<(u64, u64)> {
        let lowest = self.0.iter().min().copied()?;
        let highest = self.0.iter().max().copied()?;
        Some((lowest, highest))
    }

    /// From the lowest to the highest, as a part of the median. `None` unless
    /// there are two.
    pub(super) fn spread(&self) -> Option<Thousandths> {
        let (lowest, highest) = self.bounds().filter(|_| self.0.len() > 1)?;
        Thousandths::of(highest - lowest, self.median()?)
    }

    /// Each result with the one of the other's at the same place, summed.
    pub(super) fn plus(&self, other: &Self) -> Self {
        let pairs = self.0.iter().zip(&other.0);
        Self(pairs.map(|(one, two)| one.saturating_add(*two)).collect())
    }

    /// Divides every result, rounding down.
    pub(super) fn divided_by(&self, divisor: u64) -> Self {
        Self(
            self.0
                .iter()
                .map(|result| result / divisor.max(1))
                .collect(),
        )
    }
}

impl FromIterator<u64> for Runs {
    fn from_iter<I: IntoIterator<Item = u64>>(results: I) -> Self {
        Self(results.into_iter().collect())
    }
}

/// Which way a figure is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Better {
    /// A rate: the ratio is figure to yardstick.
    More,
    /// A cost: the ratio is yardstick to figure.
    Less,
}

/// A yardstick, or why there is none.
#[derive(Clone, Debug)]
pub(super) enum Yardstick {
    /// Measured in the same run, or a fixed allowance.
    Measured(Runs),
    /// Not measured, for this reason.
    Missing(String),
}

/// Whether a row is where it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The ratio is at least the reach.
    Reached,
    /// It is less.
    FallsShort,
    /// There is no ratio.
    NotMeasured,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::FallsShort => "falls short",
            Self::NotMeasured => "not measured",
        }
    }
}

/// One row of the report.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Its name in the history: the same whatever the sizes were.
    pub(super) id: &'static str,
    /// What was done, with the numbers that matter.
    pub(super) work: String,
    /// Unit of the figure and of the yardstick.
    pub(super) unit: &'static str,
    /// What it is compared with.
    pub(super) against: String,
    /// Results of the work.
    pub(super) figure: Runs,
    /// Results of the yardstick.
    pub(super) yardstick: Yardstick,
    /// Which way the figure is better.
    pub(super) better: Better,
    /// The ratio to reach.
    pub(super) reach: Thousandths,
    /// Whatever else was seen.
    pub(super) extra: Map<String, Value>,
}

impl Row {
    fn yardstick_median(&self) -> Option<u64> {
        match &self.yardstick {
            Yardstick::Measured(runs) => runs.median(),
            Yardstick::Missing(_) => None,
        }
    }

    fn ratio(&self) -> Option<Thousandths> {
        let figure = self.figure.median()?;
        let yardstick = self.yardstick_median()?;
        match self.better {
            Better::More => Thousandths::of(figure, yardstick),
            Better::Less => Thousandths::of(yardstick, figure),
        }
    }

    fn verdict(&self) -> Verdict {
        match self.ratio() {
            None => Verdict::NotMeasured,
            Some(ratio) if ratio >= self.reach => Verdict::Reached,
            Some(_) => Verdict::FallsShort,
        }
    }

    /// The row as JSON. The first six fields are the promised ones.
    pub(super) fn json(&self) -> Value {
        let mut fields = Map::new();
        let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        set("work", json!(self.work));
        set("figure", json!(self.figure.median()));
        set("unit", json!(self.unit));
        set("yardstick", json!(self.yardstick_median()));
        set("ratio", self.ratio().map_or(Value::Null, Thousandths::json));
        set("reach", self.reach.json());
        set("verdict", json!(self.verdict().word()));
        set("against", json!(self.against));
        set("id", json!(self.id));
        set("figure_runs", json!(self.figure.0));
        set("figure_lowest", json!(self.figure.bounds().map(|b| b.0)));
        set("figure_highest", json!(self.figure.bounds().map(|b| b.1)));
        set("figure_spread", spread(&self.figure));
        match &self.yardstick {
            Yardstick::Measured(runs) => {
                set("yardstick_runs", json!(runs.0));
                set("yardstick_lowest", json!(runs.bounds().map(|b| b.0)));
                set("yardstick_highest", json!(runs.bounds().map(|b| b.1)));
                set("yardstick_spread", spread(runs))
            }
            Yardstick::Missing(why) => set("why_not_measured", json!(why)),
        };
        fields.extend(self.extra.clone());
        Value::Object(fields)
    }
}

/// Further fields of a row.
pub(super) fn fields<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn spread(runs: &Runs) -> Value {
    runs.spread().map_or(Value::Null, Thousandths::json)
}

/// All rows as the promised document, and what was measured with.
pub(super) fn document(rows: &[Row], circumstances: Map<String, Value>) -> Map<String, Value> {
    let rows: Vec<Value> = rows.iter().map(Row::json).collect();
    let mut document = Map::from_iter([("schema_version".to_owned(), 1.into())]);
    document.extend(circumstances);
    document.insert("rows".to_owned(), rows.into());
    document
}

/// A number with its digits in threes.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() * 2);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(better: Better, figure: &[u64], yardstick: Yardstick) -> Row {
        Row {
            id: "row",
            work: "work".to_owned(),
            unit: "1/s",
            against: "yardstick".to_owned(),
            figure: figure.iter().copied().collect(),
            yardstick,
            better,
            reach: Thousandths(500),
            extra: Map::from_iter([("p50_us".to_owned(), json!(7))]),
        }
    }

    fn measured(runs: &[u64]) -> Yardstick {
        Yardstick::Measured(runs.iter().copied().collect())
    }

    #[test]
    fn the_ratio_is_of_medians_and_bigger_is_better() {
        let cases = [
            (
                Better::More,
                &[9, 5, 1][..],
                &[10][..],
                Some(500),
                Verdict::Reached,
            ),
            (
                Better::More,
                &[4_999],
                &[10_000],
                Some(499),
                Verdict::FallsShort,
            ),
            (
                Better::More,
                &[2, 8, 4, 6],
                &[1],
                Some(4_000),
                Verdict::Reached,
            ),
            (
                Better::Less,
                &[20],
                &[9, 10, 11],
                Some(500),
                Verdict::Reached,
            ),
            (Better::Less, &[1], &[15], Some(15_000), Verdict::Reached),
            (Better::More, &[1], &[0], None, Verdict::NotMeasured),
            (Better::More, &[], &[1], None, Verdict::NotMeasured),
        ];
        for (better, figure, yardstick, ratio, verdict) in cases {
            let row = row(better, figure, measured(yardstick));
            let shown = format!("{better:?} {figure:?} {yardstick:?}");
            assert_eq!(row.ratio(), ratio.map(Thousandths), "{shown}");
            assert_eq!(row.verdict(), verdict, "{shown}");
        }
    }

    #[test]
    fn json_has_the_promised_fields_and_numbers_as_numbers() {
        let circumstances = Map::from_iter([("seed".to_owned(), json!(4))]);
        let rows = [row(Better::More, &[3], measured(&[2]))];
        let json = Value::Object(document(&rows, circumstances));
        assert_eq!(json["schema_version"], 1);
        assert_eq!(json["seed"], 4);
        let row = &json["rows"][0];
        assert_eq!(row["figure"], 3);
        assert_eq!(row["yardstick"], 2);
        assert!((row["ratio"].as_f64().unwrap() - 1.5).abs() < 1e-9);
        assert!((row["reach"].as_f64().unwrap() - 0.5).abs() < 1e-9);
        assert_eq!(row["unit"], "1/s");
        assert_eq!(row["p50_us"], 7);
    }

    #[test]
    fn the_spread_is_from_lowest_to_highest_as_a_part_of_the_median() {
        for (runs, spread) in [
            (&[100, 90, 120][..], Some(300)),
            (&[7, 7, 7], Some(0)),
            (&[7], None),
            (&[], None),
            (&[0, 0], None),
        ] {
            let runs: Runs = runs.iter().copied().collect();
            assert_eq!(runs.spread(), spread.map(Thousandths), "{runs:?}");
        }
        let json = row(Better::More, &[100, 90, 120], measured(&[1])).json();
        assert_eq!(json["figure_lowest"], 90);
        assert_eq!(json["figure_highest"], 120);
        assert_eq!(json["figure_spread"].to_string(), "0.3");
        assert_eq!(json["yardstick_spread"], Value::Null);
    }

    #[test]
    fn a_missing_yardstick_is_said_not_hidden() {
        let missing = row(
            Better::More,
            &[3],
            Yardstick::Missing("no server".to_owned()),
        );
        let json = missing.json();
        assert_eq!(json["ratio"], Value::Null);
        assert_eq!(json["yardstick"], Value::Null);
        assert_eq!(json["verdict"], "not measured");
        assert_eq!(json["why_not_measured"], "no server");
    }

    #[test]
    fn digits_come_in_threes() {
        for (number, shown) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (123_456, "123,456"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(grouped(number), shown);
        }
    }

    #[test]
    fn rates_and_costs() {
        assert_eq!(per_second(1_500, Duration::from_millis(500)), 3_000);
        assert_eq!(per_second(1, Duration::ZERO), 0);
        assert_eq!(nanos_each(4, Duration::from_micros(10)), 2_500);
        assert_eq!(nanos_each(0, Duration::from_micros(10)), 0);
    }
}
