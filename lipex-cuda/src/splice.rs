//! Putting a divergence's program into PTX: each marked line becomes the program, in a scope of its own.

use lipex_core::{Input, Program, Step};
use lipex_kernels::{DIVERGENCE, EXACT_DIVERGENCE};
use std::fmt::Write;

/// `ptx` with `fit` in the places of the fit's divergence and `exact` in those of the divergence itself.
pub fn spliced(ptx: &str, fit: &Program, exact: &Program) -> String {
    let mut out = String::with_capacity(ptx.len() + 4096);
    for line in ptx.lines() {
        let mut words = line.trim_start().trim_start_matches("//").split_whitespace();
        match words.next() {
            Some(word) if word == DIVERGENCE => out += &scope(fit, &registers(words)),
            Some(word) if word == EXACT_DIVERGENCE => out += &scope(exact, &registers(words)),
            _ => {
                out += line;
                out.push('\n');
            }
        }
    }
    out
}

/// The registers of a marked line by name.
fn registers<'a>(words: impl Iterator<Item = &'a str>) -> Vec<(&'a str, &'a str)> {
    words.filter_map(|word| word.trim_end_matches(';').split_once('=')).collect()
}

fn scope(program: &Program, registers: &[(&str, &str)]) -> String {
    // A place without a width is one of a divergence that is not smoothed.
    let find = |name: &str| registers.iter().find(|(n, _)| *n == name).map_or("0f00000000", |(_, register)| register);
    let mut printer = Printer::default();
    let mut results: Vec<String> = Vec::with_capacity(program.steps().len());
    for step in program.steps() {
        let result = printer.step(step, &results, &find);
        results.push(result);
    }
    let mut out = String::from("\t{\n");
    for (kind, prefix, count) in
        [("f32", "t", printer.floats), ("b32", "u", printer.words), ("pred", "q", printer.predicates)]
    {
        if count > 0 {
            let _ = writeln!(out, "\t.reg .{kind} %{prefix}<{count}>;");
        }
    }
    out += &printer.lines;
    let _ = writeln!(out, "\tmov.f32 {}, {};", find("value"), results[program.value()]);
    let _ = writeln!(out, "\tmov.f32 {}, {};\n\t}}", find("slope"), results[program.slope()]);
    out
}

/// A number as PTX writes it, to the bit.
fn number(x: f32) -> String {
    format!("0f{:08X}", x.to_bits())
}

/// Writes instructions into registers of its own.
#[derive(Default)]
struct Printer {
    lines: String,
    floats: usize,
    words: usize,
    predicates: usize,
}

impl Printer {
    /// `%t… = instruction operands`.
    fn float(&mut self, instruction: &str, operands: &[&str]) -> String {
        self.floats += 1;
        self.write(instruction, format!("%t{}", self.floats - 1), operands)
    }

    fn word(&mut self, instruction: &str, operands: &[&str]) -> String {
        self.words += 1;
        self.write(instruction, format!("%u{}", self.words - 1), operands)
    }

    fn predicate(&mut self, instruction: &str, operands: &[&str]) -> String {
        self.predicates += 1;
        self.write(instruction, format!("%q{}", self.predicates - 1), operands)
    }

    fn write(&mut self, instruction: &str, result: String, operands: &[&str]) -> String {
        let _ = writeln!(self.lines, "\t{instruction} {result}, {};", operands.join(", "));
        result
    }

