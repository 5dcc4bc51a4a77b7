//! Completeness of a JPEG: whether its scans hold all blocks of the size in its header.
//!
//! Where the data end early and an end marker follows, a decoder fills the missing part with grey and
//! reports no error. Therefore the coded data of every scan are read code by code, as ITU-T T.81 defines
//! them (B.2 markers; F.2.2 sequential, G.2 progressive decoding with Huffman codes), and their blocks
//! are counted; no coefficient is computed.
//!
//! - Cost: 10 to 25 % of the decoder's time, on one thread; for a progressive file 8 bytes of memory per
//!   block of 64 samples.
//! - Limits: a height in the header that is too large by less than one row of coded units (8 or 16 px)
//!   is not detected, nor are damaged codes that decode to as many blocks. Arithmetic coding is not
//!   read: the decoder refuses it.

use super::jpeg::next_segment;

/// Maximum number of scans of a file, the decoder's own limit; it bounds the time.
const MAX_SCANS: usize = 100;
/// Missing bits of a coefficient of which no scan holds any.
const ALL_MISSING: u8 = u8::MAX;

/// Reads all coded data of a JPEG of this size (width, height; px, as stored).
///
/// # Errors
/// A scan that ends before its last block, missing scans, a missing end marker, codes that are in no
/// table; as a sentence.
pub fn check(bytes: &[u8], size: (usize, usize)) -> Result<(), String> {
    let mut tables = Tables::default();
    let mut frame: Option<JpegFrame> = None;
    let (mut restart, mut scans) = (0, 0);
    let mut at = 2; // after the start marker
    while let Some((marker, range)) = next_segment(bytes, at) {
        let Some(body) = bytes.get(range.clone()) else { break };
        at = range.end;
        match marker {
            0xC0..=0xC2 if frame.is_none() => {
                let read = JpegFrame::read(body, marker == 0xC2);
                frame = read.filter(|f| (f.width, f.height) == size);
                frame.as_ref().ok_or_else(malformed)?;
            }
            0xC0..=0xC2 => return Err(malformed()),
            0xC4 => tables.read(body).ok_or_else(malformed)?,
            0xDD => restart = usize::from(be16(body, 0).ok_or_else(malformed)?),
            0xDA => {
                scans += 1;
                if scans > MAX_SCANS {
                    return Err(format!("damaged JPEG (more than {MAX_SCANS} scans)"));
                }
                let frame = frame.as_mut().ok_or_else(malformed)?;
                let scan = Scan::read(body, frame).ok_or_else(malformed)?;
                let data = ScanData { bytes, start: at, tables: &tables, restart };
                at = scan.read_blocks(&data, frame).map_err(|stop| stop.message(frame, scans))?;
            }
            0xD9 if frame.as_ref().is_some_and(JpegFrame::is_complete) => return Ok(()),
            0xD9 => return Err("the picture data end early: some scans are missing".into()),
            _ => {}
        }
    }
    Err("the JPEG is cut short, its end is missing".into())
}

fn malformed() -> String {
    "damaged JPEG (its headers do not fit together)".into()
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(<[u8; 2]>::try_from(bytes.get(at..at + 2)?).ok()?))
}

/// The frame header, and the coefficients read so far.
struct JpegFrame {
    progressive: bool,
    width: usize,
    height: usize,
    /// Largest sampling factors, across and down.
    factors_max: [usize; 2],
    components: Vec<Component>,
}

/// One colour component of the picture.
struct Component {
    id: u8,
    /// Sampling factors, across and down.
    factors: [usize; 2],
    /// For each coefficient (zigzag order) the number of low bits that no scan held so far.
    missing_bits: [u8; 64],
    /// For each block the coefficients that are not zero, one bit each (progressive files only).
    nonzero: Vec<u64>,
}

