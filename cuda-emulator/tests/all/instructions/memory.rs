//! Loads, stores and atomics of every width and space; control flow around them.

use cuda_emulator::memory::traffic::Traffic;

use super::harness::{HEAD, run};

/// A kernel with two buffers, registers declared, `%t` the thread's number and `%o` eight times it.
fn with(declarations: &str, body: &str) -> String {
    format!(
        "{HEAD}{declarations}
.visible .entry k(.param .u64 p0, .param .u64 p1)
{{
 .reg .pred %p<9>; .reg .b16 %h<9>; .reg .b32 %t, %r<19>; .reg .b64 %in, %out, %o, %x<19>; .reg .f32 %f<9>;
 ld.param.u64 %in, [p0]; ld.param.u64 %out, [p1];
 mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mov.u32 %r3, %tid.x; mad.lo.u32 %t, %r1, %r2, %r3;
 mul.wide.u32 %o, %t, 8; add.u64 %in, %in, %o; add.u64 %out, %out, %o;
 {body}
 ret;
}}"
    )
}

fn ramp(n: usize) -> Vec<u64> {
    (0..n as u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ i << 3).collect()
}

#[test]
fn loads_extend_by_their_type() {
    let input = ramp(64);
    let cases: [(&str, fn(u64) -> u64); 10] = [
        ("ld.global.u8 %r5, [%in]; cvt.u64.u32 %x1, %r5", |x| x & 0xff),
        ("ld.global.s8 %r5, [%in+3]; cvt.u64.u32 %x1, %r5", |x| u64::from((x >> 24) as i8 as i32 as u32)),
        ("ld.global.u16 %h1, [%in+2]; cvt.u64.u16 %x1, %h1", |x| x >> 16 & 0xffff),
        ("ld.global.s16 %r5, [%in+6]; cvt.u64.u32 %x1, %r5", |x| u64::from((x >> 48) as i16 as i32 as u32)),
        ("ld.global.s32 %x1, [%in+4]", |x| (x >> 32) as i32 as i64 as u64),
        ("ld.global.u32 %x1, [%in+4]", |x| x >> 32),
        ("ld.global.b64 %x1, [%in]", |x| x),
        ("ld.global.nc.v2.u32 {%r5, %r6}, [%in]; mov.b64 %x1, {%r6, %r5}", |x| x.rotate_left(32)),
        ("ld.volatile.global.v4.u16 {%h1, %h2, %h3, %h4}, [%in]; cvt.u64.u16 %x1, %h3", |x| x >> 32 & 0xffff),
        ("ld.u32 %r5, [%in]; cvt.u64.u32 %x1, %r5", |x| x & 0xffff_ffff),
    ];
    for (load, expect) in cases {
        let (buffers, _) =
            run(&with("", &format!("{load}; st.global.u64 [%out], %x1;")), (2, 32), 0, &[input.clone(), vec![0; 64]])
                .unwrap();
        assert_eq!(buffers[1], input.iter().map(|&x| expect(x)).collect::<Vec<_>>(), "{load}");
    }
}

#[test]
fn stores_write_only_their_bytes() {
    let input = ramp(64);
    let cases: [(&str, fn(u64) -> u64); 6] = [
        ("st.global.u8 [%out+2], %r5", |x| (x & 0xff) << 16),
        ("cvt.u16.u32 %h1, %r5; st.global.u16 [%out+6], %h1", |x| (x & 0xffff) << 48),
        ("st.global.u32 [%out+4], %r5", |x| x << 32),
        ("st.global.u32 [%out], %x1", |x| x & 0xffff_ffff),
        ("st.global.v2.u32 [%out], {%r6, %r5}", |x| x.rotate_left(32)),
        ("st.global.b32 [%out], 7", |_| 7),
    ];
    for (store, expect) in cases {
        let body = format!("ld.global.u64 %x1, [%in]; mov.b64 {{%r5, %r6}}, %x1; {store};");
        let (buffers, _) = run(&with("", &body), (2, 32), 0, &[input.clone(), vec![0; 64]]).unwrap();
        assert_eq!(buffers[1], input.iter().map(|&x| expect(x)).collect::<Vec<_>>(), "{store}");
    }
}

