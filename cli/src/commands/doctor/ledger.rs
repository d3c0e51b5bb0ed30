//! Whether the directory is a ledger, and who has it open.

use luzhang_ledger::{Position, log::sled};
use luzhang_server::engine::witnessed;

use super::{
    Patient,
    finding::{Finding, Text},
};

const CODE: &str = "DOCTOR_LEDGER";

pub(super) fn look(patient: &Patient) -> Vec<Finding> {
    let Some(dir) = &patient.dir else {
        return Vec::new();
    };
    let shown = dir.path.display();
    let outside = match sled::look(&dir.path) {
        Ok(outside) => outside,
        Err(error) => {
            let seen = Text::new(
                format!("{shown}：{}（{}）", error.zh(), error.code()),
                format!("{shown}: {error} ({})", error.code()),
            );
            let remedy = Text::new(
                format!("运行 luzhang explain {} 查看说明", error.code()),
                format!("see `luzhang explain {}`", error.code()),
            );
            return vec![Finding::fail(CODE, seen, remedy)];
        }
    };
    let ledger = outside.format.ledger;
    let witness = match witnessed(&dir.path, &outside.format) {
        Ok(witness) => witness,
        Err(error) => {
            let seen = Text::new(
                format!("{}（{}）", error.zh(), error.code()),
                format!("{error} ({})", error.code()),
            );
            let remedy = Text::new(
                "停止服务，运行 luzhang audit verify，从备份恢复 head 文件（日志在数据库中的，是 mark 文件）",
                "stop the server, run `luzhang audit verify`, restore the file `head` from a backup (`mark`, if the log is in a database)",
            );
            return vec![Finding::fail(CODE, seen, remedy)];
        }
    };
    let events = witness.position.map_or(0, Position::number);
    let (zh, en) = match outside.writer {
        None => ("没有程序在写".to_owned(), "nobody has it open".to_owned()),
        Some(writer) => {
            let pid = writer.pid.map_or("?".to_owned(), |pid| pid.to_string());
            (
                format!("进程 {pid} 正在使用"),
                format!("process {pid} has it open"),
            )
        }
    };
    let seen = Text::new(
        format!("账本 {ledger}，至少 {events} 个事件，{zh}"),
        format!("ledger {ledger}, {events} events at least, {en}"),
    );
    vec![Finding::ok(CODE, seen)]
}