impl JpegFrame {
    /// Reads the body of a frame header (T.81, B.2.2).
    fn read(body: &[u8], progressive: bool) -> Option<JpegFrame> {
        let height = usize::from(be16(body, 1)?);
        let width = usize::from(be16(body, 3)?);
        let count = usize::from(*body.get(5)?);
        let components: Vec<Component> = body
            .get(6..6 + 3 * count)?
            .chunks_exact(3)
            .map(|entry| Component {
                id: entry[0],
                factors: [entry[1] >> 4, entry[1] & 15].map(usize::from),
                missing_bits: [ALL_MISSING; 64],
                nonzero: Vec::new(),
            })
            .collect();
        let sane = components.iter().flat_map(|c| c.factors).all(|f| (1..=4).contains(&f));
        let factors_max =
            [0, 1].map(|i| components.iter().map(|c| c.factors[i]).max().unwrap_or(1));
        (sane && (1..=4).contains(&count)).then_some(JpegFrame {
            progressive,
            width,
            height,
            factors_max,
            components,
        })
    }

    /// Coded units of an interleaved scan, across and down.
    fn units(&self) -> [usize; 2] {
        let [across, down] = self.factors_max;
        [self.width.div_ceil(8 * across), self.height.div_ceil(8 * down)]
    }

    /// Blocks of a component in a scan of its own, across and down.
    fn blocks(&self, component: &Component) -> [usize; 2] {
        let blocks =
            |side: usize, i: usize| (side * component.factors[i]).div_ceil(8 * self.factors_max[i]);
        [blocks(self.width, 0), blocks(self.height, 1)]
    }

    /// Whether all bits of all coefficients were read.
    fn is_complete(&self) -> bool {
        self.components.iter().all(|component| component.missing_bits == [0; 64])
    }
}

/// Coding of the blocks of a scan.
#[derive(Clone, Copy, PartialEq)]
enum Coding {
    /// All coefficients.
    Sequential,
    /// DC coefficients, first bits.
    DcFirst,
    /// DC coefficients, one more bit.
    DcRefine,
    /// AC coefficients, first bits.
    AcFirst,
    /// AC coefficients, one more bit.
    AcRefine,
}

/// The header of a scan.
struct Scan {
    coding: Coding,
    /// Index of each component in the frame, and of its DC and AC tables.
    parts: Vec<[usize; 3]>,
    /// First and last coefficient, zigzag order.
    band: [usize; 2],
    /// Number of low bits that this scan does not hold.
    missing_bits: u8,
}

/// Coded data, and what is needed to read those of one scan.
struct ScanData<'a> {
    bytes: &'a [u8],
    /// Index of the first byte of the scan's data.
    start: usize,
    tables: &'a Tables,
    /// Coded units between restart markers; 0: no markers.
    restart: usize,
}

/// Layout of the coded units of a scan.
struct Units {
    /// Units across and down.
    columns: usize,
    rows: usize,
    /// Height of a unit, px.
    height_px: usize,
    /// Whether the scan has one component: its units are single blocks, and none lies outside the picture.
    single: bool,
}

impl Scan {
    /// Reads the body of a scan header (T.81, B.2.3).
    fn read(body: &[u8], frame: &JpegFrame) -> Option<Scan> {
        let count = usize::from(*body.first()?);
        let mut parts = Vec::with_capacity(count);
        for entry in body.get(1..1 + 2 * count)?.chunks_exact(2) {
            let component = frame.components.iter().position(|c| c.id == entry[0])?;
            parts.push([component, usize::from(entry[1] >> 4), usize::from(entry[1] & 15)]);
        }
        let [first, last, bits] = *body.get(1 + 2 * count..4 + 2 * count)? else { return None };
        let refined = bits >> 4 != 0;
        let coding = match (frame.progressive, first, refined) {
            (false, ..) => Coding::Sequential,
            (true, 0, false) => Coding::DcFirst,
            (true, 0, true) => Coding::DcRefine,
            (true, _, false) => Coding::AcFirst,
            (true, _, true) => Coding::AcRefine,
        };
        let (band, missing_bits) = match coding {
            Coding::Sequential => ([0, 63], 0),
            _ => ([first, last].map(usize::from), bits & 15),
        };
        let ac = matches!(coding, Coding::AcFirst | Coding::AcRefine);
        let sane = band[0] <= band[1]
            && band[1] < 64
            && parts.iter().all(|part| part[1] < 4 && part[2] < 4)
            && (if ac { parts.len() == 1 } else { !parts.is_empty() })
            && (!frame.progressive || ac || band == [0, 0]);
        sane.then_some(Scan { coding, parts, band, missing_bits })
    }

