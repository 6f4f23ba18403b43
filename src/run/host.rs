//! This machine: what it is, what it lets us use, and what we have used of it.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use crate::results::HostFacts;

/// Processors this process may use; at least one.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Processor time this process has used so far, on all threads.
pub fn cpu_time() -> Duration {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(spent.tv_sec.try_into().unwrap_or(0), spent.tv_nsec.try_into().unwrap_or(0))
}

/// The most memory this process has had resident, in bytes; zero where the system does not tell.
pub fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok())
        .map_or(0, |kib| kib * 1024)
}

/// Whether this process was told to ignore a signal, by its number; not where the system does not tell.
pub fn ignores(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    // The first signal has the lowest bit.
    u32::try_from(signal - 1).is_ok_and(|bit| mask.checked_shr(bit).unwrap_or(0) & 1 == 1)
}

/// Raises the limit of open files as far as the system lets us, and returns it; `None` is "no limit".
pub fn raise_open_files() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if limit.current != limit.maximum && setrlimit(Resource::Nofile, raised).is_ok() {
        return limit.maximum;
    }
    limit.current
}

/// What this machine is, for the manifest of a run.
pub fn facts() -> HostFacts {
    HostFacts {
        os: std::env::consts::OS.to_owned(),
        architecture: std::env::consts::ARCH.to_owned(),
        cores: u32::try_from(cores()).unwrap_or(u32::MAX),
        memory_bytes: memory_bytes(),
        max_open_files: getrlimit(Resource::Nofile).current,
    }
}

/// Files that are open now, sockets among them; zero where the system does not tell.
pub fn open_files() -> u64 {
    std::fs::read_dir("/proc/self/fd").map_or(0, |files| files.count() as u64)
}

/// How many files may be open; `None` is "no limit".
pub fn most_open_files() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// TCP connections of this machine that are open or have just been closed: each may take a port. Zero where the system
/// does not tell.
pub fn ports_in_use() -> u64 {
    let sockets = std::fs::read_to_string("/proc/net/sockstat").unwrap_or_default();
    let Some(tcp) = sockets.lines().find_map(|line| line.strip_prefix("TCP:")) else { return 0 };
    let words: Vec<&str> = tcp.split_whitespace().collect();
    let count = |name: &str| {
        let place = words.iter().position(|word| *word == name)?;
        words.get(place + 1)?.parse::<u64>().ok()
    };
    // Both ends of a connection of ours are on this machine, and only the calling one takes a port.
    count("inuse").unwrap_or(0) / 2 + count("tw").unwrap_or(0)
}

/// How many ports the system gives to calling ends; `None` where it does not tell.
pub fn most_ports() -> Option<u64> {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut ends = range.split_whitespace().map(str::parse::<u64>);
    let (first, last) = (ends.next()?.ok()?, ends.next()?.ok()?);
    Some(last.saturating_sub(first) + 1)
}

/// How much memory this machine has, in bytes; `None` where the system does not tell.
pub fn memory_bytes() -> Option<u64> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}