#[test]
fn sixteen_bytes_at_once() {
    let input = ramp(64);
    let body = "add.u64 %x9, %in, %o; add.u64 %x10, %out, %o; ld.global.v4.u32 {%r5, %r6, %r7, %r8}, [%x9];
 setp.gt.u32 %p1, %t, 31; @%p1 bra END; st.global.v4.u32 [%x10], {%r8, %r7, %r6, %r5}; END:";
    let (buffers, counters) = run(&with("", body), (1, 32), 0, &[input.clone(), vec![0; 64]]).unwrap();
    for t in 0..32 {
        assert_eq!(buffers[1][2 * t], input[2 * t + 1].rotate_left(32));
        assert_eq!(buffers[1][2 * t + 1], input[2 * t].rotate_left(32));
    }
    assert_eq!(counters.loads, Traffic { accesses: 1, moved: 16, minimum: 16 });
}

#[test]
fn spaces_keep_apart() {
    let declarations = ".global .align 4 .u32 g[2] = {11, 22}; .const .align 4 .u32 c[3] = {5, 6, 7};
.shared .align 8 .b8 s[512];";
    let _ = declarations;
    // Shared and local memory through their own addresses and through generic ones.
    let body = ".local .align 8 .b8 l[16]; .shared .align 8 .b8 s[512];
 ld.global.u64 %x1, [%in]; mov.u64 %x2, s; cvt.u64.u32 %x3, %r3; shl.b64 %x3, %x3, 3; add.u64 %x4, %x2, %x3;
 st.shared.u64 [%x4], %x1; cvta.shared.u64 %x5, %x4; ld.u64 %x6, [%x5];
 mov.u64 %x7, l; st.local.u64 [%x7+8], %x6; cvta.local.u64 %x8, %x7; ld.u64 %x9, [%x8+8];
 cvta.to.shared.u64 %x10, %x5; ld.shared.u64 %x11, [%x10]; xor.b64 %x12, %x9, %x11; st.global.u64 [%out], %x12;
 st.shared.u64 [s], %x1; st.global.u64 [%out], %x9;";
    let single = body.replace("st.shared.u64 [s], %x1;", "");
    let input = ramp(32);
    let (buffers, counters) = run(&with("", &single), (1, 32), 0, &[input.clone(), vec![1; 32]]).unwrap();
    assert_eq!(buffers[1], input);
    assert_eq!(counters.shared.accesses, 2);
}

