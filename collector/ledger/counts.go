package ledger

import (
	"encoding/binary"
	"maps"
	"slices"

	"nhip"
)

// Counts are what became of the rows of one device and hour. Those that are queued are on their way
// to the database, and out of it again as stored, revised or rejected as nhip.Refused; every other
// rejection comes before the queue.
type Counts struct {
	Received, Duplicate, Queued, Stored, Revised int64

	Rejected map[nhip.Code]int64 // nil while it is empty, as it is of most; see Reject
}

// Reject counts rows that were turned away.
func (c *Counts) Reject(code nhip.Code, rows int64) {
	if c.Rejected == nil {
		c.Rejected = make(map[nhip.Code]int64)
	}
	c.Rejected[code] += rows
}

// add adds d to c.
func (c *Counts) add(d *Counts) {
	c.Received += d.Received
	c.Duplicate += d.Duplicate
	c.Queued += d.Queued
	c.Stored += d.Stored
	c.Revised += d.Revised
	for code, n := range d.Rejected {
		if n != 0 {
			c.Reject(code, n)
		}
	}
}

func (c *Counts) empty() bool {
	if c.Received != 0 || c.Duplicate != 0 || c.Queued != 0 || c.Stored != 0 || c.Revised != 0 {
		return false
	}
	for _, n := range c.Rejected {
		if n != 0 {
			return false
		}
	}
	return true
}

// balanced reports whether a row of these counts holds its sum.
func (c *Counts) balanced() bool {
	row := c.row("", "", 0)
	return row.Balanced()
}

// row returns the line of the ledger.
func (c *Counts) row(collector, device string, hour int64) nhip.LedgerRow {
	rejected := make(map[nhip.Code]int64) // never null in an answer
	for code, n := range c.Rejected {
		if n != 0 {
			rejected[code] = n
		}
	}
	return nhip.LedgerRow{
		Collector: collector, Device: device, Hour: hourTime(hour),
		Received: c.Received, Stored: c.Stored, Duplicate: c.Duplicate, Revised: c.Revised, Rejected: rejected,
		Pending: c.Queued - c.Stored - c.Revised - c.Rejected[nhip.Refused],
	}
}

// appendCounts appends the counts as scanCounts reads them.
func appendCounts(b []byte, c *Counts) []byte {
	for _, n := range []int64{c.Received, c.Duplicate, c.Queued, c.Stored, c.Revised} {
		b = binary.AppendVarint(b, n)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Rejected)))
	for _, code := range slices.Sorted(maps.Keys(c.Rejected)) {
		b = appendBytes(b, string(code))
		b = binary.AppendVarint(b, c.Rejected[code])
	}
	return b
}

// scanCounts takes counts off s and adds them to c, which may be nil to leave them.
func scanCounts(s *scanner, c *Counts) {
	d := Counts{Received: s.varint(), Duplicate: s.varint(), Queued: s.varint(), Stored: s.varint(), Revised: s.varint()}
	if c != nil {
		c.add(&d)
	}
	for range s.uvarint() {
		code, n := s.bytes(), s.varint()
		if s.bad {
			return
		}
		if c != nil && n != 0 {
			c.Reject(nhip.Code(code), n)
		}
	}
}
