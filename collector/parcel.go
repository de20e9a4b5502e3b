package collector

import (
	"encoding/binary"
	"errors"
	"time"
)

// parcel is a record of the outbox: rows of line protocol on their way to the database, and whose
// account each is on.
type parcel struct {
	through uint64    // the last record of the intake that it holds the rows of
	made    time.Time // by the machine's clock
	lines   []byte
	rows    []parcelRow

	devices []string       // of rows, each once
	places  map[string]int // of devices
}

// parcelRow is one row of a parcel.
type parcelRow struct {
	seq     uint64 // of its record of the intake
	end     int    // in lines
	device  int    // in devices
	hour    int64  // Unix hours, of the device's time
	revised bool
}

// maxParcel is the longest record of the outbox, in bytes. A parcel that is nearly full may get the rows
// of one more record of the intake, which are longer as line protocol.
const maxParcel = 8 << 20

var errParcel = errors.New("the outbox holds a parcel that this version can't read")

func newParcel() *parcel { return &parcel{places: make(map[string]int)} }

func (p *parcel) reset() {
	clear(p.places)
	clear(p.devices) // it holds on to their memory
	p.lines, p.rows, p.devices = p.lines[:0], p.rows[:0], p.devices[:0]
}

// add notes that a row ends where lines does now.
func (p *parcel) add(seq uint64, device string, hour int64, revised bool) {
	at, ok := p.places[device]
	if !ok {
		at = len(p.devices)
		p.places[device] = at
		p.devices = append(p.devices, device)
	}
	p.rows = append(p.rows, parcelRow{seq: seq, end: len(p.lines), device: at, hour: hour, revised: revised})
}

// line returns the text of row i.
func (p *parcel) line(i int) []byte {
	start := 0
	if i > 0 {
		start = p.rows[i-1].end
	}
	return p.lines[start:p.rows[i].end]
}

// The format of a parcel: its version; through; made in ms; the devices; the rows, each with the length
// of its line, its device and whether it is a revision, and hour and seq as differences to the row
// before; the lines. All numbers are varints.
const parcelVersion = 1

func (p *parcel) append(dst []byte) []byte {
	dst = append(dst, parcelVersion)
	dst = binary.AppendUvarint(dst, p.through)
	dst = binary.AppendVarint(dst, p.made.UnixMilli())
	dst = binary.AppendUvarint(dst, uint64(len(p.devices)))
	for _, d := range p.devices {
		dst = binary.AppendUvarint(dst, uint64(len(d)))
		dst = append(dst, d...)
	}
	dst = binary.AppendUvarint(dst, uint64(len(p.rows)))
	var before parcelRow
	for _, r := range p.rows {
		dst = binary.AppendUvarint(dst, uint64(r.end-before.end))
		device := uint64(r.device) << 1
		if r.revised {
			device |= 1
		}
		dst = binary.AppendUvarint(dst, device)
		dst = binary.AppendVarint(dst, r.hour-before.hour)
		dst = binary.AppendUvarint(dst, r.seq-before.seq)
		before = r
	}
	return append(dst, p.lines...)
}

// read fills p, which shares the record's memory until it is reset; devices are copies.
func (p *parcel) read(record []byte) error {
	p.reset()
	c := cutter{b: record}
	if c.byte() != parcelVersion {
		return errParcel
	}
	p.through, p.made = c.uvarint(), time.UnixMilli(c.varint())
	for range c.count() {
		p.devices = append(p.devices, string(c.bytes(c.count())))
	}
	var r parcelRow
	for range c.count() {
		r.end += c.count()
		device := c.uvarint()
		r.device, r.revised = int(device>>1), device&1 != 0
		r.hour += c.varint()
		r.seq += c.uvarint()
		if r.device < 0 || r.device >= len(p.devices) {
			return errParcel
		}
		p.rows = append(p.rows, r)
	}
	if c.failed || r.end != len(c.b) {
		return errParcel
	}
	p.lines = c.b
	return nil
}

// cutter cuts a record into numbers and texts. After the first that is not there it returns zeros.
type cutter struct {
	b      []byte
	failed bool
}

func (c *cutter) byte() byte {
	if b := c.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cutter) bytes(n int) []byte {
	if n > len(c.b) {
		c.fail()
		return nil
	}
	out := c.b[:n]
	c.b = c.b[n:]
	return out
}

func (c *cutter) uvarint() uint64 {
	v, n := binary.Uvarint(c.b)
	return v * uint64(c.skip(n))
}

func (c *cutter) varint() int64 {
	v, n := binary.Varint(c.b)
	return v * int64(c.skip(n))
}

// count is a number of things that each take a byte at least, or of bytes.
func (c *cutter) count() int {
	v := c.uvarint()
	if v > uint64(len(c.b)) {
		c.fail()
		return 0
	}
	return int(v)
}

// skip passes n bytes, and returns 0 where n says that there was no number, else 1.
func (c *cutter) skip(n int) int {
	if n <= 0 {
		c.fail()
		return 0
	}
	c.b = c.b[n:]
	return 1
}

func (c *cutter) fail() { c.failed, c.b = true, nil }
