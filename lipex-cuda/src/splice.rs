//! Putting a divergence's program into PTX: each marked line becomes the program, in a scope of its own.
//!
//! # How
//! Kernels mark a line where φ and ∂φ/∂ln q are wanted and name the registers that hold p, q, ln q and √q. The program's steps
//! are printed there as PTX in a scope with registers of its own, in f32 or f64. exp and ln are polynomials of fma steps, so
//! results are the same on every device.
//!
//! # Numerics
//! f32: Cephes' polynomials, within 2 and 3 ULP; f64: Taylor and artanh series, within 3 and 2 ULP; as on the CPU.

use lipex_core::{Input, Program, Step};
use lipex_kernels::{DIVERGENCE, DOUBLE_DIVERGENCE, EXACT_DIVERGENCE};
use std::fmt::Write;

/// `ptx` with `fit` in the places of the fit's divergence and `exact` in those of the divergence itself.
///
/// # Shapes
/// The text grows by some hundred lines a place; registers of the program are declared within its own braces, so that no name
/// can clash.
pub fn spliced(ptx: &str, fit: &Program, exact: &Program) -> String {
    let mut out = String::with_capacity(ptx.len() + 4096);
    for line in ptx.lines() {
        let mut words = line.trim_start().trim_start_matches("//").split_whitespace();
        match words.next() {
            Some(DIVERGENCE) => out += &scope(fit, &registers(words), SINGLE),
            Some(DOUBLE_DIVERGENCE) => out += &scope(fit, &registers(words), DOUBLE),
            Some(EXACT_DIVERGENCE) => out += &scope(exact, &registers(words), DOUBLE),
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

/// The numbers that a program is printed in.
#[derive(Clone, Copy)]
struct Numbers {
    /// 32 or 64.
    bits: usize,
}

/// f32.
const SINGLE: Numbers = Numbers { bits: 32 };
/// f64.
const DOUBLE: Numbers = Numbers { bits: 64 };

impl Numbers {
    /// A number as PTX writes it, to the bit.
    fn literal(self, x: f64) -> String {
        if self.bits == 32 { format!("0f{:08X}", (x as f32).to_bits()) } else { format!("0d{:016X}", x.to_bits()) }
    }
}

/// The lines of a program between braces, its results moved to the marked line's registers.
fn scope(program: &Program, registers: &[(&str, &str)], numbers: Numbers) -> String {
    let mut printer = Printer { numbers, lines: String::new(), floats: 0, words: 0, predicates: 0 };
    // A place without a width is one of a divergence that is not smoothed.
    let none = numbers.literal(0.0);
    let find = |name: &str| registers.iter().find(|(n, _)| *n == name).map_or(none.as_str(), |(_, register)| register);
    let output = |name: &str| match name {
        "value" => Some(program.value()),
        "slope" => Some(program.slope()),
        "second" => program.second(),
        _ => None,
    };
    let wanted: Vec<(&str, usize)> =
        registers.iter().filter_map(|&(name, register)| output(name).map(|result| (register, result))).collect();
    let needed = needed(program, &wanted);
    let mut results: Vec<String> = Vec::with_capacity(program.steps().len());
    for (step, needed) in program.steps().iter().zip(needed) {
        let result = if needed { printer.step(step, &results, &find) } else { String::new() };
        results.push(result);
    }
    let mut out = String::from("\t{\n");
    let bits = numbers.bits;
    let kinds = [(format!("f{bits}"), "t", printer.floats), (format!("b{bits}"), "u", printer.words)];
    for (kind, prefix, count) in kinds.into_iter().chain([("pred".into(), "q", printer.predicates)]) {
        if count > 0 {
            let _ = writeln!(out, "\t.reg .{kind} %{prefix}<{count}>;");
        }
    }
    out += &printer.lines;
    for (register, result) in wanted {
        let _ = writeln!(out, "\tmov.f{bits} {register}, {};", results[result]);
    }
    out += "\t}\n";
    out
}

/// Which steps the wanted results need.
fn needed(program: &Program, wanted: &[(&str, usize)]) -> Vec<bool> {
    let mut needed = vec![false; program.steps().len()];
    wanted.iter().for_each(|&(_, result)| needed[result] = true);
    for (i, step) in program.steps().iter().enumerate().rev() {
        if needed[i] {
            step.operands().for_each(|o| needed[o] = true);
        }
    }
    needed
}

/// Writes instructions into registers of its own. An instruction's `f` and `b` stand for the numbers and their bits.
struct Printer {
    /// What it is printed in.
    numbers: Numbers,
    /// The lines so far.
    lines: String,
    /// Registers of numbers used.
    floats: usize,
    /// Registers of integers used.
    words: usize,
    /// Registers of conditions used.
    predicates: usize,
}

impl Printer {
    /// `%t… = instruction operands`, of numbers.
    fn float(&mut self, instruction: &str, operands: &[&str]) -> String {
        self.floats += 1;
        self.write(instruction, format!("%t{}", self.floats - 1), operands)
    }

    /// The same of bits.
    fn word(&mut self, instruction: &str, operands: &[&str]) -> String {
        self.words += 1;
        self.write(instruction, format!("%u{}", self.words - 1), operands)
    }

    /// A condition in a fresh register.
    fn predicate(&mut self, instruction: &str, operands: &[&str]) -> String {
        self.predicates += 1;
        self.write(instruction, format!("%q{}", self.predicates - 1), operands)
    }

    /// A line; gives the register of its result.
    fn write(&mut self, instruction: &str, result: String, operands: &[&str]) -> String {
        let _ = writeln!(self.lines, "\t{instruction}{} {result}, {};", self.numbers.bits, operands.join(", "));
        result
    }

    /// A constant, to the bit.
    fn literal(&self, x: f64) -> String {
        self.numbers.literal(x)
    }

    /// One step of a program; gives the register that holds it.
    fn step<'a>(&mut self, step: &Step, results: &[String], register: &dyn Fn(&str) -> &'a str) -> String {
        let at = |i: usize| results[i].as_str();
        let zero = self.literal(0.0);
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
                self.float("mov.f", &[register(name)])
            }
            Step::Constant(single, double) => {
                let number =
                    if self.numbers.bits == 32 { f32::from_bits(single).into() } else { f64::from_bits(double) };
                let literal = self.literal(number);
                self.float("mov.f", &[&literal])
            }
            Step::Add(a, b) => self.float("add.rn.f", &[at(a), at(b)]),
            Step::Subtract(a, b) => self.float("sub.rn.f", &[at(a), at(b)]),
            Step::Multiply(a, b) => self.float("mul.rn.f", &[at(a), at(b)]),
            Step::Divide(a, b) => self.float("div.rn.f", &[at(a), at(b)]),
            Step::Negate(a) => self.float("neg.f", &[at(a)]),
            Step::Absolute(a) => self.float("abs.f", &[at(a)]),
            Step::SquareRoot(a) => self.float("sqrt.rn.f", &[at(a)]),
            Step::Exponential(a) => self.exponential(at(a)),
            Step::Logarithm(a) => self.logarithm(at(a)),
            Step::Minimum(a, b) => self.choose("setp.lt.f", [at(a), at(b)], [at(a), at(b)]),
            Step::Maximum(a, b) => self.choose("setp.gt.f", [at(a), at(b)], [at(a), at(b)]),
            Step::Select(a, b, c) => self.choose("setp.gt.f", [at(a), &zero], [at(b), at(c)]),
        }
    }

    /// One of two by a comparison of two others.
    fn choose(&mut self, compare: &str, compared: [&str; 2], chosen: [&str; 2]) -> String {
        let condition = self.predicate(compare, &compared);
        self.float("selp.f", &[chosen[0], chosen[1], &condition])
    }

    /// Horner's rule, from the highest power on.
    fn polynomial(&mut self, x: &str, coefficients: &[f64]) -> String {
        let mut sum = self.literal(coefficients[0]);
        for &c in &coefficients[1..] {
            let c = self.literal(c);
            sum = self.float("fma.rn.f", &[&sum, x, &c]);
        }
        sum
    }

    /// max(x, least) and min(that, most), as `Lane` has them.
    fn clamped(&mut self, x: &str, least: &str, most: &str) -> String {
        let x = self.choose("setp.gt.f", [x, least], [x, least]);
        self.choose("setp.lt.f", [&x, most], [&x, most])
    }

    /// The steps of `exp_of` in kernels/prelude.cuh, which in f32 are those of `Lane::exp`.
    fn exponential(&mut self, x: &str) -> String {
        let f = |x: f64| self.numbers.literal(x);
        let (bounds, round, ln_2, first) = if self.numbers.bits == 32 {
            ([f(-87.0), f(88.0)], f(12_582_912.0), [f(-0.693_359_375), f(f64::from(2.121_944_4e-4f32))], 0x3f80_0000i64)
        } else {
            let ln_2 = [f(-0.693_147_180_369_123_8), f(-1.908_214_929_270_587_7e-10)];
            ([f(-700.0), f(700.0)], f(6_755_399_441_055_744.0), ln_2, 0x3ff0_0000_0000_0000)
        };
        let (log2_e, one, shift) =
            (f(std::f64::consts::LOG2_E), f(1.0), if self.numbers.bits == 32 { "23" } else { "52" });
        let x = self.clamped(x, &bounds[0], &bounds[1]);
        let shifted = self.float("fma.rn.f", &[&x, &log2_e, &round]);
        let n = self.float("sub.rn.f", &[&shifted, &round]);
        let r = self.float("fma.rn.f", &[&n, &ln_2[0], &x]);
        let r = self.float("fma.rn.f", &[&n, &ln_2[1], &r]);
        let p = if self.numbers.bits == 32 {
            self.polynomial(&r, &EXP_SINGLE.map(f64::from))
        } else {
            self.polynomial(&r, &exp_double())
        };
        let square = self.float("mul.rn.f", &[&r, &r]);
        let more = self.float("add.rn.f", &[&r, &one]);
        let e = self.float("fma.rn.f", &[&p, &square, &more]);
        let bits = self.word("mov.b", &[&shifted]);
        let bits = self.word("shl.b", &[&bits, shift]);
        let bits = self.word("add.s", &[&bits, &first.to_string()]);
        let scale = self.float("mov.b", &[&bits]);
        self.float("mul.rn.f", &[&e, &scale])
    }

    /// The steps of `ln_of` in kernels/prelude.cuh, which in f32 are those of `Lane::ln`.
    fn logarithm(&mut self, x: &str) -> String {
        let single = self.numbers.bits == 32;
        let least = self.literal(if single { f64::from(f32::MIN_POSITIVE) } else { f64::MIN_POSITIVE });
        let (half, shift) = if single { (0x3f35_04f3i64, "23") } else { (0x3fe6_a09e_667f_3bcd, "52") };
        let x = self.choose("setp.gt.f", [x, &least], [x, &least]);
        let bits = self.word("mov.b", &[&x]);
        let above = self.word("sub.s", &[&bits, &half.to_string()]);
        let exponent = self.word("shr.s", &[&above, shift]);
        let shifted = self.word("shl.b", &[&exponent, shift]);
        let mantissa = self.word("sub.s", &[&bits, &shifted]);
        let mantissa = self.float("mov.b", &[&mantissa]);
        let e = self.float(if single { "cvt.rn.f32.s" } else { "cvt.rn.f64.s" }, &[&exponent]);
        if single { self.logarithm_single(&mantissa, &e) } else { self.logarithm_double(&mantissa, &e) }
    }

    /// ln by Cephes' polynomial of the mantissa.
    fn logarithm_single(&mut self, mantissa: &str, e: &str) -> String {
        let f = |x: f32| self.numbers.literal(f64::from(x));
        let (one, half, low, high) = (f(1.0), f(-0.5), f(-2.121_944_4e-4), f(0.693_359_4));
        let m = self.float("sub.rn.f", &[mantissa, &one]);
        let p = self.polynomial(&m, &LN_SINGLE.map(f64::from));
        let z = self.float("mul.rn.f", &[&m, &m]);
        let y = self.float("mul.rn.f", &[&p, &m]);
        let y = self.float("mul.rn.f", &[&y, &z]);
        let y = self.float("fma.rn.f", &[e, &low, &y]);
        let y = self.float("fma.rn.f", &[&z, &half, &y]);
        let y = self.float("add.rn.f", &[&m, &y]);
        self.float("fma.rn.f", &[e, &high, &y])
    }

    /// ln by the series of 2 artanh((m − 1)/(m + 1)).
    fn logarithm_double(&mut self, mantissa: &str, e: &str) -> String {
        let f = |x: f64| self.numbers.literal(x);
        let (one, low, high) = (f(1.0), f(1.908_214_929_270_587_7e-10), f(0.693_147_180_369_123_8));
        let minus = self.float("sub.rn.f", &[mantissa, &one]);
        let plus = self.float("add.rn.f", &[mantissa, &one]);
        let s = self.float("div.rn.f", &[&minus, &plus]);
        let z = self.float("mul.rn.f", &[&s, &s]);
        // 1/23, 1/21, …, 1/3.
        let coefficients: Vec<f64> = (1..=11).rev().map(|k| 1.0 / f64::from(2 * k + 1)).collect();
        let p = self.polynomial(&z, &coefficients);
        let cube = self.float("mul.rn.f", &[&z, &s]);
        let y = self.float("fma.rn.f", &[&p, &cube, &s]);
        let y = self.float("add.rn.f", &[&y, &y]);
        let y = self.float("fma.rn.f", &[e, &low, &y]);
        self.float("fma.rn.f", &[e, &high, &y])
    }
}

