//! What the emulator does not know, or PTX does not allow, refuses the module with its line.

use super::harness::{HEAD, program};

fn refusal(body: &str) -> String {
    let source = format!(
        "{HEAD}.visible .entry k(.param .u64 p)\n{{\n.reg .pred %p<3>; .reg .b16 %h<3>; .reg .b32 %r<3>; .reg .b64 %x<3>;\n{body}\nret;\n}}"
    );
    match program(&source, false) {
        Ok(_) => panic!("accepted: {body}"),
        Err(refusal) => {
            assert_eq!(refusal.line, 7, "{body}: {refusal}");
            refusal.message
        }
    }
}

#[test]
fn unknown_things() {
    for body in [
        "frobnicate.u32 %r1, %r2;",
        "add.rn.u32 %r1, %r2, %r2;",
        "add.u33 %r1, %r2, %r2;",
        "call.uni foo;",
        "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%r1}, {%r1}, {%r1}, {%r1};",
        "fma.f32 %r1, %r1, %r1, %r1;",
        "div.f32 %r1, %r1, %r1;",
        "ld.global.v3.u32 {%r1, %r1, %r1}, [%x1];",
        "shfl.bfly.b32 %r1, %r1, 1, 31;",
        "cvt.f32.u32 %r1, %r1;",
        "cvt.rn.u32.f32 %r1, %r1;",
        "atom.global.add.s64 %x1, [%x1], 1;",
    ] {
        assert!(refusal(body).contains("unknown"), "{body}: {}", refusal(body));
    }
}

#[test]
fn wrong_operands() {
    for (body, hint) in [
        ("add.u32 %r1, %r2;", "sources"),
        ("add.u32 %r1, %r2, %x1;", "bits"),
        ("add.u32 %x1, %r2, %r2;", "bits"),
        ("add.u32 %r1, %r2, %r9;", "unknown"),
        ("add.u32 %r1, %r2, 0x1ffffffff;", "fit"),
        ("add.f32 %r1, %r2, 1;", "integer"),
        ("@%r1 add.u32 %r1, %r1, %r1;", "not a predicate"),
        ("bra NOWHERE;", "unknown label"),
        ("ld.global.u32 %r1, [%r2];", "address"),
        ("st.const.u32 [%x1], %r1;", "Const"),
        ("ld.global.u64 %r1, [%x1];", "bits"),
        ("bar.sync 16;", "barriers"),
        ("mov.u64 %x1, %tid.x;", "32 bits"),
    ] {
        let message = refusal(body);
        assert!(message.contains(hint), "{body}: {message}");
    }
}

#[test]
fn wrong_modules() {
    for (source, hint) in [
        ("", ".version"),
        (".version 8.0\n.target compute_75\n", "target"),
        (".version 8.0\n.target sm_80\n.address_size 32\n", "address_size"),
        (".version 8.0\n.target sm_80\n.func f() { ret; } .func f() { ret; }", "second function"),
        (".version 8.0\n.target sm_80\n.entry k() { .reg .b32 %r1; .reg .b32 %r1; }", "twice"),
        (".version 8.0\n.target sm_80\n.entry k() { L: L: }", "twice"),
        (".version 8.0\n.target sm_80\n.entry k() { ret;", "closed"),
        (".version 8.0\n.target sm_80\n.entry k(.param .align 3 .b8 p[3]) { ret; }", "power"),
        (".version 8.0\n.target sm_80\n.entry k(.param .b8 p[5000]) { ret; }", "4096"),
    ] {
        let module = cuda_emulator::ptx::parse(source);
        let refused = match module {
            Err(refusal) => refusal.message,
            Ok(_) => program(source, false).err().map_or_else(|| panic!("accepted: {source}"), |r| r.message),
        };
        assert!(refused.contains(hint), "{source}: {refused}");
    }
}
