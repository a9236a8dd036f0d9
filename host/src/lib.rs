//! The server machine that Baton's NIC is plugged into, the clients on the other side of the wire, and the
//! experiments that they take part in.

pub mod client;
pub mod demo;
pub mod experiment;
pub mod hostlink;
pub mod latency;
pub mod live;
pub mod machine;
pub mod policy;
pub mod profile;
pub mod report;
pub mod server;
pub mod workload;
pub mod world;
