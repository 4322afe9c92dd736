//! Functions and branches by a table, written by hand.

use super::harness::{HEAD, program, run};

const SUM: &str = "
.func (.param .b32 result) sum(.param .b32 a, .param .align 8 .b8 pair[16])
{
 .reg .pred %p; .reg .b32 %r<5>; .reg .b64 %x<3>;
 ld.param.u32 %r1, [a]; ld.param.u64 %x1, [pair+8]; cvt.u32.u64 %r2, %x1;
 setp.gt.u32 %p, %r1, 20; @%p bra LARGE; add.u32 %r3, %r1, %r2; st.param.b32 [result], %r3; ret;
LARGE: st.param.b32 [result], 1000; ret;
}";

fn source(body: &str) -> String {
    format!(
        "{HEAD}{SUM}
.visible .entry k(.param .u64 out)
{{
 .reg .b32 %t, %r<9>; .reg .b64 %x<9>; .reg .pred %p<9>;
 ld.param.u64 %x1, [out]; mov.u32 %t, %tid.x; mul.wide.u32 %x2, %t, 8; add.u64 %x3, %x1, %x2;
 {body}
 cvt.u64.u32 %x4, %r8; st.global.u64 [%x3], %x4; ret;
}}"
    )
}

fn results(body: &str) -> Vec<u64> {
    run(&source(body), (1, 32), 0, &[vec![0; 32]]).unwrap_or_else(|r| panic!("{r}")).0.remove(0)
}

const CALL: &str = "{ .param .b32 a0; .param .align 8 .b8 a1[16]; .param .b32 r0;
 st.param.b32 [a0], %r7; st.param.b64 [a1], 77; st.param.b64 [a1+8], %x2; call.uni (r0), sum, (a0, a1);
 ld.param.b32 %r8, [r0]; }";

#[test]
fn a_call_hands_over_and_returns() {
    let expect = |t: u64| if t > 20 { 1000 } else { 9 * t };
    assert_eq!(results(&format!("mov.u32 %r7, %t; {CALL}")), (0..32).map(expect).collect::<Vec<_>>());
    // Twice in a row, each call with memory of its own.
    let twice = format!("mov.u32 %r7, %t; {CALL} add.u32 %r7, %r8, 1; {CALL}");
    let again = |t: u64| if expect(t) + 1 > 20 { 1000 } else { expect(t) + 1 + 8 * t };
    assert_eq!(results(&twice), (0..32).map(again).collect::<Vec<_>>());
    // In some lanes only; all meet again, which the barrier after it needs.
    let some =
        format!("mov.u32 %r8, 5; setp.lt.u32 %p1, %t, 9; @!%p1 bra PAST; mov.u32 %r7, 3; {CALL} PAST: bar.sync 0;");
    assert_eq!(results(&some), (0..32).map(|t| if t < 9 { 3 + 8 * t } else { 5 }).collect::<Vec<_>>());
}

#[test]
fn a_table_of_labels() {
    let body = "TABLE: .branchtargets ZERO, ONE, TWO;
 rem.u32 %r1, %t, 3; brx.idx %r1, TABLE;
ZERO: mov.u32 %r8, 100; bra.uni MEET;
ONE: mov.u32 %r8, 200; bra.uni MEET;
TWO: mov.u32 %r8, 300;
MEET: bar.sync 0;";
    assert_eq!(results(body), (0..32).map(|t| 100 * (t % 3 + 1)).collect::<Vec<_>>());
    let beyond = body.replace("rem.u32 %r1, %t, 3", "rem.u32 %r1, %t, 4");
    let report = run(&source(&beyond), (1, 32), 0, &[vec![0; 32]]).expect_err("an index beyond the table");
    assert!(report.to_string().starts_with("trap: "), "{report}");
    assert_eq!(report.place.expect("a place").thread, [3, 0, 0]);
}

#[test]
fn what_cannot_be_put_in_place_is_refused() {
    let refused = |source: &str| program(source, false).err().expect("a refusal").message;
    let recursive = source(CALL).replace("ret;\nLARGE", "call.uni sum; ret;\nLARGE");
    assert!(refused(&recursive).contains("calls itself"), "{}", refused(&recursive));
    assert!(refused(&source("call.uni nothing;")).contains("unknown function"));
    assert!(refused(&source("call.uni sum;")).contains("0 values handed over where 1"));
    assert!(refused(&source("@%p1 call.uni sum;")).contains("guard"));
    assert!(refused(&source(&CALL.replace("(a0, a1)", "(a0, %r1)"))).contains(".param"));
    // A function does not see its caller's registers.
    let peeking = source(CALL).replace("add.u32 %r3, %r1, %r2", "add.u32 %r3, %r1, %t");
    assert!(refused(&peeking).contains("unknown name '%t'"), "{}", refused(&peeking));
}