    fn step<'a>(&mut self, step: &Step, results: &[String], register: &dyn Fn(&str) -> &'a str) -> String {
        let at = |i: usize| results[i].as_str();
        match *step {
            Step::Input(input) => {
                let name = match input {
                    Input::P => "p",
                    Input::LnQ => "ln_q",
                    Input::Q => "q",
                    Input::SqrtQ => "sqrt_q",
                    Input::Width => "width",
                };
                // A copy, since the place may use an input's register for an output.
                self.float("mov.f32", &[register(name)])
            }
            Step::Constant(bits) => self.float("mov.f32", &[&number(f32::from_bits(bits))]),
            Step::Add(a, b) => self.float("add.rn.f32", &[at(a), at(b)]),
            Step::Subtract(a, b) => self.float("sub.rn.f32", &[at(a), at(b)]),
            Step::Multiply(a, b) => self.float("mul.rn.f32", &[at(a), at(b)]),
            Step::Divide(a, b) => self.float("div.rn.f32", &[at(a), at(b)]),
            Step::Negate(a) => self.float("neg.f32", &[at(a)]),
            Step::Absolute(a) => self.float("abs.f32", &[at(a)]),
            Step::SquareRoot(a) => self.float("sqrt.rn.f32", &[at(a)]),
            Step::Exponential(a) => self.exponential(at(a)),
            Step::Logarithm(a) => self.logarithm(at(a)),
            Step::Minimum(a, b) => self.choose("setp.lt.f32", [at(a), at(b)], [at(a), at(b)]),
            Step::Maximum(a, b) => self.choose("setp.gt.f32", [at(a), at(b)], [at(a), at(b)]),
            Step::Select(a, b, c) => self.choose("setp.gt.f32", [at(a), &number(0.0)], [at(b), at(c)]),
        }
    }

    fn choose(&mut self, compare: &str, compared: [&str; 2], chosen: [&str; 2]) -> String {
        let condition = self.predicate(compare, &compared);
        self.float("selp.f32", &[chosen[0], chosen[1], &condition])
    }

    fn polynomial(&mut self, x: &str, coefficients: &[f32]) -> String {
        let mut sum = number(coefficients[0]);
        for &c in &coefficients[1..] {
            sum = self.float("fma.rn.f32", &[&sum, x, &number(c)]);
        }
        sum
    }

    /// The steps of `Lane::exp`.
    fn exponential(&mut self, x: &str) -> String {
        let (least, most, round) = (number(-87.0), number(88.0), number(12_582_912.0));
        let x = self.choose("setp.gt.f32", [x, &least], [x, &least]);
        let x = self.choose("setp.lt.f32", [&x, &most], [&x, &most]);
        let shifted = self.float("fma.rn.f32", &[&x, &number(std::f32::consts::LOG2_E), &round]);
        let n = self.float("sub.rn.f32", &[&shifted, &round]);
        let r = self.float("fma.rn.f32", &[&n, &number(-0.693_359_4), &x]);
        let r = self.float("fma.rn.f32", &[&n, &number(2.121_944_4e-4), &r]);
        let p =
            self.polynomial(&r, &[1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5]);
        let square = self.float("mul.rn.f32", &[&r, &r]);
        let more = self.float("add.rn.f32", &[&r, &number(1.0)]);
        let e = self.float("fma.rn.f32", &[&p, &square, &more]);
        let bits = self.word("mov.b32", &[&shifted]);
        let bits = self.word("shl.b32", &[&bits, "23"]);
        let bits = self.word("add.s32", &[&bits, "1065353216"]);
        let scale = self.float("mov.b32", &[&bits]);
        self.float("mul.rn.f32", &[&e, &scale])
    }

    /// The steps of `Lane::ln`.
    fn logarithm(&mut self, x: &str) -> String {
        let least = number(f32::MIN_POSITIVE);
        let x = self.choose("setp.gt.f32", [x, &least], [x, &least]);
        let bits = self.word("mov.b32", &[&x]);
        let above = self.word("sub.s32", &[&bits, "1060439283"]);
        let exponent = self.word("shr.s32", &[&above, "23"]);
        let shift = self.word("shl.b32", &[&exponent, "23"]);
        let mantissa = self.word("sub.s32", &[&bits, &shift]);
        let mantissa = self.float("mov.b32", &[&mantissa]);
        let m = self.float("sub.rn.f32", &[&mantissa, &number(1.0)]);
        let e = self.float("cvt.rn.f32.s32", &[&exponent]);
        let p = self.polynomial(
            &m,
            &[
                7.037_683_6e-2,
                -1.151_461e-1,
                1.167_699_9e-1,
                -1.242_014_1e-1,
                1.424_932_3e-1,
                -1.666_805_8e-1,
                2.000_071_5e-1,
                -2.499_999_4e-1,
                3.333_333e-1,
            ],
        );
        let z = self.float("mul.rn.f32", &[&m, &m]);
        let y = self.float("mul.rn.f32", &[&p, &m]);
        let y = self.float("mul.rn.f32", &[&y, &z]);
        let y = self.float("fma.rn.f32", &[&e, &number(-2.121_944_4e-4), &y]);
        let y = self.float("fma.rn.f32", &[&z, &number(-0.5), &y]);
        let y = self.float("add.rn.f32", &[&m, &y]);
        self.float("fma.rn.f32", &[&e, &number(0.693_359_4), &y])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lipex_core::{ErasedDivergence, Hellinger, TotalVariation, by_name};

    const PLACES: &str = "\tadd.f32 %f9, %f1, %f2;\n\t// begin inline asm\n\t// LIPEX_DIVERGENCE value=%f5 slope=%f6 \
                          p=%f1 ln_q=%f2 q=%f3 sqrt_q=%f4 width=%f7\n\t// end inline asm\n\t// LIPEX_DIVERGENCE_EXACT \
                          value=%f5 slope=%f6 p=%f1 ln_q=%f2 q=%f3 sqrt_q=%f4\n\tret;\n";

    #[test]
    fn each_place_gets_its_own_program() {
        let out = spliced(PLACES, &TotalVariation.record(true), &TotalVariation.record(false));
        assert!(!out.contains("LIPEX_"), "{out}");
        assert!(out.starts_with("\tadd.f32 %f9, %f1, %f2;\n") && out.ends_with("\tret;\n"));
        let scopes: Vec<&str> = out.split("\t{\n").skip(1).collect();
        assert_eq!(scopes.len(), 2);
        assert!(scopes[0].contains("%f7") && scopes[0].contains("sqrt.rn.f32"));
        assert!(scopes[1].contains("abs.f32") && !scopes[1].contains("%f7"));
        assert!(scopes.iter().all(|s| s.contains("mov.f32 %f5, ") && s.contains("mov.f32 %f6, ")));
    }

    #[test]
    fn nothing_that_differs_between_devices_is_printed() {
        for name in ["hellinger", "kl", "reverse-kl", "js", "tv", "alpha:0.5", "alpha:-1"] {
            let divergence = by_name(name).unwrap();
            let out = spliced(PLACES, &divergence.record(true), &divergence.record(false));
            assert!(!out.contains(".approx") && !out.contains(".ftz"), "{name}: {out}");
        }
    }

    #[test]
    fn places_of_the_kernels_are_all_found() {
        let ptx = lipex_kernels::FIT.ptx;
        let places = ptx.lines().filter(|l| l.contains(DIVERGENCE)).count();
        assert!(places >= 3);
        let out = spliced(ptx, &Hellinger.record(false), &Hellinger.record(false));
        assert!(!out.contains(DIVERGENCE));
        assert_eq!(out.matches("\t{\n").count() - ptx.matches("\t{\n").count(), places);
    }
}
