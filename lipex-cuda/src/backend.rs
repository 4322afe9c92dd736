//! The backend itself: the device's memory.
//!
//! # Copies
//! An upload takes the host's array and waits until the device has it; a download waits for all work asked for before. Gathers
//! and placements stay on the device. Rows of probabilities are checked by a kernel that gives the first wrong row; that row
//! alone is read back to say what is wrong.
//!
//! # Places
//! A buffer of another device is refused by its number before its address is used: there it would lead nowhere, or somewhere.

use crate::buffer::DeviceBuffer;
use crate::device::Cuda;
use crate::launch::Shape;
use lipex_core::{Backend, Element, Error, Probabilities, Result, Watch, check_row, expect_len};
use lipex_kernels::BACKEND;

impl Backend for Cuda {
    type Buffer<T: Element> = DeviceBuffer<T>;

    fn name(&self) -> &'static str {
        "cuda"
    }

    fn watch(&self) -> &Watch {
        &self.watch
    }

    fn watched(self, watch: Watch) -> Self {
        Cuda { watch, ..self }
    }

    fn upload<T: Element>(&self, host: Vec<T>) -> Result<DeviceBuffer<T>> {
        self.send("upload", &host)
    }

    fn download<T: Element>(&self, buffer: &DeviceBuffer<T>) -> Result<Vec<T>> {
        self.receive("download", buffer)
    }

    fn zeros<T: Element>(&self, len: usize) -> Result<DeviceBuffer<T>> {
        self.zeroed("zeros", len)
    }

    fn len<T: Element>(&self, buffer: &DeviceBuffer<T>) -> usize {
        buffer.len()
    }

    fn gather<T: Element>(&self, rows: &DeviceBuffer<T>, width: usize, index: &[u32]) -> Result<DeviceBuffer<T>> {
        let count = rows.len().checked_div(width).unwrap_or(0);
        if let Some(&i) = index.iter().find(|&&i| i as usize >= count) {
            return Err(Error::shape("rows to gather from (more than the index)", i as usize + 1, count));
        }
        let out = self.room::<T>("gather", index.len() * width)?;
        let index = self.send("gather", index)?;
        let bytes = width * size_of::<T>();
        let (name, unit) = if bytes.is_multiple_of(4) { ("lipex_gather", 4) } else { ("lipex_gather_bytes", 1) };
        let units = out.len() * size_of::<T>() / unit;
        let shape = Shape { grid: (units.div_ceil(256), 1), threads: 256, shared: 0 };
        let arguments = [rows.into(), (&index).into(), (&out).into(), (bytes / unit).into(), units.into()];
        // SAFETY: lipex_gather(rows, index, out, width, count), or the same by bytes: `units` of `out` are written, each
        // from a row below `count`, as checked above; widths are in the kernel's units.
        unsafe { self.launch("gather", (&BACKEND, name, None), shape, &arguments) }?;
        Ok(out)
    }

    fn place<T: Element>(
        &self,
        part: &DeviceBuffer<T>,
        whole: &mut DeviceBuffer<T>,
        width: usize,
        at: usize,
    ) -> Result<()> {
        let end = at * width + part.len();
        if end > whole.len() {
            return Err(Error::shape("numbers in the array placed into (at least)", end, whole.len()));
        }
        self.copy_into(part, whole, at * width)
    }

    fn check(&self, probabilities: &Probabilities<Self>) -> Result<()> {
        let (rows, classes) = (probabilities.rows(), probabilities.classes());
        expect_len("probabilities", rows * classes, probabilities.values().len())?;
        let first = self.all_ones("check", 1)?;
        let shape = Shape { grid: (rows.div_ceil(256), 1), threads: 256, shared: 0 };
        let arguments = [probabilities.values().into(), (&first).into(), rows.into(), classes.into()];
        // SAFETY: lipex_check(p, first, rows, classes): p has rows · classes numbers, as checked above, first has one.
        unsafe { self.launch("check", (&BACKEND, "lipex_check", None), shape, &arguments) }?;
        let first = self.receive("check", &first)?[0];
        if first == u32::MAX {
            return Ok(());
        }
        let row = self.receive("check", &self.gather(probabilities.values(), classes, &[first])?)?;
        check_row(first as usize, &row)
    }
}
