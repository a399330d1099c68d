//! The Noise handshake and the encrypted channel. A call that computes holds the handshake's own lock, never Python's.

use crate::errors::{exactly, value_error};
use coc_channel::{Channel, ChannelError, Handshake};
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

fn refused(error: ChannelError) -> PyErr {
    value_error(error.to_string())
}

/// One side of a handshake, until its channel is asked for.
#[pyclass(frozen, module = "coc._native")]
pub struct NoiseHandshake {
    handshake: Mutex<Option<Handshake>>,
}

impl NoiseHandshake {
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Handshake) -> Result<T, ChannelError> + Send,
    ) -> PyResult<T> {
        py.detach(|| self.handshake.lock().as_mut().map(work)).ok_or_else(taken)?.map_err(refused)
    }
}

fn taken() -> PyErr {
    value_error("the handshake is over: its channel was asked for")
}

#[pymethods]
impl NoiseHandshake {
    #[staticmethod]
    fn begin(
        py: Python<'_>,
        initiator: bool,
        static_secret: &[u8],
        prologue: &[u8],
        ephemeral_secret: Option<&[u8]>,
    ) -> PyResult<NoiseHandshake> {
        let secret = exactly::<32>(static_secret, "a static secret")?;
        let ephemeral = ephemeral_secret.map(|raw| exactly::<32>(raw, "an ephemeral secret")).transpose()?;
        let handshake =
            py.detach(|| Handshake::begin(initiator, secret, ephemeral, prologue)).map_err(refused)?;
        Ok(NoiseHandshake { handshake: Mutex::new(Some(handshake)) })
    }

    fn write<'py>(&self, py: Python<'py>, payload: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let message = self.with(py, |handshake| handshake.write(payload))?;
        Ok(PyBytes::new(py, &message))
    }

    fn read<'py>(&self, py: Python<'py>, message: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let payload = self.with(py, |handshake| handshake.read(message))?;
        Ok(PyBytes::new(py, &payload))
    }

    #[getter]
    fn is_finished(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, |handshake| Ok(handshake.is_finished()))
    }

    #[getter]
    fn remote_static<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let key = self.with(py, |handshake| Ok(handshake.remote_static()))?;
        Ok(key.map(|bytes| PyBytes::new(py, &bytes)))
    }

    #[getter]
    fn hash<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let hash = self.with(py, |handshake| handshake.hash())?;
        Ok(PyBytes::new(py, &hash))
    }

    fn finish(&self, py: Python<'_>) -> PyResult<NoiseChannel> {
        let finished = py.detach(|| self.handshake.lock().take().map(Handshake::finish));
        let channel = finished.ok_or_else(taken)?.map_err(refused)?;
        Ok(NoiseChannel { channel: Mutex::new(channel) })
    }
}

/// An encrypted channel.
#[pyclass(frozen, module = "coc._native")]
pub struct NoiseChannel {
    channel: Mutex<Channel>,
}

#[pymethods]
impl NoiseChannel {
    fn seal<'py>(&self, py: Python<'py>, plaintext: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let sealed = py.detach(|| self.channel.lock().seal(plaintext)).map_err(refused)?;
        Ok(PyBytes::new(py, &sealed))
    }

    fn open<'py>(&self, py: Python<'py>, message: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let opened = py.detach(|| self.channel.lock().open(message)).map_err(refused)?;
        Ok(PyBytes::new(py, &opened))
    }
}

/// The 32-byte X25519 public key of a secret.
#[pyfunction]
pub fn channel_public_key<'py>(py: Python<'py>, secret: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let secret = exactly::<32>(secret, "a secret key")?;
    let key = py.detach(|| coc_channel::public_key(&secret)).map_err(refused)?;
    Ok(PyBytes::new(py, &key))
}
