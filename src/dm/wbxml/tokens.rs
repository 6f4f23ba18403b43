//! The elements of SyncML, of its meta information and of its management trees, by their tokens (RepPro 1.2, MetInfo
//! 1.2, TNDS 1.2).

/// The page of `SYNCML:SYNCML1.2`.
pub const SYNCML: u8 = 0;
/// The page of `syncml:metinf`.
pub const METINF: u8 = 1;
/// The page of `syncml:dmddf1.2`.
pub const DMDDF: u8 = 2;

/// The namespace of a code page, as XML declares it.
pub fn namespace(page: u8) -> &'static str {
    match page {
        SYNCML => "SYNCML:SYNCML1.2",
        METINF => "syncml:metinf",
        _ => "syncml:dmddf1.2",
    }
}

/// The element of a token; `None` for one that the page does not have.
pub fn element(page: u8, token: u8) -> Option<&'static str> {
    let names: &[&'static str] = match page {
        SYNCML => &SYNCML_ELEMENTS,
        METINF => &METINF_ELEMENTS,
        DMDDF => &DMDDF_ELEMENTS,
        _ => return None,
    };
    let place = usize::from(token.checked_sub(FIRST)?);
    names.get(place).copied().filter(|name| !name.is_empty())
}

/// The token of an element; `None` for one that the page does not have.
pub fn token(page: u8, element: &str) -> Option<u8> {
    let names: &[&str] = if page == METINF { &METINF_ELEMENTS } else { &SYNCML_ELEMENTS };
    let place = names.iter().position(|name| !name.is_empty() && *name == element)?;
    u8::try_from(place).ok().map(|place| FIRST + place)
}

/// The tokens below are those of WBXML itself.
pub const FIRST: u8 = 0x05;

/// From 0x05 on; 0x30 is reserved.
const SYNCML_ELEMENTS: [&str; 56] = [
    "Add",
    "Alert",
    "Archive",
    "Atomic",
    "Chal",
    "Cmd",
    "CmdID",
    "CmdRef",
    "Copy",
    "Cred",
    "Data",
    "Delete",
    "Exec",
    "Final",
    "Get",
    "Item",
    "Lang",
    "LocName",
    "LocURI",
    "Map",
    "MapItem",
    "Meta",
    "MsgID",
    "MsgRef",
    "NoResp",
    "NoResults",
    "Put",
    "Replace",
    "RespURI",
    "Results",
    "Search",
    "Sequence",
    "SessionID",
    "SftDel",
    "Source",
    "SourceRef",
    "Status",
    "Sync",
    "SyncBody",
    "SyncHdr",
    "SyncML",
    "Target",
    "TargetRef",
    "",
    "VerDTD",
    "VerProto",
    "NumberOfChanges",
    "MoreData",
    "Field",
    "Filter",
    "Record",
    "FilterType",
    "SourceParent",
    "TargetParent",
    "Move",
    "Correlator",
];

/// From 0x05 on.
const METINF_ELEMENTS: [&str; 18] = [
    "Anchor",
    "EMI",
    "Format",
    "FreeID",
    "FreeMem",
    "Last",
    "Mark",
    "MaxMsgSize",
    "Mem",
    "MetInf",
    "Next",
    "NextNonce",
    "SharedMem",
    "Size",
    "Type",
    "Version",
    "MaxObjSize",
    "FieldLevel",
];

/// From 0x05 on.
const DMDDF_ELEMENTS: [&str; 56] = [
    "AccessType",
    "ACL",
    "Add",
    "b64",
    "bin",
    "bool",
    "chr",
    "CaseSense",
    "CIS",
    "Copy",
    "CS",
    "date",
    "DDFName",
    "DefaultValue",
    "Delete",
    "Description",
    "DFFormat",
    "DFProperties",
    "DFTitle",
    "DFType",
    "Dynamic",
    "Exec",
    "float",
    "Format",
    "Get",
    "int",
    "Man",
    "MgmtTree",
    "MIME",
    "Mod",
    "Name",
    "Node",
    "node",
    "NodeName",
    "null",
    "Occurrence",
    "One",
    "OneOrMore",
    "OneOrN",
    "Path",
    "Permanent",
    "Replace",
    "RTProperties",
    "Scope",
    "Size",
    "time",
    "Title",
    "TStamp",
    "Type",
    "Value",
    "VerDTD",
    "VerNo",
    "xml",
    "ZeroOrMore",
    "ZeroOrN",
    "ZeroOrOne",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The first, some in the middle, and the last of each page, as the specifications number them.
    #[test]
    fn tokens_are_those_of_the_specifications() {
        for (page, number, name) in [
            (SYNCML, 0x05, "Add"),
            (SYNCML, 0x0b, "CmdID"),
            (SYNCML, 0x0f, "Data"),
            (SYNCML, 0x1a, "Meta"),
            (SYNCML, 0x25, "SessionID"),
            (SYNCML, 0x2d, "SyncML"),
            (SYNCML, 0x2f, "TargetRef"),
            (SYNCML, 0x31, "VerDTD"),
            (SYNCML, 0x34, "MoreData"),
            (SYNCML, 0x3c, "Correlator"),
            (METINF, 0x05, "Anchor"),
            (METINF, 0x07, "Format"),
            (METINF, 0x10, "NextNonce"),
            (METINF, 0x13, "Type"),
            (METINF, 0x15, "MaxObjSize"),
            (METINF, 0x16, "FieldLevel"),
            (DMDDF, 0x05, "AccessType"),
            (DMDDF, 0x20, "MgmtTree"),
            (DMDDF, 0x26, "NodeName"),
            (DMDDF, 0x36, "Value"),
            (DMDDF, 0x3c, "ZeroOrOne"),
        ] {
            assert_eq!(element(page, number), Some(name));
            if page != DMDDF {
                assert_eq!(token(page, name), Some(number), "{name}");
            }
        }
        for (page, number) in [(SYNCML, 0x04), (SYNCML, 0x30), (SYNCML, 0x3d), (METINF, 0x17), (DMDDF, 0x3d), (3, 0x05)]
        {
            assert_eq!(element(page, number), None, "{page} {number}");
        }
        assert_eq!((token(SYNCML, "Format"), token(SYNCML, ""), token(METINF, "Add")), (None, None, None));
    }
}
