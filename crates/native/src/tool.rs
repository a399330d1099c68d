//! What `coc evm` calls.

use crate::errors::value_error;
use coc_tool::CaseResult;
use coc_tool::run::{Ended, Run, RunError};
use coc_tool::t8n::{Input, OpenTrace, Options, T8nError};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Fewest and most runs of a benchmark, and the time it takes unless the fewest take longer.
const BENCH_RUNS: std::ops::RangeInclusive<usize> = 5..=100_000;
const BENCH_TIME: Duration = Duration::from_secs(1);

fn to_bytes<'py>(py: Python<'py>, results: &[CaseResult]) -> Bound<'py, PyBytes> {
    let list = Value::Array(results.iter().map(CaseResult::to_json).collect());
    PyBytes::new(py, list.to_string().as_bytes())
}

/// Runs the state tests of one file's text: a JSON array of results.
#[pyfunction]
pub fn run_statetests<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let results =
        py.detach(|| coc_tool::statetest::run_file(text)).map_err(|error| value_error(error.to_string()))?;
    Ok(to_bytes(py, &results))
}

/// Runs the block tests of one file's text: a JSON array of results.
#[pyfunction]
pub fn run_blocktests<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let results =
        py.detach(|| coc_tool::blocktest::run_file(text)).map_err(|error| value_error(error.to_string()))?;
    Ok(to_bytes(py, &results))
}

fn pretty(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

/// Runs a transition: alloc, result and body, each as JSON text.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // the flags of `t8n`, one by one
pub fn evm_transition<'py>(
    py: Python<'py>,
    alloc: &[u8],
    env: &[u8],
    txs: &[u8],
    fork: String,
    chain_id: u64,
    reward: i64,
    state_test: bool,
    trace_folder: Option<PathBuf>,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let options = Options { fork, chain_id, reward: u64::try_from(reward).ok(), state_test };
    let mut open = |index, hash| -> io::Result<Box<dyn Write>> {
        let folder = trace_folder.clone().unwrap_or_default();
        Ok(Box::new(BufWriter::new(File::create(folder.join(format!("trace-{index}-{hash}.jsonl")))?)))
    };
    let texts = py.detach(|| {
        let trace: Option<OpenTrace<'_>> = if trace_folder.is_some() { Some(&mut open) } else { None };
        let output = coc_tool::t8n::run(&Input { alloc, env, txs }, &options, trace)?;
        Ok([pretty(&output.alloc), pretty(&output.result), pretty(&Value::from(output.body.to_string()))])
    });
    let [alloc, result, body] = texts.map_err(|error: T8nError| match error {
        T8nError::Trace(_) => PyOSError::new_err(error.to_string()),
        _ => value_error(error.to_string()),
    })?;
    Ok((PyBytes::new(py, &alloc), PyBytes::new(py, &result), PyBytes::new(py, &body)))
}

/// Runs code once, or again and again to time it: output, gas used, failure and times as JSON text.
#[pyfunction]
pub fn evm_run<'py>(
    py: Python<'py>,
    request: &[u8],
    genesis: Option<&[u8]>,
    trace: bool,
    bench: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let report = py.detach(|| {
        let run = Run::prepare(request, genesis)?;
        let ended = if trace {
            run.start_traced(&mut BufWriter::new(io::stdout()))?
        } else {
            run.start(run.fresh_state())?
        };
        let Ended { output, gas_used, failure } = ended;
        let mut report = json!({"output": output.to_string(), "gasUsed": gas_used, "error": &failure});
        // What fails does not do what it was written for: there is nothing to measure.
        if bench && failure.is_none() {
            let mut times = time(&run)?;
            times.sort_unstable();
            report["runs"] = times.len().into();
            report["medianNanoseconds"] = times[times.len() / 2].as_nanos().to_string().into();
        }
        Ok(report)
    });
    let report = report.map_err(|error: RunError| match error {
        RunError::Trace(_) => PyOSError::new_err(error.to_string()),
        _ => value_error(error.to_string()),
    })?;
    Ok(PyBytes::new(py, report.to_string().as_bytes()))
}

/// How long each of many runs took; the making of their states is not counted.
fn time(run: &Run) -> Result<Vec<Duration>, RunError> {
    let (started, mut times) = (Instant::now(), Vec::new());
    while times.len() < *BENCH_RUNS.start()
        || (times.len() < *BENCH_RUNS.end() && started.elapsed() < BENCH_TIME)
    {
        let state = run.fresh_state();
        let start = Instant::now();
        run.start(state)?;
        times.push(start.elapsed());
    }
    Ok(times)
}
