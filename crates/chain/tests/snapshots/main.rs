//! A state that is fetched from peers is the one that they executed, whatever they, the disk or the power do on the way.

mod client;
mod crashes;
mod fetching;
mod liars;
mod opening;
mod world;
