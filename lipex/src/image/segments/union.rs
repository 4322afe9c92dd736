//! Sets of pixels that grow together.

/// Each pixel's way to the first pixel of its set, and the sets' sizes.
pub(super) struct Union {
    /// The parent of each; a root is its own.
    up: Vec<u32>,
    /// Members, of roots.
    size: Vec<u32>,
}

impl Union {
    /// Every pixel alone.
    pub fn new(pixels: usize) -> Self {
        Union { up: (0..pixels as u32).collect(), size: vec![1; pixels] }
    }

    /// The first pixel of a pixel's set.
    pub fn root(&mut self, mut pixel: u32) -> u32 {
        while self.up[pixel as usize] != pixel {
            let above = self.up[self.up[pixel as usize] as usize];
            self.up[pixel as usize] = above;
            pixel = above;
        }
        pixel
    }

    /// Pixels of the set that begins with `root`.
    pub fn size(&self, root: u32) -> usize {
        self.size[root as usize] as usize
    }

    /// One set of two, given by their first pixels; gives its own.
    pub fn join(&mut self, a: u32, b: u32) -> u32 {
        let (first, other) = (a.min(b), a.max(b));
        self.up[other as usize] = first;
        self.size[first as usize] += self.size[other as usize];
        first
    }

    /// The sets numbered in order of appearance.
    pub fn numbered(mut self) -> Vec<u32> {
        let mut number = vec![u32::MAX; self.up.len()];
        let mut next = 0;
        (0..self.up.len() as u32)
            .map(|pixel| {
                let root = self.root(pixel);
                let slot = &mut number[root as usize];
                if *slot == u32::MAX {
                    *slot = next;
                    next += 1;
                }
                *slot
            })
            .collect()
    }
}
