//! A line of a kernel replaced when its module is loaded: a mistake made on purpose, for tests that must notice it.

use std::borrow::Cow;
use std::sync::OnceLock;

/// A line to replace.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Patch {
    kernel: String,
    /// Which of the kernel's lines of that text, from 0.
    which: usize,
    from: String,
    to: String,
}

impl Patch {
    /// From `KERNEL|WHICH|FROM|TO`.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('|').map(|part| part.trim().to_string());
        let (kernel, which) = (parts.next()?, parts.next()?.parse().ok()?);
        let (from, to) = (parts.next()?, parts.next()?);
        parts.next().is_none().then_some(Patch { kernel, which, from, to })
    }

    /// The text with the line replaced; `None` if it is not there.
    fn apply(&self, source: &str) -> Option<String> {
        let (mut inside, mut met, mut done) = (false, 0, false);
        let line = |line: &str| {
            let text = line.trim();
            if let Some((_, rest)) = text.split_once(".entry ") {
                inside = rest.split('(').next().is_some_and(|name| name.trim() == self.kernel);
            }
            if inside && squeezed(text) == squeezed(&self.from) {
                met += 1;
                if met - 1 == self.which {
                    done = true;
                    return self.to.clone();
                }
            }
            line.to_string()
        };
        let lines: Vec<String> = source.lines().map(line).collect();
        done.then(|| lines.join("\n"))
    }
}

/// The words of a line, whatever is between them.
fn squeezed(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// PTX as it is to be loaded: with the line that `CUDA_EMULATOR_PATCH` names replaced, if it has it.
pub fn patched(source: &str) -> Cow<'_, str> {
    static PATCH: OnceLock<Option<Patch>> = OnceLock::new();
    let patch = PATCH.get_or_init(|| {
        let text = std::env::var("CUDA_EMULATOR_PATCH").ok()?;
        let patch = Patch::read(&text);
        if patch.is_none() {
            eprintln!("cuda-emulator: CUDA_EMULATOR_PATCH is not KERNEL|WHICH|FROM|TO: {text}");
        }
        patch
    });
    let Some(patch) = patch else { return Cow::Borrowed(source) };
    let Some(text) = patch.apply(source) else { return Cow::Borrowed(source) };
    eprintln!("cuda-emulator: patched {}: {} -> {}", patch.kernel, patch.from, patch.to);
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = ".visible .entry a(\n)\n{\n\tadd.s32 \t%r1, %r1, 1;\n\tret;\n}\n.visible .entry ab(\n)\n{\n\tadd.s32 %r1, %r1, 1;\n\tadd.s32 %r1, %r1, 1;\n\tret;\n}";

    #[test]
    fn the_line_of_that_kernel_is_replaced() {
        let at = |kernel: &str, which: usize| {
            let text = format!("{kernel}|{which}|add.s32 %r1, %r1, 1;|sub.s32 %r1, %r1, 1;");
            let patched = Patch::read(&text).unwrap().apply(SOURCE)?;
            patched.lines().position(|l| l.starts_with("sub")).filter(|_| patched.matches("sub").count() == 1)
        };
        assert_eq!((at("a", 0), at("ab", 0), at("ab", 1)), (Some(3), Some(9), Some(10)));
        assert_eq!((at("a", 1), at("b", 0), at("ab", 2)), (None, None, None));
    }

    #[test]
    fn a_patch_has_four_parts() {
        assert!(Patch::read("a|0|ret;|").is_some_and(|p| p.to.is_empty()));
        assert_eq!(Patch::read("a|0|ret;"), None);
        assert_eq!(Patch::read("a|x|ret;|exit;"), None);
        assert_eq!(Patch::read("a|0|ret;|exit;|more"), None);
    }
}