    fn units(&self, frame: &JpegFrame) -> Units {
        let first = &frame.components[self.parts[0][0]];
        let single = self.parts.len() == 1;
        let ([columns, rows], height_px) = if single {
            (frame.blocks(first), 8 * frame.factors_max[1] / first.factors[1])
        } else {
            (frame.units(), 8 * frame.factors_max[1])
        };
        Units { columns, rows, height_px, single }
    }

    /// Reads all blocks of the scan; returns the index behind its data.
    fn read_blocks(&self, data: &ScanData, frame: &mut JpegFrame) -> Result<usize, Stop> {
        let [across, down] = frame.units();
        let Units { columns, rows, height_px, single } = self.units(frame);
        if frame.progressive {
            for component in &mut frame.components {
                let blocks = across * down * component.factors.iter().product::<usize>();
                component.nonzero.resize(blocks, 0);
            }
        }
        let mut reader = Reader { scan: self, bits: Bits::new(data.bytes, data.start), eob_run: 0 };
        for unit in 0..columns * rows {
            let stop = |fault| Stop { fault, row: unit / columns * height_px };
            if data.restart > 0 && unit > 0 && unit % data.restart == 0 {
                reader.restart().map_err(stop)?;
            }
            for &[component, dc, ac] in &self.parts {
                let component = &mut frame.components[component];
                let tables = [&data.tables.dc[dc], &data.tables.ac[ac]];
                let [wide, high] = if single { [1, 1] } else { component.factors };
                let stride = across * component.factors[0];
                for i in 0..wide * high {
                    let x = unit % columns * wide + i % wide;
                    let y = unit / columns * high + i / wide;
                    let mut none = 0;
                    let nonzero = component.nonzero.get_mut(y * stride + x).unwrap_or(&mut none);
                    reader.block(tables, nonzero).map_err(stop)?;
                }
            }
        }
        for &[component, ..] in &self.parts {
            frame.components[component].missing_bits[self.band[0]..=self.band[1]]
                .fill(self.missing_bits);
        }
        Ok(reader.bits.at)
    }
}

/// Reason why a scan cannot be read to its end.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// The data end, or a marker follows, before the last block.
    End,
    /// A code that is in no table.
    Code,
}

/// Position at which a scan cannot be read further.
struct Stop {
    fault: Fault,
    /// First row of the unit, px.
    row: usize,
}

impl Stop {
    /// The error as a sentence; `scan` counts from 1.
    fn message(&self, frame: &JpegFrame, scan: usize) -> String {
        let (row, height) = (self.row, frame.height);
        let of_scan =
            if frame.progressive || scan > 1 { format!(" of scan {scan}") } else { String::new() };
        match self.fault {
            Fault::End => {
                format!("the picture data end early: {row} of {height} rows{of_scan} are there")
            }
            Fault::Code => {
                format!("damaged JPEG (an unknown code in row {row} of {height}{of_scan})")
            }
        }
    }
}

/// Reads the blocks of one scan.
struct Reader<'a> {
    scan: &'a Scan,
    bits: Bits<'a>,
    /// Remaining blocks without a code of their own (EOBRUN).
    eob_run: u32,
}

