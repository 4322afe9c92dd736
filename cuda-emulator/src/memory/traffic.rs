//! How many transactions an access of a warp costs, and how few it could.

/// Bytes of a sector of device memory.
const SECTOR: u64 = 32;

/// What an instruction on memory did, summed over its executions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Executions by a warp with at least one lane.
    pub accesses: u64,
    /// Device memory: 32-byte sectors moved. Shared memory: passes over the banks.
    pub moved: u64,
    /// The least it could have been for the same bytes.
    pub minimum: u64,
}

impl Traffic {
    /// Adds another's counts.
    pub fn add(&mut self, other: &Traffic) {
        self.accesses += other.accesses;
        self.moved += other.moved;
        self.minimum += other.minimum;
    }
}

/// Whether the full warp reads one place, or consecutive ones.
#[inline(always)]
fn regular(addresses: &[u64; 32], bytes: u64) -> Option<u64> {
    let step = addresses[1].wrapping_sub(addresses[0]);
    if step != 0 && step != bytes {
        return None;
    }
    let mut same = true;
    for lane in 1..32 {
        same &= addresses[lane] == addresses[0].wrapping_add(step * lane as u64);
    }
    same.then_some(step)
}

/// Counts an access to device memory of `bytes` bytes a lane.
#[inline(always)]
pub fn sectors(traffic: &mut Traffic, addresses: &[u64; 32], mask: u32, bytes: u32) {
    traffic.accesses += 1;
    let bytes = u64::from(bytes);
    if mask == u32::MAX
        && let Some(step) = regular(addresses, bytes)
    {
        let span = step * 31 + bytes;
        let first = addresses[0] / SECTOR;
        traffic.moved += (addresses[0].wrapping_add(span - 1) / SECTOR).wrapping_sub(first) + 1;
        traffic.minimum += span.div_ceil(SECTOR);
        return;
    }
    scattered(traffic, addresses, mask, bytes);
}

fn scattered(traffic: &mut Traffic, addresses: &[u64; 32], mask: u32, bytes: u64) {
    let mut sorted = [0; 32];
    let (mut n, mut ascending) = (0, true);
    for (lane, address) in addresses.iter().enumerate() {
        if mask >> lane & 1 == 1 {
            sorted[n] = *address;
            ascending &= n == 0 || sorted[n - 1] <= *address;
            n += 1;
        }
    }
    let sorted = &mut sorted[..n];
    if !ascending {
        sorted.sort_unstable();
    }
    let (mut sectors, mut distinct) = (0, 0);
    let mut last = None;
    for &address in sorted.iter() {
        if last.is_none_or(|l: u64| l != address) {
            distinct += 1;
        }
        if last.is_none_or(|l: u64| l / SECTOR != address / SECTOR) {
            sectors += 1;
        }
        last = Some(address);
    }
    traffic.moved += sectors;
    traffic.minimum += (distinct * bytes).div_ceil(SECTOR);
}

/// Counts an access to shared memory: 32 banks of 4 bytes. Accesses of 8 bytes go by half warps, of 16 by quarters.
#[inline(always)]
pub fn banks(traffic: &mut Traffic, addresses: &[u64; 32], mask: u32, bytes: u32) {
    traffic.accesses += 1;
    if mask == u32::MAX && bytes <= 4 {
        let step = u64::from(bytes);
        if regular(addresses, step).is_some() {
            traffic.moved += 1;
            traffic.minimum += 1;
            return;
        }
    }
    if bytes == 4 {
        // Lanes that all have a bank of their own need one pass.
        let mut taken = 0u32;
        for lane in 0..32 {
            taken |= (mask >> lane & 1) << (addresses[lane] / 4 % 32);
        }
        if taken.count_ones() == mask.count_ones() {
            traffic.moved += 1;
            traffic.minimum += 1;
            return;
        }
    }
    let group = if bytes <= 4 { 32 } else { 128 / bytes as usize };
    for start in (0..32).step_by(group) {
        let passes = group_passes(&addresses[start..start + group], mask >> start, bytes);
        traffic.moved += passes;
        traffic.minimum += u64::from(passes > 0);
    }
}

/// The most distinct words that one bank has to give.
fn group_passes(addresses: &[u64], mask: u32, bytes: u32) -> u64 {
    /// Ends a bank's list of words.
    const END: u8 = u8::MAX;
    let (mut words, mut next, mut n) = ([0u64; 32], [END; 32], 0u8);
    let (mut head, mut load, mut most) = ([END; 32], [0u64; 32], 0);
    for (lane, address) in addresses.iter().enumerate() {
        if mask >> lane & 1 == 0 {
            continue;
        }
        for word in address / 4..address / 4 + u64::from(bytes.div_ceil(4)) {
            let bank = (word % 32) as usize;
            let mut at = head[bank];
            while at != END && words[at as usize] != word {
                at = next[at as usize];
            }
            if at == END {
                (words[n as usize], next[n as usize]) = (word, head[bank]);
                (head[bank], n) = (n, n + 1);
                load[bank] += 1;
                most = load[bank].max(most);
            }
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(
        f: fn(&mut Traffic, &[u64; 32], u32, u32),
        address: impl Fn(u64) -> u64,
        mask: u32,
        bytes: u32,
    ) -> (u64, u64) {
        let mut traffic = Traffic::default();
        f(&mut traffic, &std::array::from_fn(|lane| address(lane as u64)), mask, bytes);
        (traffic.moved, traffic.minimum)
    }

    #[test]
    fn counts_sectors_by_hand() {
        assert_eq!(count(sectors, |l| 4 * l, u32::MAX, 4), (4, 4), "consecutive");
        assert_eq!(count(sectors, |l| 4 * l + 16, u32::MAX, 4), (5, 4), "shifted by half a sector");
        assert_eq!(count(sectors, |_| 64, u32::MAX, 4), (1, 1), "one place");
        assert_eq!(count(sectors, |l| 128 * l, u32::MAX, 4), (32, 4), "a column");
        assert_eq!(count(sectors, |l| 16 * l, u32::MAX, 16), (16, 16), "vectors");
        assert_eq!(count(sectors, |l| 4 * l, 0xff, 4), (1, 1), "eight lanes");
        assert_eq!(count(sectors, |l| 4 * (31 - l), u32::MAX, 4), (4, 4), "backwards");
    }

    #[test]
    fn counts_bank_conflicts_by_hand() {
        assert_eq!(count(banks, |l| 4 * l, u32::MAX, 4), (1, 1), "consecutive");
        assert_eq!(count(banks, |_| 8, u32::MAX, 4), (1, 1), "one place");
        assert_eq!(count(banks, |l| 8 * l, u32::MAX, 4), (2, 1), "stride 2");
        assert_eq!(count(banks, |l| 128 * l, u32::MAX, 4), (32, 1), "stride 32");
        assert_eq!(count(banks, |l| 132 * l, u32::MAX, 4), (1, 1), "stride 33");
        assert_eq!(count(banks, |l| 8 * l, u32::MAX, 8), (2, 2), "eight bytes");
        assert_eq!(count(banks, |l| 16 * l, u32::MAX, 16), (4, 4), "sixteen bytes");
        assert_eq!(count(banks, |l| l, u32::MAX, 1), (1, 1), "bytes");
    }
}
