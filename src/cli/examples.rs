//! The examples in the help of the commands.

pub const EXAMPLES: &str = "\
Examples:
  dmswarm run                                   the built-in quickstart: 1,000 devices, every flow
  dmswarm run scenario.toml --seed 7 --json     a run that can be repeated, for a script
  dmswarm check scenario.toml                   what it would do, or every problem in it
  dmswarm campaign campaign.toml                many runs: every combination of some settings";

pub const RUN_EXAMPLES: &str = "\
Examples:
  dmswarm run
  dmswarm run scenarios/quickstart.toml --set population.devices=5000
  dmswarm run scenarios/ --out results --json
  dmswarm run scenario.toml --metrics           for Prometheus, at http://127.0.0.1:9464/metrics
  dmswarm run scenario.toml --otlp              for a collector of OpenTelemetry, at http://127.0.0.1:4318
  dmswarm run scenarios/races --policy literal  every race by the letter of the text, and a table
  dmswarm run scenarios/races/r12-orphan-after-full-delegation.toml --repeat 20";

pub const SERVE_EXAMPLES: &str = "\
Examples:
  dmswarm serve scenarios/peers/serve-dms2.toml
  dmswarm serve scenario.toml --json > served.jsonl";

pub const EXPLORE_EXAMPLES: &str = "\
Examples:
  dmswarm explore --policy literal --for 30s      what breaks by the letter of the text
  dmswarm explore scenario.toml --exhaustive      every way within the usual scope
  dmswarm explore --exhaustive --operations 2 --early-timers 1 --drops 1
  dmswarm explore --runs 100000 --seed 7          ways at random, the same each time
  dmswarm explore --window 'termination timer' delegation_termination_resp --from -50ms --to 50ms --https
  dmswarm explore --matrix confirmed=1s..60s session=1s..60s --delay 0s..40s
  dmswarm explore --from results/r12-...          what went wrong over HTTPS, followed and shrunk";

pub const REPLAY_EXAMPLES: &str = "\
Examples:
  dmswarm replay results/quickstart-explore-.../findings/manageable-1a2b3c4d
  dmswarm replay findings/manageable-1a2b3c4d --https --repeat 20";

pub const CHECK_EXAMPLES: &str = "\
Examples:
  dmswarm check scenarios/quickstart.toml
  dmswarm check scenario.toml --set load.at_once=200";

pub const CALIBRATE_EXAMPLES: &str = "\
Examples:
  dmswarm calibrate                             whether this machine can generate the quickstart
  dmswarm calibrate scenario.toml --for 3s
  dmswarm calibrate --set 'load={ phases = [\"hold 500/s for 2s\"] }' --json";

pub const SCHEMA_EXAMPLES: &str = "\
Examples:
  dmswarm schema scenario > scenario.schema.json
  dmswarm schema xsd > delegation.xsd";

pub const CERTS_EXAMPLES: &str = "\
Examples:
  dmswarm certs
  dmswarm certs scenario.toml --certs certs";

pub const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  dmswarm completions bash > ~/.local/share/bash-completion/completions/dmswarm";
