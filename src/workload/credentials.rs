//! What devices show to those they call, and which of them show something that should not do.

use crate::ids::DeviceNumber;
use crate::seed::Seed;
use crate::units::Share;

/// How devices say who they are when they connect.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Credentials {
    pub certificates: Certificates,
    pub versions: Versions,
    /// Whether a device resumes TLS sessions that it has had.
    pub resumption: bool,
    /// Of devices with certificates of their own.
    pub flaws: Flaws,
}

/// The certificates of devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Certificates {
    /// They show none.
    #[default]
    None,
    /// All show the same one.
    Shared,
    /// Each has its own, made out to its id.
    PerDevice,
}

/// The versions of TLS that devices speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versions {
    #[default]
    Both,
    Only12,
    Only13,
}

/// How many of all devices have a certificate that should not do; each has one flaw at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flaws {
    pub expired: Share,
    pub revoked: Share,
    pub wrong_ca: Share,
}

/// What is wrong with the certificate of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Its time is over.
    Expired,
    /// The CA has taken it back.
    Revoked,
    /// Another CA signed it, which nobody trusts.
    WrongCa,
}

impl Flaws {
    /// All devices have good certificates.
    pub const NONE: Flaws = Flaws { expired: Share::NONE, revoked: Share::NONE, wrong_ca: Share::NONE };

    /// What all of them come to, from 0 to 1 where that can be.
    pub fn sum(&self) -> f64 {
        [self.expired, self.revoked, self.wrong_ca].into_iter().map(Share::fraction).sum()
    }

    /// What is wrong with the certificate of this device: the same at every run with this seed.
    pub fn of(&self, seed: Seed, device: DeviceNumber) -> Option<Flaw> {
        // The upper 53 bits are what a float holds exactly.
        let drawn = (seed.draw("certificates", u64::from(device.0)) >> 11) as f64 / (1u64 << 53) as f64;
        let mut bound = 0.0;
        let flaws = [(self.expired, Flaw::Expired), (self.revoked, Flaw::Revoked), (self.wrong_ca, Flaw::WrongCa)];
        flaws.into_iter().find_map(|(share, flaw)| {
            bound += share.fraction();
            (drawn < bound).then_some(flaw)
        })
    }
}

impl Default for Flaws {
    fn default() -> Flaws {
        Flaws::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(text: &str) -> Share {
        text.parse().expect("a share")
    }

    #[test]
    fn so_many_devices_have_each_flaw_and_always_the_same_ones() {
        let flaws = Flaws { expired: share("10%"), revoked: share("5%"), wrong_ca: share("1%") };
        let of = |seed: u64| (0..20_000).map(|device| flaws.of(Seed(seed), DeviceNumber(device))).collect::<Vec<_>>();
        let drawn = of(7);
        assert_eq!(drawn, of(7));
        assert_ne!(drawn, of(8));
        for (flaw, expected) in [(Flaw::Expired, 2_000.0), (Flaw::Revoked, 1_000.0), (Flaw::WrongCa, 200.0)] {
            let found = drawn.iter().filter(|drawn| **drawn == Some(flaw)).count() as f64;
            // Six standard deviations of as many independent draws.
            assert!((found - expected).abs() < 6.0 * f64::sqrt(expected), "{flaw:?}: {found}");
        }
    }

    #[test]
    fn without_a_share_no_device_has_a_flaw_and_with_all_each_has() {
        let all = Flaws { revoked: share("100%"), ..Flaws::NONE };
        for device in (0..1_000).map(DeviceNumber) {
            assert_eq!(Flaws::NONE.of(Seed(7), device), None);
            assert_eq!(all.of(Seed(7), device), Some(Flaw::Revoked));
        }
    }
}
