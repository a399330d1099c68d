//! Verifiable random outputs on secp256k1, our chains' suite.

use crate::errors::{exactly, value_error};
use coc_vrf::{PublicKey, Secp256k1, VrfError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

fn refused(error: VrfError) -> PyErr {
    value_error(error.to_string())
}

/// The 81-byte proof of a secret key's output for an input.
#[pyfunction]
pub fn vrf_prove<'py>(py: Python<'py>, secret: &[u8], alpha: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let secret = exactly::<32>(secret, "a secret key")?;
    let proof = py.detach(|| coc_vrf::prove::<Secp256k1>(&secret, alpha)).map_err(refused)?;
    Ok(PyBytes::new(py, &proof))
}

/// The 32-byte output for an input, where the proof holds under a 64-byte public key.
#[pyfunction]
pub fn vrf_verify<'py>(
    py: Python<'py>,
    public_key: &[u8],
    alpha: &[u8],
    proof: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let public_key = exactly::<64>(public_key, "a public key")?;
    let verify = || coc_vrf::verify(&PublicKey::<Secp256k1>::from_coordinates(&public_key)?, alpha, proof);
    Ok(PyBytes::new(py, &py.detach(verify).map_err(refused)?))
}

/// The 32-byte output that a proof stands for, whether or not it holds.
#[pyfunction]
pub fn vrf_output<'py>(py: Python<'py>, proof: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(py, &coc_vrf::proof_to_output::<Secp256k1>(proof).map_err(refused)?))
}
