//! Answers to clients: JSON in the shape of Ethereum's execution APIs, written once, natively, straight from the chain.

pub mod block;
pub mod fees;
pub mod overrides;
pub mod request;
pub mod simulate;
pub mod state;
pub mod text;
