//! Tables of journeys that make no sense: what it says, where it points, and the way out.

use super::*;

#[test]
fn steps_have_to_make_sense_where_they_stand() {
    is_wrong(
        &steps(r#"["delegate home -> partnr by dmacc"]"#),
        "partnr",
        "there is no server `partnr`",
        "did you mean `partner`?",
    );
    is_wrong(&steps(r#"["delegate home -> home by dmacc"]"#), "home by", "`home` cannot delegate to itself", "");
    is_wrong(
        &steps(r#"["delegate home -> partner by dmac"]"#),
        "dmac\"",
        "expected an approach: `dmacc` or `url`, found `dmac`",
        "did you mean `dmacc`?",
    );
    is_wrong(&steps(r#"["wait 1s"]"#), "[\"wait", "the journey delegates nothing", "delegate A -> B");
    is_wrong(&steps("[]"), "[]", "the journey delegates nothing", "delegate A -> B");
    is_wrong(
        &steps(r#"["revoke asked"]"#),
        "\"revoke",
        "nothing has been delegated that could be revoked",
        "put a `delegate` step before it",
    );
    is_wrong(
        &steps(r#"["delegate home -> partner by dmacc subtree ./SCOM"]"#),
        "./SCOM",
        "devices of class `device` have no sub-tree `./SCOM` to delegate",
        "did you mean `./SCOMO`?",
    );
    is_wrong(
        &steps(r#"["delegate home -> partner by dmacc subtree ./A//B"]"#),
        "./A//B",
        "`./A//B` has an empty segment; write one `/` between two names and none at the end",
        "",
    );
    is_wrong(
        &steps(r#"["delegate partner -> home by url"]"#),
        "\"delegate",
        "`home` has no bootstrap server, which `by url` needs",
        "for = \"home\"",
    );
    is_wrong(
        &steps("[\"delegate home -> partner by url\"]\nbootstrapped = true"),
        "\"delegate",
        "`partner` already has an account, so there is nothing to bootstrap",
        "by dmacc",
    );
    is_wrong(
        &steps("[\"delegate home -> partner by dmacc\"]\nclass = \"phone\""),
        "\"phone\"",
        "there is no class `phone`",
        "the classes are `device`",
    );
    is_wrong(
        &steps("[\"delegate home -> partner by dmacc\"]\nbootstrapped = [\"parter\"]"),
        "\"parter\"",
        "there is no server `parter`",
        "did you mean `partner`?",
    );
    let classes = with("devices = 10", "devices = 10\nclass = [{name = \"a\", share = 0}]");
    is_wrong(&classes, "[[journey]]", "every class has `share = 0`, and this journey names none", "add `class = ...`");
    let again = r#"["delegate home -> partner by dmacc", "delegate home -> partner by dmacc"]"#;
    is_wrong(
        &steps(again),
        "\"delegate home -> partner by dmacc\"]",
        "`home` has delegated to `partner` already",
        "revoke it before",
    );
    let once = "[\"delegate home -> partner by dmacc\"]\nrepeat = 2";
    is_wrong(&steps(once), "\"delegate", "`home` has delegated to `partner` already", "second round");
}

#[test]
fn nobody_acts_without_the_right_to() {
    let three = |steps: &str| {
        let third = "[[server]]\nname = \"third\"\nid = \"dms3.example.test\"\n[[journey]]";
        with("[[journey]]", third).replace("[\"delegate home -> partner by dmacc\"]", steps)
    };
    is_wrong(
        &three(r#"["delegate home -> partner by dmacc started by third"]"#),
        "third",
        "only `home` or `partner` can start this delegation",
        "",
    );
    is_wrong(
        &three(r#"["delegate home -> partner by dmacc", "delegate partner -> third by dmacc"]"#),
        "\"delegate partner",
        "`partner` has no authority over the device at this step",
        "after a full delegation only",
    );
    is_wrong(
        &three(r#"["delegate home -> partner by dmacc full", "delegate home -> third by dmacc"]"#),
        "\"delegate home -> third",
        "`home` has no authority over the device at this step",
        "expect refused",
    );
    read(&three(r#"["delegate home -> partner by dmacc full", "delegate partner -> third by dmacc", "revoke asked"]"#))
        .unwrap();
    read(&three(
        r#"["delegate home -> partner by dmacc", "delegate home -> third by dmacc", "revoke asked", "revoke asked"]"#,
    ))
    .unwrap();
}

#[test]
fn a_revocation_needs_a_delegation_in_force_and_an_account() {
    let after = |first: &str, second: &str| {
        steps(&format!(r#"["delegate home -> partner by dmacc{first}", "revoke {second}"]"#))
    };
    let gone = "after a full delegation `home` has no account on the device, and";
    is_wrong(&after(" full", "asked"), "\"revoke", &format!("{gone} cannot revoke"), "expect refused");
    is_wrong(&after(" full", "forced"), "\"revoke", &format!("{gone} cannot revoke"), "expect refused");
    is_wrong(
        &after(" full", "requested"),
        "\"revoke",
        &format!("{gone} cannot do what is requested"),
        "expect refused",
    );
    let none = "no delegation is in force here: `home` -> `partner` has ended, or never came about";
    is_wrong(&after(" expect undone", "asked"), "\"revoke", none, "expect refused");
    is_wrong(&after("\", \"revoke asked", "asked"), "\"revoke asked\"]", none, "expect refused");
    for fine in [
        after(" full", "asked expect refused"),
        after(" expect undone", "asked expect refused"),
        after("", "forced"),
        after(" expect stranded", "asked"),
    ] {
        read(&fine).unwrap();
    }
}
