//! What devices show, as a scenario has it.

use super::*;

#[test]
fn what_devices_show_has_to_fit_how_they_connect() {
    let tls = |connections: &str, tls: &str| {
        with(
            "name = \"demo\"",
            &format!("name = \"demo\"\nconnections = \"{connections}\"\npopulation.tls = {{ {tls} }}"),
        )
        .replace("[population]\ndevices = 10\n", "population.devices = 10\n")
    };
    is_wrong(
        &tls("pooled", "certificates = \"per device\""),
        "\"per device\"",
        "devices that share connections cannot have certificates or TLS sessions of their own",
        "connections = \"per session\"",
    );
    is_wrong(
        &tls("pooled", "resumption = true"),
        "true",
        "devices that share connections cannot have certificates or TLS sessions of their own",
        "connections = \"per device\"",
    );
    is_wrong(
        &tls("per device", "certificates = \"shared\", revoked = \"1%\""),
        "\"1%\"",
        "`revoked` is a share of devices with certificates of their own",
        "per device",
    );
    is_wrong(
        &tls("per device", "certificates = \"per device\", expired = \"60%\", wrong_ca = \"41%\""),
        "\"60%\"",
        "these shares come to more than all devices",
        "lower one",
    );
    is_wrong(
        &tls("per device", "certificates = \"per device\", expired = \"some\""),
        "\"some\"",
        "expected a share from `0%` to `100%`, such as `5%` or `0.1%`, found `some`",
        "",
    );
    let all =
        "certificates = \"per device\", expired = \"10%\", revoked = \"20%\", wrong_ca = \"70%\", versions = \"1.2\"";
    let read = read(&tls("per session", all)).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(read.credentials.flaws.sum(), 1.0);
}