impl Reader<'_> {
    /// Continues behind the next restart marker.
    fn restart(&mut self) -> Result<(), Fault> {
        self.eob_run = 0;
        match next_segment(self.bits.bytes, self.bits.at) {
            Some((0xD0..=0xD7, range)) => {
                self.bits = Bits::new(self.bits.bytes, range.end);
                Ok(())
            }
            _ => Err(Fault::End),
        }
    }

    /// Reads one block; `nonzero`: its coefficients that are not zero, one bit each.
    fn block(&mut self, [dc, ac]: [&HuffmanTable; 2], nonzero: &mut u64) -> Result<(), Fault> {
        match self.scan.coding {
            Coding::Sequential => {
                self.dc(dc)?;
                self.ac(ac)
            }
            Coding::DcFirst => self.dc(dc),
            Coding::DcRefine => self.bits.take(1).map(|_| ()),
            Coding::AcFirst => self.ac_first(ac, nonzero),
            Coding::AcRefine => self.ac_refine(ac, nonzero),
        }
    }

    /// A DC coefficient (T.81, F.2.2.1).
    fn dc(&mut self, table: &HuffmanTable) -> Result<(), Fault> {
        let size = self.bits.symbol(table)?;
        self.bits.take(u32::from(size)).map(|_| ())
    }

    /// AC coefficients, sequential (T.81, F.2.2.2).
    fn ac(&mut self, table: &HuffmanTable) -> Result<(), Fault> {
        let mut k = 1;
        while k < 64 {
            let symbol = self.bits.symbol(table)?;
            let (zeros, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 && zeros < 15 {
                break;
            }
            self.bits.take(size)?;
            k += zeros + 1;
        }
        Ok(())
    }

    /// AC coefficients, first bits (T.81, G.1.2.2).
    fn ac_first(&mut self, table: &HuffmanTable, nonzero: &mut u64) -> Result<(), Fault> {
        if self.eob_run > 0 {
            self.eob_run -= 1;
            return Ok(());
        }
        let [mut k, last] = self.scan.band;
        while k <= last {
            let symbol = self.bits.symbol(table)?;
            let (zeros, size) = (symbol >> 4, u32::from(symbol & 15));
            if size == 0 && zeros < 15 {
                self.eob_run = self.eob_run_of(zeros)? - 1;
                break;
            }
            self.bits.take(size)?;
            k += usize::from(zeros);
            if size > 0 && k < 64 {
                *nonzero |= 1 << k;
            }
            k += 1;
        }
        Ok(())
    }

    /// AC coefficients, one more bit (T.81, G.1.2.3): each coefficient that is not zero has a bit; it
    /// follows the code of the next coefficient that becomes nonzero.
    fn ac_refine(&mut self, table: &HuffmanTable, nonzero: &mut u64) -> Result<(), Fault> {
        let [mut k, last] = self.scan.band;
        while self.eob_run == 0 && k <= last {
            let symbol = self.bits.symbol(table)?;
            let (mut zeros, size) = (symbol >> 4, u32::from(symbol & 15));
            if size == 0 && zeros < 15 {
                self.eob_run = self.eob_run_of(zeros)?;
                break;
            }
            self.bits.take(size)?;
            while k <= last {
                if *nonzero >> k & 1 == 1 {
                    self.bits.take(1)?;
                } else if zeros == 0 {
                    break;
                } else {
                    zeros -= 1;
                }
                k += 1;
            }
            if size > 0 && k <= last {
                *nonzero |= 1 << k;
            }
            k += 1;
        }
        if self.eob_run > 0 {
            let remaining = (k..=last).filter(|k| *nonzero >> k & 1 == 1).count();
            for _ in 0..remaining {
                self.bits.take(1)?;
            }
            self.eob_run -= 1;
        }
        Ok(())
    }

    /// EOBRUN of this many bits, including this block (T.81, G.1.2.2).
    fn eob_run_of(&mut self, bits: u8) -> Result<u32, Fault> {
        Ok((1 << bits) + self.bits.take(u32::from(bits))?)
    }
}

