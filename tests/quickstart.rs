//! The built-in quickstart, run as a newcomer runs it: the program itself, in an empty folder, over real HTTPS.

use std::process::Command;

use serde_json::Value;

/// Every kind of flow, as the summary names them.
const FLOWS: [&str; 11] = [
    "delegate.dmacc",
    "delegate.dmacc.by_delegated",
    "delegate.dmacc.full",
    "delegate.dmacc.full.by_delegated",
    "delegate.url",
    "delegate.url.by_delegated",
    "delegate.url.full",
    "delegate.url.full.by_delegated",
    "revoke.asked",
    "revoke.requested",
    "revoke.forced",
];

/// Promises about what only a fault or a clash brings about.
const ONLY_WITH_FAULTS: [&str; 4] =
    ["copies_answered_alike", "recovers_after_healing", "somebody_gets_through", "pending_cleanup_is_done"];

const OUTCOMES: [&str; 8] = ["done", "refused", "undone", "too_late", "unreachable", "misbehaved", "stranded", "lost"];

#[test]
fn the_quickstart_passes_from_any_directory_and_leaves_a_whole_run_folder() {
    let place = std::env::temp_dir().join(format!("dmswarm-quickstart-{}", std::process::id()));
    std::fs::create_dir_all(&place).expect("a temporary folder");
    let output = Command::new(env!("CARGO_BIN_EXE_dmswarm"))
        .args(["run", "--json"])
        .current_dir(&place)
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let summary: Value = serde_json::from_slice(&output.stdout).expect("stdout is the summary and nothing else");
    check_summary(&summary);

    let runs: Vec<_> = std::fs::read_dir(place.join("results")).expect("results/").flatten().collect();
    assert_eq!(runs.len(), 1);
    let folder = runs[0].path();
    for file in ["scenario.toml", "run.json", "summary.json", "timeline.csv", "report.html"] {
        let length = std::fs::metadata(folder.join(file)).map(|data| data.len()).unwrap_or(0);
        assert!(length > 0, "{file} is missing or empty");
    }
    let stored = std::fs::read_to_string(folder.join("summary.json")).expect("summary.json");
    assert_eq!(serde_json::from_str::<Value>(&stored).expect("JSON"), summary);
    for file in std::fs::read_dir(place.join("certs")).expect("certs/").flatten() {
        if file.path().extension().is_some_and(|kind| kind == "key") {
            use std::os::unix::fs::PermissionsExt;
            let mode = file.metadata().expect("metadata").permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", file.path());
        }
    }
    std::fs::remove_dir_all(&place).expect("the temporary folder goes");
}

fn check_summary(summary: &Value) {
    assert_eq!(summary["verdict"], "passed", "{summary:#}");
    assert_eq!(summary["devices"], 1000);
    for flow in FLOWS {
        let row = &summary["flows"][flow];
        let started = row["started"].as_u64().unwrap_or(0);
        assert!(started > 0, "no {flow} was started");
        let ended: u64 = OUTCOMES.iter().filter_map(|outcome| row[outcome].as_u64()).sum();
        assert_eq!(started, ended, "{flow}: every started flow ends in exactly one outcome");
        assert_eq!(summary["failed"][flow], 0, "{flow}: every flow ends as its journey expects");
    }
    let exchanges = summary["exchanges"].as_object().expect("exchanges");
    assert_eq!(exchanges.len(), 14);
    for (message, row) in exchanges {
        assert!(row["sent"].as_u64().unwrap_or(0) > 0, "{message} was never sent");
        assert_eq!(row["sent"], row["answered"], "{message}");
        assert_eq!(row["unexpected"], 0, "{message}");
    }
    for promise in summary["promises"].as_array().expect("promises") {
        assert_eq!(promise["broken"], 0, "{promise}");
        let name = promise["name"].as_str().unwrap_or_default();
        let is_checked = promise["checked"].as_u64().unwrap_or(0) > 0;
        assert!(is_checked || ONLY_WITH_FAULTS.contains(&name), "{promise} was never checked");
    }
}
