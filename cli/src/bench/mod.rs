//! pending
#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {}
pub(crate) fn run(_args: &BenchArgs, _format: crate::output::Format) -> anyhow::Result<()> {
    anyhow::bail!("pending")
}