#[test]
fn atomics_of_every_kind() {
    type Case = (&'static str, fn(u64) -> u64);
    let cases: [Case; 9] = [
        ("atom.global.add.u32 %r5, [%x5], 3", |_| 10 + 3 * 64),
        ("atom.global.max.u32 %r5, [%x5], %t", |_| 63),
        ("atom.global.min.s32 %r5, [%x5], -5", |_| 0xffff_fffb),
        ("atom.global.and.b32 %r5, [%x5], 6", |_| 2),
        ("atom.global.or.b32 %r5, [%x5], 256", |_| 266),
        ("atom.global.xor.b32 %r5, [%x5], %t", |_| 10),
        ("atom.global.inc.u32 %r5, [%x5], 11", |_| (10 + 64) % 12),
        ("red.global.add.u32 [%x5], 2", |_| 10 + 128),
        ("atom.global.add.u64 %x7, [%x5], 5", |_| 10 + 320),
    ];
    for (text, expect) in cases {
        let body = format!("sub.u64 %x5, %out, %o; {text};");
        let mut out = vec![0; 64];
        out[0] = 10;
        let (buffers, _) = run(&with("", &body), (2, 32), 0, &[vec![0; 64], out]).unwrap();
        assert_eq!(buffers[1][0], expect(0), "{text}");
    }
}

#[test]
fn atomics_give_the_old_value_in_order() {
    let body =
        "sub.u64 %x5, %in, %o; atom.global.add.u32 %r5, [%x5], 1; cvt.u64.u32 %x6, %r5; st.global.u64 [%out], %x6;";
    let (buffers, _) = run(&with("", body), (4, 64), 0, &[vec![0; 256], vec![0; 256]]).unwrap();
    assert_eq!(buffers[1], (0..256).collect::<Vec<u64>>(), "blocks and lanes take turns in order");
    let body = "sub.u64 %x5, %in, %o; atom.global.cas.b32 %r5, [%x5], %t, 100; atom.global.exch.b32 %r6, [%x5+8], %t;
 cvt.u64.u32 %x6, %r6; st.global.u64 [%out], %x6;";
    let (buffers, _) = run(&with("", body), (1, 32), 0, &[vec![0; 32], vec![0; 32]]).unwrap();
    assert_eq!((buffers[0][0], buffers[0][1]), (100, 31));
    assert_eq!(buffers[1], [0].into_iter().chain(0..31).collect::<Vec<u64>>());
}

#[test]
fn float_atomics_add_in_a_fixed_order() {
    let body = "sub.u64 %x5, %out, %o; cvt.rn.f32.u32 %f1, %t; mul.f32 %f1, %f1, 0f3DCCCCCD; atom.global.add.f32 %f2, [%x5], %f1;
 .shared .align 4 .f32 s; setp.eq.u32 %p1, %r3, 0; @%p1 st.shared.f32 [s], 0f00000000; bar.sync 0;
 atom.shared.add.f32 %f3, [s], %f1; bar.sync 0; ld.shared.f32 %f4, [s]; st.global.f32 [%out+4], %f4;";
    let (buffers, _) = run(&with("", body), (8, 64), 0, &[vec![0; 512], vec![0; 512]]).unwrap();
    let terms = (0..512).map(|t| t as f32 * f32::from_bits(0x3dcc_cccd));
    assert_eq!(buffers[1][0] as u32, terms.clone().fold(0.0, |s, x| s + x).to_bits());
    let last: f32 = terms.skip(448).fold(0.0, |s, x| s + x);
    assert_eq!((buffers[1][511] >> 32) as u32, last.to_bits());
}

#[test]
fn lanes_part_and_meet_again() {
    // Collatz steps: every lane loops its own number of times, with a branch inside.
    let body = "ld.global.u64 %x1, [%in]; mov.u64 %x2, 0;
LOOP: setp.le.u64 %p1, %x1, 1; @%p1 bra DONE;
 add.u64 %x2, %x2, 1; and.b64 %x3, %x1, 1; setp.eq.u64 %p2, %x3, 0; @%p2 bra EVEN;
 mul.lo.u64 %x1, %x1, 3; add.u64 %x1, %x1, 1; bra.uni LOOP;
EVEN: shr.u64 %x1, %x1, 1; bra.uni LOOP;
DONE: activemask.b32 %r5; st.global.u64 [%out], %x2;
 shfl.sync.idx.b32 %r6, %r5, 0, 31, -1;";
    let input: Vec<u64> = (1..=96).collect();
    let steps = |mut x: u64| {
        let mut n = 0;
        while x > 1 {
            x = if x.is_multiple_of(2) { x / 2 } else { 3 * x + 1 };
            n += 1;
        }
        n
    };
    let (buffers, _) = run(&with("", body), (1, 96), 0, &[input.clone(), vec![0; 96]]).unwrap();
    assert_eq!(buffers[1], input.into_iter().map(steps).collect::<Vec<_>>());
}

#[test]
fn lanes_may_leave_early() {
    let body = "setp.lt.u32 %p1, %t, 20; @%p1 ret; mov.u64 %x1, 5; st.global.u64 [%out], %x1;";
    let (buffers, counters) = run(&with("", body), (1, 40), 0, &[vec![0; 40], vec![0; 40]]).unwrap();
    assert_eq!(buffers[1], (0..40).map(|t| if t < 20 { 0 } else { 5 }).collect::<Vec<_>>());
    assert_eq!(counters.stores.accesses, 2);
}

#[test]
fn barriers_reduce_and_count() {
    let body = "and.b32 %r5, %t, 3; setp.eq.u32 %p1, %r5, 0;
 bar.red.popc.u32 %r6, 0, %p1; bar.red.or.pred %p2, 0, %p1; bar.red.and.pred %p3, 0, !%p1; barrier.red.popc.aligned.u32 %r7, 1, !%p1;
 selp.u32 %r8, 1000, 0, %p2; selp.u32 %r9, 10000, 0, %p3; add.u32 %r6, %r6, %r8; add.u32 %r6, %r6, %r9;
 mov.b64 %x1, {%r6, %r7}; st.global.u64 [%out], %x1;";
    let (buffers, _) = run(&with("", body), (1, 100), 0, &[vec![0; 100], vec![0; 100]]).unwrap();
    assert_eq!(buffers[1], vec![1025 | 75 << 32; 100]);
}

#[test]
fn scopes_have_registers_and_labels_of_their_own() {
    let one = "{ .reg .b32 %v<3>; mov.u32 %v1, %r5; L: add.u32 %v2, %v1, 1; mov.u32 %r5, %v2; setp.lt.u32 %p1, %r5, LIMIT; @%p1 bra S; bra E; S: mov.u32 %v1, %r5; bra L; E: }";
    let body = format!(
        "mov.u32 %r5, 0; {} {} cvt.u64.u32 %x1, %r5; st.global.u64 [%out], %x1;",
        one.replace("LIMIT", "10"),
        one.replace("LIMIT", "20")
    );
    let (buffers, _) = run(&with("", &body), (1, 32), 0, &[vec![0; 32], vec![0; 32]]).unwrap();
    assert_eq!(buffers[1], vec![20; 32]);
}

#[test]
fn counters_by_hand() {
    let body = "ld.global.u64 %x1, [%in]; @!%p1 st.global.u64 [%out], %x1;";
    let (_, counters) = run(&with("", body), (3, 64), 0, &[vec![1; 192], vec![0; 192]]).unwrap();
    // Nine instructions before the body, two in it, the ret; six warps.
    assert_eq!(counters.warp_instructions, 12 * 6);
    assert_eq!(counters.thread_instructions, 12 * 192);
    assert_eq!(counters.loads, Traffic { accesses: 6, moved: 48, minimum: 48 });
}

#[test]
fn named_barriers_wait_for_their_own_threads() {
    // The second warp hands a value to the first through barrier 3 without waiting; the third and fourth share barrier 5.
    let body = ".shared .align 4 .u32 s[4]; mov.u32 %r5, %warpid; setp.eq.u32 %p1, %r5, 0; setp.eq.u32 %p2, %r5, 1;
 mov.u32 %r6, 0; mov.u32 %r7, %laneid; setp.eq.u32 %p3, %r7, 0;
 @%p1 bra FIRST; @%p2 bra SECOND; bar.sync 5, 64; mov.u32 %r6, 5; bra.uni MEET;
FIRST: bar.sync 3, 64; ld.shared.u32 %r6, [s]; bra.uni MEET;
SECOND: @%p3 st.shared.u32 [s], 42; bar.arrive 3, 64;
MEET: bar.sync 0; cvt.u64.u32 %x1, %r6; st.global.u64 [%out], %x1;";
    let (buffers, _) =
        run(&with("", body), (1, 128), 0, &[vec![0; 128], vec![9; 128]]).unwrap_or_else(|r| panic!("{r}"));
    let want = |t: usize| [42, 0, 5, 5][t / 32];
    assert_eq!(buffers[1], (0..128).map(want).collect::<Vec<_>>());
    let missing = body.replace("bar.arrive 3, 64;", "");
    let report = run(&with("", &missing), (1, 128), 0, &[vec![0; 128], vec![9; 128]]).expect_err("nobody arrives");
    assert!(report.to_string().starts_with("divergent barrier: warp 0 waits"), "{report}");
}

#[test]
fn an_unset_register_reads_the_same_in_every_block() {
    // What earlier blocks left in a register must not show, whichever way control comes.
    let body = ".reg .b32 %u, %v; .reg .b64 %w; setp.lt.u32 %p1, %r3, 7; @%p1 mov.u32 %v, 5;
 cvt.u64.u32 %x1, %u; cvt.u64.u32 %x2, %v; shl.b64 %x2, %x2, 32; xor.b64 %x1, %x1, %x2; xor.b64 %x1, %x1, %w;
 st.global.u64 [%out], %x1; mov.u32 %u, %r1; mov.u32 %v, %r1; mov.u64 %w, 77;";
    let (buffers, _) = run(&with("", body), (6, 32), 0, &[vec![0; 192], vec![0; 192]]).unwrap();
    let want = |t: usize| if t % 32 < 7 { !(u64::from(u32::MAX) | 5 << 32) } else { 0 };
    assert_eq!(buffers[1], (0..192).map(want).collect::<Vec<_>>());
}
