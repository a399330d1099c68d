//! Data folders without a node: figures, the check, the rebuild. Long work goes in slices of the caller's time budget, so that
//! Python can show progress and be interrupted between them.

use crate::errors::chain_error;
use coc_chain::check::{Check, Report};
use coc_chain::open::ChainOptions;
use coc_chain::rebuild::Rebuild;
use coc_chain::stats::{Stats, state_bytes, stats};
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn as_bytes<'py>(py: Python<'py>, value: &Value) -> Bound<'py, PyBytes> {
    PyBytes::new(py, value.to_string().as_bytes())
}

fn until(budget_ms: u64) -> impl FnMut() -> bool {
    let end = Instant::now() + Duration::from_millis(budget_ms);
    move || Instant::now() >= end
}

/// Figures of a data folder as JSON; a node may have it open.
#[pyfunction]
pub fn db_stats<'py>(py: Python<'py>, data_dir: PathBuf) -> PyResult<Bound<'py, PyBytes>> {
    let (figures, node_bytes) =
        py.detach(|| stats(&data_dir).map(|found| (found, state_bytes(&data_dir)))).map_err(chain_error)?;
    Ok(as_bytes(py, &stats_json(&figures, node_bytes)))
}

fn stats_json(stats: &Stats, node_bytes: u64) -> Value {
    let block = |block: Option<(u64, alloy_primitives::B256)>| {
        block.map(|(number, hash)| json!({ "number": number, "hash": hash.to_string() }))
    };
    let tables = |index: &coc_store::IndexStats| {
        let table = |each: &coc_store::TableStats| json!({ "table": each.table.name(), "rows": each.rows, "bytes": each.bytes });
        index.tables.iter().map(table).collect::<Vec<Value>>()
    };
    let generations: Vec<Value> = stats
        .generations
        .iter()
        .map(|each| json!({ "generation": each.generation, "bytes": each.bytes }))
        .collect();
    json!({
        "genesis_hash": stats.genesis_hash.to_string(),
        "chain_id": stats.chain_id,
        "is_coc": stats.is_coc,
        "blocks": stats.blocks + stats.unflushed_blocks,
        "unflushed_blocks": stats.unflushed_blocks,
        "flushed_head": block(stats.flushed),
        "highest_block": block(stats.highest),
        "log": { "bytes": stats.log_bytes, "reserve_bytes": stats.reserve_bytes },
        "state": {
            "bytes": node_bytes,
            "generations": generations,
            "copied_height": stats.pruning.copied().map(|root| root.height),
            "is_pruned": stats.pruning.floor > 0,
        },
        "index": stats.index.as_ref().map(|index| json!({
            "file_bytes": index.file_bytes,
            "used_bytes": index.used_bytes,
            "budget_bytes": index.budget_bytes,
            "tables": tables(index),
        })),
        "free_bytes": stats.free_bytes,
    })
}

/// A check of a data folder under way.
#[pyclass(frozen, module = "coc._native")]
pub struct DbCheck {
    check: Mutex<Check>,
    place: String,
}

#[pymethods]
impl DbCheck {
    /// Prepares to check a folder that no node has open; `skip_index` where reading it has ended a process.
    #[staticmethod]
    fn begin(py: Python<'_>, data_dir: PathBuf, skip_index: bool) -> PyResult<DbCheck> {
        let place = data_dir.display().to_string();
        let check = py.detach(|| {
            let mut check = Check::begin(&data_dir)?;
            if skip_index {
                check.skip_index();
            }
            Ok(check)
        });
        Ok(DbCheck { check: Mutex::new(check.map_err(chain_error)?), place })
    }

    /// Works for some milliseconds (the index in one piece): progress as JSON, or None when all was done before.
    fn step<'py>(&self, py: Python<'py>, budget_ms: u64) -> Option<Bound<'py, PyBytes>> {
        let step = || {
            let mut check = self.check.lock();
            let progress = check.step(until(budget_ms))?;
            Some((progress, check.report().records))
        };
        let (progress, blocks) = py.detach(step)?;
        let told = json!({
            "phase": progress.phase,
            "done_bytes": progress.done,
            "total_bytes": progress.total,
            "blocks": blocks,
        });
        Some(as_bytes(py, &told))
    }

    /// What was seen so far, as JSON.
    fn report<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        as_bytes(py, &report_json(self.check.lock().report(), &self.place))
    }
}

fn report_json(report: &Report, place: &str) -> Value {
    let findings: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| json!({ "part": finding.part.to_string(), "what": finding.what }))
        .collect();
    json!({
        "sound": report.findings.is_empty(),
        "findings": findings,
        "more_findings": report.more_findings,
        "cure": report.cure(place),
        "records": report.records,
        "log_bytes": report.log_bytes,
        "lost_log_bytes": report.lost_log_bytes,
        "torn_bytes": report.torn_bytes,
        "unflushed_blocks": report.unflushed_blocks,
        "rows": report.rows,
        "height": report.height,
        "states": report.states,
        "nodes": report.nodes,
        "codes": report.codes,
    })
}

/// A rebuild of a store under way.
#[pyclass(frozen, module = "coc._native")]
pub struct DbRebuild {
    rebuild: Mutex<Rebuild>,
}

#[pymethods]
impl DbRebuild {
    /// Begins, or goes on with, making the store of a folder anew from its log; `cut_log` first cuts a damaged log.
    #[staticmethod]
    fn begin(py: Python<'_>, data_dir: PathBuf, cut_log: bool) -> PyResult<DbRebuild> {
        let options = ChainOptions { reserve_bytes: 0, ..ChainOptions::default() };
        let rebuild = py.detach(|| Rebuild::begin(&data_dir, &options, cut_log)).map_err(chain_error)?;
        Ok(DbRebuild { rebuild: Mutex::new(rebuild) })
    }

    /// What was cut off the log, as JSON; None where nothing was.
    fn cut<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        let rebuild = self.rebuild.lock();
        let cut = rebuild.cut.as_ref()?;
        let damage = rebuild.cut_reason();
        Some(as_bytes(
            py,
            &json!({ "records_kept": cut.records, "lost_bytes": cut.lost_bytes, "damage": damage }),
        ))
    }

    /// Works for some milliseconds: progress as JSON, whose phase is `done` in the end.
    fn step<'py>(&self, py: Python<'py>, budget_ms: u64) -> PyResult<Bound<'py, PyBytes>> {
        let progress = py.detach(|| self.rebuild.lock().step(until(budget_ms))).map_err(chain_error)?;
        let told = json!({
            "phase": progress.phase,
            "done_bytes": progress.done_bytes,
            "total_bytes": progress.total_bytes,
            "height": progress.height,
            "blocks": progress.blocks,
        });
        Ok(as_bytes(py, &told))
    }
}
