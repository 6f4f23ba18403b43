//! What a server and a device say to each other: OMA Device Management. No IO.
//!
//! | file | its job |
//! |---|---|
//! | [`uri`] | addresses in the management tree |
//! | [`acl`] | who may do what on a node |
//! | [`tree`] | the management tree of one device: a shared template and its own changes |
//! | [`dmacc`] | the account of a server on a device |
//! | [`standard`] | DevInfo, DevDetail, Inbox, Bootstrap Config: what every device's tree holds |
//! | [`tnds`] | sub-trees as XML |
//! | [`inbox`] | what is added to `./Inbox` finds its place |
//! | [`syncml`] | packages as types; [`syncml_xml`] as XML, [`wbxml`] as WBXML |
//! | [`wire`] | a package as an HTTP body, and back |
//! | [`auth`] | credentials, nonces, challenges |
//! | [`trigger`] | package 0: "call me" |
//! | [`wap_push`] | the same in a datagram |
//! | [`bootstrap`] | the document that gives a device its first account with a server |
//! | [`script`] | what a server wants done on a device, and what came of it |
//! | [`server`] | the server's half of sessions |
//! | [`client`] | the device |
//! | [`direct`] | an errand done on a tree at once, with no session between |

pub mod acl;
pub mod auth;
pub mod bootstrap;
pub mod client;
pub mod direct;
pub mod dmacc;
pub mod inbox;
pub mod script;
pub mod server;
pub mod standard;
pub mod syncml;
pub mod syncml_xml;
pub mod tnds;
pub mod tree;
pub mod trigger;
pub mod uri;
pub mod wap_push;
pub mod wbxml;
pub mod wire;

#[cfg(test)]
mod tests;
