//! Values to bytes; pure.

pub mod canonical_json;
pub mod eark;
pub mod framed;
pub mod notice;
pub mod preview;
pub mod protocol;
pub mod report;
pub mod report_mail;
pub mod sheet;
pub mod supervision;
pub mod tar;
pub mod wacz;
pub mod xml;
