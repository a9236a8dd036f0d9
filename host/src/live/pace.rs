//! The clock of a live run: simulated time follows the wall clock, whatever rate the simulation reaches.
//!
//! A live NIC is a NIC whose core clock is as fast as the simulation happens to be, about a megahertz. Every slice of
//! some hundred cycles its period is set anew to what a cycle has lately taken, and a little shorter or longer, so that
//! the time that was gained or lost by then is gone at the end of the next slice. The same is done with
//! the firmware's time base, through the register `TICKS_PER_US`: so the host's stack (which goes by the
//! simulated time), the firmware's timers (`TIME_US`) and the kernel agree on what a second is. Both clocks only ever
//! run slower or faster; neither is set back.

use anyhow::Result;
use baton_abi::regs;
use baton_cosim::nic::Nic;
use baton_cosim::port::HostPort;
use baton_cosim::system::System;
use std::time::Instant;

/// Cycles between two corrections.
pub const SLICE_CYCLES: u64 = 512;
/// Cycles in which the firmware's time base makes one step: short against any timer, long enough for a step to be
/// set finely.
const TICKS: u32 = 64;
/// Shortest and longest period of the simulated core clock. The longest is what a step of 16 bits can follow.
const PERIOD_MIN_PS: f64 = 1_000.0;
const PERIOD_MAX_PS: f64 = 1_000_000_000.0;
/// Weight of the last slice in the estimate of the period.
const LAST: f64 = 0.2;
/// Most that it counts for, in periods.
const LAST_MAX: f64 = 4.0;

const PS_PER_US: u64 = 1_000_000;

/// Keeps the clocks of one system in step with the wall clock.
#[derive(Debug)]
pub struct Pace {
    started: Instant,
    /// Both clocks at the start.
    start_ps: u64,
    start_us: u32,
    /// Wall time and cycles at the last correction.
    wall_ps: u64,
    cycles: u64,
    period_ps: f64,
    stats: PaceStats,
}

/// How well the clocks follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct PaceStats {
    /// Corrections made.
    pub corrections: u64,
    /// Most that simulated time was away from the wall clock at a correction, in microseconds.
    pub error_max_us: u64,
    /// Most that the firmware's time was away from simulated time.
    pub firmware_error_max_us: u64,
}

impl Pace {
    /// Starts here and now.
    ///
    /// # Errors
    /// When a register cannot be read.
    pub fn start<N: Nic>(system: &mut System<N>) -> Result<Pace> {
        let start_us = system.reg_read(regs::TIME_US)?;
        Ok(Pace {
            started: Instant::now(),
            start_ps: system.now_ps(),
            start_us,
            wall_ps: 0,
            cycles: system.cycles(),
            period_ps: 1e6,
            stats: PaceStats::default(),
        })
    }

    /// Wall time since the start, in picoseconds.
    pub fn wall_ps(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX / 1000) * 1000
    }

    pub fn stats(&self) -> PaceStats {
        self.stats
    }

    /// Corrects both clocks for the next slice.
    ///
    /// # Errors
    /// When a register cannot be read.
    pub fn correct<N: Nic>(&mut self, system: &mut System<N>) -> Result<()> {
        let firmware_us = system.reg_read(regs::TIME_US)?.wrapping_sub(self.start_us);
        let (wall_ps, cycles) = (self.wall_ps(), system.cycles());
        let behind_ps = wall_ps as i64 - (system.now_ps() - self.start_ps) as i64;
        let firmware_behind_us = ((wall_ps / PS_PER_US) as u32).wrapping_sub(firmware_us) as i32;
        let spent = (cycles - self.cycles).max(1) as f64;
        self.period_ps = estimate(self.period_ps, (wall_ps - self.wall_ps) as f64 / spent);
        (self.wall_ps, self.cycles) = (wall_ps, cycles);

        system.set_period_ps(period(self.period_ps, behind_ps as f64) as u64);
        let firmware_ps = f64::from(firmware_behind_us) * PS_PER_US as f64;
        system.reg_write(regs::TICKS_PER_US, ticks(period(self.period_ps, firmware_ps)));

        let apart_us = (i64::from(firmware_behind_us) - behind_ps / PS_PER_US as i64).unsigned_abs();
        self.stats.corrections += 1;
        self.stats.error_max_us = self.stats.error_max_us.max(behind_ps.unsigned_abs() / PS_PER_US);
        self.stats.firmware_error_max_us = self.stats.firmware_error_max_us.max(apart_us);
        Ok(())
    }
}

/// What a cycle takes, after a slice in which one took `last_ps`. A slice in which the process was stopped says little of the
/// next one.
fn estimate(period_ps: f64, last_ps: f64) -> f64 {
    period_ps + LAST * (last_ps.min(LAST_MAX * period_ps) - period_ps)
}

/// Period at which a clock that is so far behind will be right after the next slice, in picoseconds.
fn period(period_ps: f64, behind_ps: f64) -> f64 {
    (period_ps + behind_ps / SLICE_CYCLES as f64).clamp(PERIOD_MIN_PS, PERIOD_MAX_PS)
}

/// Contents of `TICKS_PER_US` for a period.
fn ticks(period_ps: f64) -> u32 {
    let step = (period_ps * f64::from(TICKS) / PS_PER_US as f64).round().clamp(1.0, f64::from(u16::MAX));
    TICKS | (step as u32) << regs::TICKS_STEP_SHIFT
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A simulation whose speed changes tenfold and that is stopped for a second now and then: both clocks are right again
    /// soon after, and never run backwards.
    #[test]
    fn clocks_follow_a_simulation_of_changing_speed() {
        let (mut wall_ps, mut period_ps) = (0f64, 1e6f64);
        let (mut simulated_ps, mut firmware_us) = (0f64, 0f64);
        let mut random = 12345u64;
        for slice in 0..20_000u32 {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let noise = (random >> 40) as f64 / f64::from(1u32 << 24);
            let cycle_ps = if slice / 5000 % 2 == 0 { 7e5 } else { 7e6 } * (0.8 + 0.4 * noise);
            let pause_ps = if slice % 5000 == 2500 { 1e12 } else { 0.0 };
            let spent_ps = cycle_ps * SLICE_CYCLES as f64 + pause_ps;

            let step = ticks(period(period_ps, (wall_ps / 1e6 - firmware_us).round() * 1e6)) >> 16;
            let next_ps = simulated_ps + period(period_ps, wall_ps - simulated_ps) * SLICE_CYCLES as f64;
            assert!(next_ps > simulated_ps && step > 0);
            simulated_ps = next_ps;
            firmware_us += f64::from(step) * (SLICE_CYCLES / u64::from(TICKS)) as f64;
            wall_ps += spent_ps;
            period_ps = estimate(period_ps, spent_ps / SLICE_CYCLES as f64);
            // After a change of speed or a pause the estimate needs some slices.
            if slice % 2500 > 100 {
                assert!(
                    (wall_ps - simulated_ps).abs() < 3e9,
                    "slice {slice}: {} us",
                    (wall_ps - simulated_ps) / 1e6
                );
                assert!((wall_ps / 1e6 - firmware_us).abs() < 3e3, "slice {slice}");
            }
        }
    }

    #[test]
    fn a_step_is_never_zero_and_fits() {
        assert_eq!(ticks(PERIOD_MIN_PS), TICKS | 1 << 16);
        assert_eq!(ticks(1e6), TICKS | TICKS << 16);
        assert_eq!(ticks(PERIOD_MAX_PS) >> 16, 64_000);
    }
}