/// The bits of coded data up to the next marker.
struct Bits<'a> {
    bytes: &'a [u8],
    /// Index of the next byte that is not in `held`.
    at: usize,
    /// Bits read ahead, the next one highest, zeros after them.
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8], at: usize) -> Self {
        Bits { bytes, at, held: 0, count: 0 }
    }

    /// Reads ahead to 57 bits or more, where the data have as many.
    fn fill(&mut self) {
        while self.count <= 56 {
            let byte = match self.bytes.get(self.at) {
                // FF is data where 00 follows; further FF before it are fill bytes.
                Some(0xFF) => {
                    let rest = &self.bytes[self.at..];
                    let fill = rest.iter().take_while(|byte| **byte == 0xFF).count();
                    if rest.get(fill) != Some(&0) {
                        return;
                    }
                    self.at += fill;
                    0xFF
                }
                Some(byte) => *byte,
                None => return,
            };
            self.at += 1;
            self.held |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// The next `n` ≤ 16 bits as a number.
    fn take(&mut self, n: u32) -> Result<u32, Fault> {
        if n == 0 {
            return Ok(0);
        }
        if self.count < n {
            self.fill();
        }
        if self.count < n {
            return Err(Fault::End);
        }
        let value = self.held >> (64 - n);
        self.held <<= n;
        self.count -= n;
        Ok(value as u32)
    }

    /// The symbol of the next code.
    fn symbol(&mut self, table: &HuffmanTable) -> Result<u8, Fault> {
        if self.count < 16 {
            self.fill();
        }
        match table.find((self.held >> 48) as usize) {
            Some((symbol, length)) => self.take(length).map(|_| symbol),
            None if self.count < 16 => Err(Fault::End),
            None => Err(Fault::Code),
        }
    }
}

/// The Huffman tables defined so far in the file.
#[derive(Default)]
struct Tables {
    dc: [HuffmanTable; 4],
    ac: [HuffmanTable; 4],
}

impl Tables {
    /// Reads the tables of a segment (T.81, B.2.4.2).
    fn read(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((kind, rest)) = body.split_first() {
            let (lengths, rest) = rest.split_first_chunk::<16>()?;
            let count = lengths.iter().map(|n| usize::from(*n)).sum();
            let (symbols, rest) = rest.split_at_checked(count)?;
            let tables = if kind >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *tables.get_mut(usize::from(kind & 15))? = HuffmanTable::new(lengths, symbols)?;
            body = rest;
        }
        Some(())
    }
}

/// A Huffman table (T.81, C); empty where the file defines none.
#[derive(Default)]
struct HuffmanTable {
    /// Indexed by the next [`SHORT`] bits: symbol and length of the code; length 0 where it is longer.
    short: Vec<(u8, u8)>,
    /// For codes of 1 … 16 bits: the first 16-bit value beyond them, and the offset from a code to the
    /// index of its symbol.
    ends: [(usize, usize); 16],
    symbols: Vec<u8>,
}

/// Length of the codes that are looked up directly, bits.
const SHORT: usize = 9;

impl HuffmanTable {
    /// `lengths`: number of codes of 1 … 16 bits.
    fn new(lengths: &[u8; 16], symbols: &[u8]) -> Option<HuffmanTable> {
        let mut short = vec![(0, 0); 1 << SHORT];
        let mut ends = [(0, 0); 16];
        let (mut code, mut index) = (0usize, 0usize);
        for (length, count) in (1..=16).zip(lengths) {
            // Wraps where a code exceeds the index of its symbol, and back when it is added.
            let offset = index.wrapping_sub(code);
            for _ in 0..*count {
                if code >> length != 0 {
                    return None;
                }
                if length <= SHORT {
                    let start = code << (SHORT - length);
                    let entry = (*symbols.get(index)?, length as u8);
                    short[start..start + (1 << (SHORT - length))].fill(entry);
                }
                code += 1;
                index += 1;
            }
            ends[length - 1] = (code << (16 - length), offset);
            code <<= 1;
        }
        Some(HuffmanTable { short, ends, symbols: symbols.into() })
    }

    /// Symbol and length of the code at the start of these 16 bits.
    fn find(&self, bits: usize) -> Option<(u8, u32)> {
        let &(symbol, length) = self.short.get(bits >> (16 - SHORT))?;
        if length > 0 {
            return Some((symbol, length.into()));
        }
        let length = (SHORT + 1..=16).find(|length| bits < self.ends[length - 1].0)?;
        let index = (bits >> (16 - length)).wrapping_add(self.ends[length - 1].1);
        Some((*self.symbols.get(index)?, length as u32))
    }
}
