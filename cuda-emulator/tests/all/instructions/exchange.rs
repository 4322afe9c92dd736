//! Exchanges among lanes, against loops over lanes.

use super::harness::{HEAD, run};

/// One warp: `body` turns %a (the lane's input) into %d; %l is the lane. Returns each lane's %d.
fn warp(body: &str, input: [u32; 32]) -> [u32; 32] {
    let source = format!(
        "{HEAD}.visible .entry k(.param .u64 in, .param .u64 out)
{{
 .reg .pred %p<8>; .reg .b32 %a, %d, %l, %t<8>; .reg .b64 %x<8>;
 ld.param.u64 %x1, [in]; ld.param.u64 %x2, [out]; mov.u32 %l, %laneid;
 mul.wide.u32 %x3, %l, 8; add.u64 %x4, %x1, %x3; add.u64 %x5, %x2, %x3;
 ld.global.u32 %a, [%x4]; mov.u32 %d, 0;
 {body}
 st.global.u32 [%x5], %d;
 ret;
}}"
    );
    let input: Vec<u64> = input.iter().map(|&x| u64::from(x)).collect();
    let (buffers, _) = run(&source, (1, 32), 0, &[input, vec![0; 32]]).unwrap_or_else(|r| panic!("{body}: {r}"));
    std::array::from_fn(|i| buffers[1][i] as u32)
}

fn input() -> [u32; 32] {
    std::array::from_fn(|i| (i as u32).wrapping_mul(2_654_435_761) >> 7)
}

#[test]
fn shuffles() {
    let a = input();
    for width in [32u32, 16, 8] {
        let segment = (32 - width) << 8;
        for delta in [0u32, 1, 3, 7, 15, 16, 31] {
            let clamp = segment | 31;
            let check = |how: &str, clamp: u32, from: &dyn Fn(u32) -> Option<u32>| {
                let body = format!(
                    "shfl.sync.{how}.b32 %d|%p1, %a, {delta}, {clamp}, -1; selp.u32 %t1, 0, 1, %p1; @!%p1 add.u32 %d, %d, 1;"
                );
                let got = warp(&body, a);
                for lane in 0..32 {
                    let want = from(lane).map_or(a[lane as usize] + 1, |j| a[j as usize]);
                    assert_eq!(got[lane as usize], want, "shfl.{how} {delta} width {width} lane {lane}");
                }
            };
            let start = |lane: u32| lane / width * width;
            check("up", segment, &|l| l.checked_sub(delta).filter(|j| *j >= start(l)));
            check("down", clamp, &|l| Some(l + delta).filter(|j| *j < start(l) + width));
            // An exchange across segments fails only towards the higher one.
            check("bfly", clamp, &|l| Some(l ^ delta).filter(|j| *j < start(l) + width));
            check("idx", clamp, &|l| Some(start(l) + delta % width));
        }
    }
}

#[test]
fn votes() {
    let a = input();
    let odd = (0..32).fold(0u32, |m, i| m | (a[i] & 1) << i);
    let set = "and.b32 %t1, %a, 1; setp.eq.u32 %p1, %t1, 1;";
    assert!(odd != 0 && odd != u32::MAX);
    assert_eq!(warp(&format!("{set} vote.sync.ballot.b32 %d, %p1, -1;"), a), [odd; 32]);
    assert_eq!(warp(&format!("{set} vote.sync.ballot.b32 %d, !%p1, -1;"), a), [!odd; 32]);
    let truth = |body: &str| warp(&format!("{set} {body} selp.u32 %d, 1, 0, %p2;"), a)[0];
    assert_eq!(truth("vote.sync.any.pred %p2, %p1, -1;"), 1);
    assert_eq!(truth("vote.sync.all.pred %p2, %p1, -1;"), 0);
    assert_eq!(truth("vote.sync.uni.pred %p2, %p1, -1;"), 0);
    assert_eq!(truth("setp.ge.u32 %p1, %a, 0; vote.sync.all.pred %p2, %p1, -1;"), 1);
    assert_eq!(truth("setp.ge.u32 %p1, %a, 0; vote.sync.uni.pred %p2, %p1, -1;"), 1);
    assert_eq!(truth("setp.lt.u32 %p1, %a, 0; vote.sync.any.pred %p2, %p1, -1;"), 0);
    assert_eq!(warp("activemask.b32 %d;", a), [u32::MAX; 32]);
}

