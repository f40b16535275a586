pub fn run(_dir: &std::path::Path) -> anyhow::Result<()> {
    Ok(())
}
