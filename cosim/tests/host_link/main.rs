//! The host link.
use baton_cosim::block::Model;
use baton_hdl::{emit, link::HostLink};

#[test]
fn emits() {
    Model::build("host_link", &emit::verilog("host_link", HostLink::<8>::default())).unwrap();
}