#[test]
fn matches_and_reductions() {
    let a: [u32; 32] = std::array::from_fn(|i| [5, 9, 5, 1 << 31][i % 4] + (i == 8) as u32);
    let same = |lane: usize| (0..32).fold(0u32, |m, o| m | u32::from(a[o] == a[lane]) << o);
    assert_eq!(warp("match.any.sync.b32 %d, %a, -1;", a), std::array::from_fn(same));
    assert_eq!(warp("cvt.u64.u32 %x6, %a; match.any.sync.b64 %d, %x6, -1;", a), std::array::from_fn(same));
    assert_eq!(warp("match.all.sync.b32 %d|%p1, %a, -1; selp.u32 %t1, 64, 0, %p1; add.u32 %d, %d, %t1;", a), [0; 32]);
    let all =
        warp("mov.u32 %t2, 3; match.all.sync.b32 %d|%p1, %t2, -1; selp.u32 %t1, 1, 0, %p1; sub.u32 %d, %d, %t1;", a);
    assert_eq!(all, [u32::MAX - 1; 32]);
    let sum = a.iter().fold(0u32, |x, y| x.wrapping_add(*y));
    assert_eq!(warp("redux.sync.add.u32 %d, %a, -1;", a), [sum; 32]);
    assert_eq!(warp("redux.sync.max.u32 %d, %a, -1;", a), [1 << 31; 32]);
    assert_eq!(warp("redux.sync.min.s32 %d, %a, -1;", a), [1 << 31; 32]);
    assert_eq!(warp("redux.sync.max.s32 %d, %a, -1;", a), [9; 32]);
    assert_eq!(warp("redux.sync.or.b32 %d, %a, -1;", a), [a.iter().fold(0, |x, y| x | y); 32]);
    assert_eq!(warp("redux.sync.xor.b32 %d, %a, -1;", a), [a.iter().fold(0, |x, y| x ^ y); 32]);
    assert_eq!(warp("redux.sync.and.b32 %d, %a, -1;", a), [a.iter().fold(u32::MAX, |x, y| x & y); 32]);
}

#[test]
fn halves_of_a_warp_exchange_on_their_own() {
    // Lanes part, each half shuffles among itself under its own mask, and they meet again.
    let body = "setp.lt.u32 %p1, %l, 16; @%p1 bra LOW;
 shfl.sync.bfly.b32 %d, %a, 1, 31, 0xffff0000; bra.uni MEET;
LOW: shfl.sync.bfly.b32 %d, %a, 2, 31, 0x0000ffff;
MEET: bar.warp.sync -1;";
    let a = input();
    assert_eq!(warp(body, a), std::array::from_fn(|l| a[l ^ if l < 16 { 2 } else { 1 }]));
}

#[test]
fn special_registers() {
    let a = input();
    assert_eq!(warp("mov.u32 %d, %laneid;", a), std::array::from_fn(|l| l as u32));
    assert_eq!(warp("mov.u32 %d, %lanemask_lt;", a), std::array::from_fn(|l| (1u32 << l) - 1));
    assert_eq!(warp("mov.u32 %d, %lanemask_le;", a), std::array::from_fn(|l| ((1u64 << (l + 1)) - 1) as u32));
    assert_eq!(warp("mov.u32 %d, %lanemask_eq;", a), std::array::from_fn(|l| 1u32 << l));
    assert_eq!(warp("mov.u32 %d, %lanemask_ge;", a), std::array::from_fn(|l| !((1u32 << l) - 1)));
    assert_eq!(warp("mov.u32 %d, %lanemask_gt;", a), std::array::from_fn(|l| !(((1u64 << (l + 1)) - 1) as u32)));
    assert_eq!(warp("mov.u32 %d, %ntid.x;", a), [32; 32]);
    assert_eq!(warp("mov.u32 %d, %nctaid.x;", a), [1; 32]);
    assert_eq!(warp("mov.u32 %d, %nwarpid;", a), [1; 32]);
}
