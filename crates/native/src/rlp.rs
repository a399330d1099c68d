//! Recursive length prefix between bytes and Python's lists, for the codecs of votes, blocks and messages.
//!
//! Only what is canonical comes back. Whatever is not yields nothing, and Python's own decoder then says what is wrong: an error
//! is rare, its words are worth a second look, and one set of sentences is enough.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyInt, PyList, PyTuple};

const SHORT_BYTES_MAX: usize = 55;

/// The item that fills `data`: bytes, or a list of items. None where `data` is not its one canonical encoding.
#[pyfunction]
pub fn rlp_decode<'py>(
    py: Python<'py>,
    data: &[u8],
    depth_levels_max: usize,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    match read(py, data, depth_levels_max)? {
        Some((item, [])) => Ok(Some(item)),
        _ => Ok(None),
    }
}

fn read<'py, 'a>(
    py: Python<'py>,
    data: &'a [u8],
    levels: usize,
) -> PyResult<Option<(Bound<'py, PyAny>, &'a [u8])>> {
    let Some((is_list, payload, rest)) = split(data) else { return Ok(None) };
    if !is_list {
        return Ok(Some((PyBytes::new(py, payload).into_any(), rest)));
    }
    if levels == 0 {
        return Ok(None);
    }
    let items = PyList::empty(py);
    let mut left = payload;
    while !left.is_empty() {
        let Some((item, after)) = read(py, left, levels - 1)? else { return Ok(None) };
        items.append(item)?;
        left = after;
    }
    Ok(Some((items.into_any(), rest)))
}

/// Whether the first item of `data` is a list, its payload, and what follows it; `None` where it is not canonical or cut short.
fn split(data: &[u8]) -> Option<(bool, &[u8], &[u8])> {
    let first = *data.first()?;
    if first < 0x80 {
        return Some((false, &data[..1], &data[1..]));
    }
    let is_list = first >= 0xc0;
    let short = usize::from(first - if is_list { 0xc0 } else { 0x80 });
    let (length, body) = if short <= SHORT_BYTES_MAX {
        (short, &data[1..])
    } else {
        let (size, body) = data[1..].split_at_checked(short - SHORT_BYTES_MAX)?;
        let length = size.iter().try_fold(0usize, |sum, byte| {
            sum.checked_mul(256).and_then(|sum| sum.checked_add(usize::from(*byte)))
        })?;
        if size[0] == 0 || length <= SHORT_BYTES_MAX {
            return None;
        }
        (length, body)
    };
    let (payload, rest) = body.split_at_checked(length)?;
    if !is_list && short == 1 && payload[0] < 0x80 {
        return None;
    }
    Some((is_list, payload, rest))
}

/// The encoding of bytes, an integer below 2^128, or a list or tuple of such. None for everything else.
#[pyfunction]
pub fn rlp_encode<'py>(
    py: Python<'py>,
    value: &Bound<'py, PyAny>,
    depth_levels_max: usize,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let mut out = Vec::new();
    Ok(write(value, depth_levels_max, &mut out)?.then(|| PyBytes::new(py, &out)))
}

fn write(value: &Bound<'_, PyAny>, levels: usize, out: &mut Vec<u8>) -> PyResult<bool> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        write_string(bytes.as_bytes(), out);
        return Ok(true);
    }
    if value.is_instance_of::<PyInt>() && !value.is_instance_of::<PyBool>() {
        let Ok(number) = value.extract::<u128>() else { return Ok(false) };
        let bytes = number.to_be_bytes();
        write_string(&bytes[number.leading_zeros() as usize / 8..], out);
        return Ok(true);
    }
    if let Ok(list) = value.cast::<PyList>() {
        return write_list(list.iter(), levels, out);
    }
    if let Ok(tuple) = value.cast::<PyTuple>() {
        return write_list(tuple.iter(), levels, out);
    }
    Ok(false)
}

fn write_string(bytes: &[u8], out: &mut Vec<u8>) {
    if !(bytes.len() == 1 && bytes[0] < 0x80) {
        write_prefix(0x80, bytes.len(), out);
    }
    out.extend_from_slice(bytes);
}

fn write_list<'py>(
    items: impl Iterator<Item = Bound<'py, PyAny>>,
    levels: usize,
    out: &mut Vec<u8>,
) -> PyResult<bool> {
    if levels == 0 {
        return Ok(false);
    }
    let mut payload = Vec::new();
    for item in items {
        if !write(&item, levels - 1, &mut payload)? {
            return Ok(false);
        }
    }
    write_prefix(0xc0, payload.len(), out);
    out.extend_from_slice(&payload);
    Ok(true)
}

fn write_prefix(base: u8, length: usize, out: &mut Vec<u8>) {
    if length <= SHORT_BYTES_MAX {
        out.push(base + length as u8);
        return;
    }
    let bytes = length.to_be_bytes();
    let size = &bytes[length.leading_zeros() as usize / 8..];
    out.push(base + (SHORT_BYTES_MAX + size.len()) as u8);
    out.extend_from_slice(size);
}
