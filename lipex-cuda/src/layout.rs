//! Structs and numbers that the host and the kernels share: declared once, here and in the files of the stages, and asserted
//! on both sides.
//!
//! [`mirrored!`] makes a struct and the list of where its fields lie. Of these lists, and of the `NUMBERS` of each file, a test makes
//! `kernels/layout.cuh`, and fails where the committed one is another; the kernels include it, so that they do not compile
//! where a field lies elsewhere.

/// Where the fields of a struct lie that a kernel reads or writes.
#[cfg_attr(not(test), expect(dead_code, reason = "read by the test that makes layout.cuh"))]
pub(crate) struct Layout {
    /// The file of kernels.
    pub file: &'static str,
    /// The kernels' name for the struct; its fields have the same names on both sides.
    pub name: &'static str,
    /// Bytes of the whole struct.
    pub size: usize,
    /// Names and offsets in bytes, in order.
    pub fields: &'static [(&'static str, usize)],
}

/// A `repr(C)` struct with the name that it has in a file of kernels.
macro_rules! mirrored {
    ($(#[$doc:meta])* $file:literal $theirs:literal
     $visible:vis struct $name:ident { $($(#[$about:meta])* $seen:vis $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[repr(C)]
        #[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
        $visible struct $name { $($(#[$about])* $seen $field: $type,)* }

        impl $name {
            /// How it lies.
            #[cfg_attr(not(test), expect(dead_code, reason = "read by the test that makes layout.cuh"))]
            pub(crate) const LAYOUT: $crate::layout::Layout = $crate::layout::Layout {
                file: $file,
                name: $theirs,
                size: size_of::<$name>(),
                fields: &[$((stringify!($field), std::mem::offset_of!($name, $field))),*],
            };
        }
    };
}
pub(crate) use mirrored;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{demo, evaluate, fit, lambda, least_squares, perturb, render, ridge, sandwich, select, weigh};

    /// A number that both sides use: the file of kernels, the expression there, its value here.
    type Number = (&'static str, &'static str, usize);

    fn layouts() -> Vec<Layout> {
        vec![
            demo::Net::LAYOUT,
            evaluate::Job::LAYOUT,
            fit::Search::LAYOUT,
            fit::Job::LAYOUT,
            lambda::HeldOut::LAYOUT,
            perturb::Drawing::LAYOUT,
            ridge::SystemJob::LAYOUT,
            ridge::RidgeJob::LAYOUT,
            sandwich::Job::LAYOUT,
            least_squares::Regression::LAYOUT,
            weigh::Weighing::LAYOUT,
        ]
    }

    fn numbers() -> Vec<Number> {
        [
            demo::NUMBERS,
            evaluate::NUMBERS,
            fit::NUMBERS,
            perturb::NUMBERS,
            render::NUMBERS,
            sandwich::NUMBERS,
            select::NUMBERS,
        ]
        .concat()
    }

    /// What `kernels/layout.cuh` has to be.
    fn header() -> String {
        let mut text = String::from(
            "// Where the fields of the structs lie that host and kernels share, and the numbers that both use. Made by the test of\n\
             // lipex-cuda/src/layout.rs: `LIPEX_WRITE_LAYOUT=1 cargo test -p lipex-cuda layout`. A file includes it at its end.\n\
             #define AT(type, field, offset) \\\n    \
             static_assert(__INTADDR__(&((type*)0)->field) == offset, #type \".\" #field \" lies elsewhere in lipex-cuda\")\n\
             #define SAME(number, value) static_assert((u64)(number) == value, #number \" is another number in lipex-cuda\")\n",
        );
        let (layouts, numbers) = (layouts(), numbers());
        let mut files: Vec<&str> = layouts.iter().map(|l| l.file).chain(numbers.iter().map(|n| n.0)).collect();
        files.sort_unstable();
        files.dedup();
        for file in files {
            text += &format!("\n#ifdef LAYOUT_{}\n", file.to_uppercase());
            for layout in layouts.iter().filter(|l| l.file == file) {
                text += &format!("SAME(sizeof({}), {});\n", layout.name, layout.size);
                for (field, offset) in layout.fields {
                    text += &format!("AT({}, {field}, {offset});\n", layout.name);
                }
            }
            for (_, name, value) in numbers.iter().filter(|n| n.0 == file) {
                text += &format!("SAME({name}, {value});\n");
            }
            text += "#endif\n";
        }
        text
    }

    #[test]
    fn the_kernels_are_compiled_with_these_structs_and_numbers() {
        let kernels = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../kernels");
        let (path, expected) = (kernels.join("layout.cuh"), header());
        if std::env::var("LIPEX_WRITE_LAYOUT").is_ok() {
            std::fs::write(&path, &expected).unwrap();
        }
        assert!(
            std::fs::read_to_string(&path).unwrap() == expected,
            "kernels/layout.cuh is not made of the structs of lipex-cuda: write it with \
             `LIPEX_WRITE_LAYOUT=1 cargo test -p lipex-cuda layout`, then compile the kernels"
        );
        for layout in layouts() {
            let source = std::fs::read_to_string(kernels.join(format!("{}.cu", layout.file))).unwrap();
            let included = format!("#define LAYOUT_{}\n#include \"layout.cuh\"\n", layout.file.to_uppercase());
            assert!(source.ends_with(&included), "{}.cu does not end with layout.cuh", layout.file);
            // The struct of that name has these fields and no others, in this order.
            let start = source.find(&format!("struct {} {{", layout.name)).unwrap();
            let body = &source[start..start + source[start..].find("};").unwrap()];
            assert_eq!(fields(body), layout.fields.iter().map(|f| f.0).collect::<Vec<_>>(), "{}", layout.name);
        }
    }

    /// The names of the fields of a struct's source.
    fn fields(body: &str) -> Vec<&str> {
        let lines = body.lines().skip(1).map(|line| line.split("//").next().unwrap_or("").trim());
        let declared = lines.filter_map(|line| line.strip_suffix(';'));
        let names =
            declared.flat_map(|line| line.split(',').map(|name| name.trim().rsplit([' ', '*']).next().unwrap_or("")));
        names.map(|name| name.split('[').next().unwrap_or(name)).collect()
    }
}