/// The coefficients of `Lane::exp`.
const EXP_SINGLE: [f32; 6] = [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];

/// The coefficients of `Lane::ln`.
const LN_SINGLE: [f32; 9] = [
    7.037_683_6e-2,
    -1.151_461e-1,
    1.167_699_9e-1,
    -1.242_014_1e-1,
    1.424_932_3e-1,
    -1.666_805_8e-1,
    2.000_071_5e-1,
    -2.499_999_4e-1,
    3.333_333e-1,
];

/// 1/13!, 1/12!, …, 1/2!.
fn exp_double() -> Vec<f64> {
    let factorials: Vec<f64> = (1..=13)
        .scan(1.0, |product, k| {
            *product *= f64::from(k);
            Some(*product)
        })
        .collect();
    factorials[1..].iter().rev().map(|f| 1.0 / f).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lipex_core::{ErasedDivergence, Hellinger, JensenShannon, TotalVariation, by_name};

    const PLACES: &str = "\tadd.f32 %f9, %f1, %f2;\n\t// begin inline asm\n\t// LIPEX_DIVERGENCE value=%f5 slope=%f6 \
                          p=%f1 ln_q=%f2 q=%f3 sqrt_q=%f4 width=%f7\n\t// end inline asm\n\t// LIPEX_DIVERGENCE_EXACT \
                          value=%fd5 slope=%fd6 p=%fd1 ln_q=%fd2 q=%fd3 sqrt_q=%fd4\n\tret;\n";

    #[test]
    fn each_place_gets_its_own_program() {
        let out = spliced(PLACES, &TotalVariation.record(true), &TotalVariation.record(false));
        assert!(!out.contains("LIPEX_"), "{out}");
        assert!(out.starts_with("\tadd.f32 %f9, %f1, %f2;\n") && out.ends_with("\tret;\n"));
        let scopes: Vec<&str> = out.split("\t{\n").skip(1).collect();
        assert_eq!(scopes.len(), 2);
        assert!(scopes[0].contains("%f7") && scopes[0].contains("sqrt.rn.f32"));
        assert!(scopes[1].contains("abs.f64") && !scopes[1].contains(".f32"));
        assert!(scopes[0].contains("mov.f32 %f5, ") && scopes[0].contains("mov.f32 %f6, "));
        assert!(scopes[1].contains("mov.f64 %fd5, ") && scopes[1].contains("mov.f64 %fd6, "));
    }

    #[test]
    fn constants_have_the_digits_of_the_place() {
        let out = spliced(PLACES, &JensenShannon.record(false), &JensenShannon.record(false));
        let (single, double) = (std::f32::consts::LN_2, std::f64::consts::LN_2);
        assert!(out.contains(&format!("0f{:08X}", single.to_bits())), "{out}");
        assert!(out.contains(&format!("0d{:016X}", double.to_bits())), "{out}");
        assert!(!out.contains(&format!("0d{:016X}", f64::from(single).to_bits())), "{out}");
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
        for (file, least) in [(lipex_kernels::FIT, 3), (lipex_kernels::LAMBDA, 1)] {
            let places = file.ptx.lines().filter(|l| l.contains(DIVERGENCE)).count();
            assert!(places >= least);
            let out = spliced(file.ptx, &Hellinger.record(false), &Hellinger.record(false));
            assert!(!out.contains(DIVERGENCE));
            assert_eq!(out.matches("\t{\n").count() - file.ptx.matches("\t{\n").count(), places);
        }
    }

    #[test]
    fn only_what_a_place_wants_is_printed() {
        let kl = by_name("kl").unwrap().record(false);
        let place =
            |outputs: &str| format!("\t// LIPEX_DIVERGENCE_EXACT {outputs} p=%fd1 ln_q=%fd2 q=%fd3 sqrt_q=%fd4\n");
        let value = spliced(&place("value=%fd5"), &kl, &kl);
        let slope = spliced(&place("slope=%fd6"), &kl, &kl);
        let both = spliced(&place("value=%fd5 slope=%fd6"), &kl, &kl);
        assert!(value.contains("mov.f64 %fd5, ") && !value.contains("%fd6"), "{value}");
        // φ' of KL is −p: no logarithm of p.
        assert!(slope.contains("mov.f64 %fd6, ") && slope.lines().count() < both.lines().count() - 20, "{slope}");
        assert!(both.lines().count() > value.lines().count() && both.contains("%fd5, ") && both.contains("%fd6, "));
    }
}
