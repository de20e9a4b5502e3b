package collector

import (
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"time"

	"nhip/internal/influx"
)

// outboxRecord is a record of the outbox: rows of line protocol for the database, and the ledger row on which each of
// them counts.
type outboxRecord struct {
	through uint64    // last intake record whose rows it contains
	made    time.Time // by the machine's clock
	lines   []byte
	rows    []outboxRow

	devices     []string       // ledger names of devices, without duplicates
	deviceIndex map[string]int // into devices
}

// outboxRow is one row of an outboxRecord.
type outboxRow struct {
	seq     uint64 // of the intake record
	end     int    // offset in lines
	device  int    // index into devices
	hour    int64  // Unix hours of the device time
	revised bool
}

// maxOutboxRecord is the maximum length of an outbox record, in bytes. An outbox record that is nearly full may still
// get the rows of one intake record, which are longer as line protocol.
const maxOutboxRecord = 8 << 20

var (
	errOutboxRecord = errors.New("invalid format of an outbox record")
	errNewerOutbox  = errors.New("the outbox was written by a newer version of nhip")
)

func newOutboxRecord() *outboxRecord { return &outboxRecord{deviceIndex: make(map[string]int)} }

func (r *outboxRecord) reset() {
	clear(r.deviceIndex)
	clear(r.devices) // to free the strings
	r.lines, r.rows, r.devices = r.lines[:0], r.rows[:0], r.devices[:0]
}

// add adds the row whose line was appended to lines last.
func (r *outboxRecord) add(seq uint64, device string, hour int64, revised bool) {
	at, ok := r.deviceIndex[device]
	if !ok {
		at = len(r.devices)
		r.deviceIndex[device] = at
		r.devices = append(r.devices, device)
	}
	r.rows = append(r.rows, outboxRow{seq: seq, end: len(r.lines), device: at, hour: hour, revised: revised})
}

// line returns the line of row i, with its newline.
func (r *outboxRecord) line(i int) []byte {
	start := 0
	if i > 0 {
		start = r.rows[i-1].end
	}
	return r.lines[start:r.rows[i].end]
}

// The format of an outbox record: version, through, made in Unix ms, the devices, the rows, the lines. A row is the
// length of its line, its device with the flag "revised" as the lowest bit, and hour and seq as differences to the row
// before. All numbers are varints.
const outboxVersion = 1

func (r *outboxRecord) append(dst []byte) []byte {
	dst = append(dst, outboxVersion)
	dst = binary.AppendUvarint(dst, r.through)
	dst = binary.AppendVarint(dst, r.made.UnixMilli())
	dst = binary.AppendUvarint(dst, uint64(len(r.devices)))
	for _, d := range r.devices {
		dst = binary.AppendUvarint(dst, uint64(len(d)))
		dst = append(dst, d...)
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.rows)))
	var before outboxRow
	for _, row := range r.rows {
		dst = binary.AppendUvarint(dst, uint64(row.end-before.end))
		device := uint64(row.device) << 1
		if row.revised {
			device |= 1
		}
		dst = binary.AppendUvarint(dst, device)
		dst = binary.AppendVarint(dst, row.hour-before.hour)
		dst = binary.AppendUvarint(dst, row.seq-before.seq)
		before = row
	}
	return append(dst, r.lines...)
}

// read decodes raw into r, which shares its memory until reset; devices are copies.
func (r *outboxRecord) read(raw []byte) error {
	r.reset()
	c := recordReader{b: raw}
	switch v := c.byte(); {
	case v > outboxVersion:
		return errNewerOutbox
	case v < outboxVersion:
		return errOutboxRecord
	}
	r.through, r.made = c.uvarint(), time.UnixMilli(c.varint())
	for range c.count() {
		r.devices = append(r.devices, string(c.bytes(c.count())))
	}
	var row outboxRow
	for range c.count() {
		row.end += c.count()
		device := c.uvarint()
		row.device, row.revised = int(device>>1), device&1 != 0
		row.hour += c.varint()
		row.seq += c.uvarint()
		if row.device < 0 || row.device >= len(r.devices) {
			return errOutboxRecord
		}
		r.rows = append(r.rows, row)
	}
	if c.failed || row.end != len(c.b) {
		return errOutboxRecord
	}
	r.lines = c.b
	return nil
}

// recordReader decodes an outbox record field by field. Once a field is missing, it returns zeros.
type recordReader struct {
	b      []byte
	failed bool
}

func (c *recordReader) byte() byte {
	if b := c.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *recordReader) bytes(n int) []byte {
	if n > len(c.b) {
		c.fail()
		return nil
	}
	out := c.b[:n]
	c.b = c.b[n:]
	return out
}

func (c *recordReader) uvarint() uint64 {
	v, n := binary.Uvarint(c.b)
	return v * uint64(c.skip(n))
}

func (c *recordReader) varint() int64 {
	v, n := binary.Varint(c.b)
	return v * int64(c.skip(n))
}

// count reads a number of bytes, or of elements of at least one byte each.
func (c *recordReader) count() int {
	v := c.uvarint()
	if v > uint64(len(c.b)) {
		c.fail()
		return 0
	}
	return int(v)
}

// skip skips a number of n bytes and returns 1, or fails and returns 0 if n reports an invalid number.
func (c *recordReader) skip(n int) int {
	if n <= 0 {
		c.fail()
		return 0
	}
	c.b = c.b[n:]
	return 1
}

func (c *recordReader) fail() { c.failed, c.b = true, nil }

// parseRow returns the Unix time in ms of a row of our line protocol, and whether the row is a revision.
func parseRow(line string) (ms int64, revised bool) {
	digits := line[strings.LastIndexByte(line, ' ')+1:]
	ms, _ = strconv.ParseInt(digits, 10, 64) // valid, because package influx encoded it
	measurement, _, _ := strings.Cut(line, ",")
	return ms, measurement == influx.PositionRevision || measurement == influx.ReadingRevision
}

// hourOf returns the Unix hour of a Unix time in ms.
func hourOf(ms int64) int64 {
	const hour = int64(time.Hour / time.Millisecond)
	if ms < 0 {
		return (ms+1)/hour - 1
	}
	return ms / hour
}
