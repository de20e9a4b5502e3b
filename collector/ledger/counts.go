package ledger

import (
	"encoding/binary"
	"maps"
	"slices"

	"nhip"
)

// Counts are the outcomes of the rows of one device and hour. A row that is Queued for the database is counted again
// as Stored, Revised, Lost or Rejected with nhip.CodeRefused; rows with other rejection codes are never queued.
type Counts struct {
	Received, Duplicate, Queued, Stored, Revised, Lost int64

	Rejected map[nhip.Code]int64 // nil if empty, which is the usual case; see Reject
}

// Reject counts rejected rows.
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
	c.Lost += d.Lost
	for code, n := range d.Rejected {
		if n != 0 {
			c.Reject(code, n)
		}
	}
}

func (c *Counts) empty() bool {
	if c.Received != 0 || c.Duplicate != 0 || c.Queued != 0 || c.Stored != 0 || c.Revised != 0 || c.Lost != 0 {
		return false
	}
	for _, n := range c.Rejected {
		if n != 0 {
			return false
		}
	}
	return true
}

// pending returns the number of queued rows whose outcome is not counted yet.
func (c *Counts) pending() int64 {
	return c.Queued - c.Stored - c.Revised - c.Lost - c.Rejected[nhip.CodeRefused]
}

// balanced reports whether the counts add up; see nhip.LedgerRow.Balanced.
func (c *Counts) balanced() bool {
	row := c.row("", "", 0)
	return row.Balanced()
}

// row returns the row of the ledger for the counts.
func (c *Counts) row(collector, device string, hour int64) nhip.LedgerRow {
	rejected := make(map[nhip.Code]int64) // never null in JSON
	for code, n := range c.Rejected {
		if n != 0 {
			rejected[code] = n
		}
	}
	return nhip.LedgerRow{
		Collector: collector, Device: device, Hour: hourTime(hour),
		Received: c.Received, Stored: c.Stored, Duplicate: c.Duplicate, Revised: c.Revised, Rejected: rejected,
		Lost: c.Lost, Pending: c.pending(),
	}
}

// lostCode stands for Lost among the rejection codes of a segment. Segments had no place of their own for it, and this
// one leaves them readable for older versions.
const lostCode = "lost"

// appendCounts encodes the counts for scanCounts.
func appendCounts(b []byte, c *Counts) []byte {
	for _, n := range []int64{c.Received, c.Duplicate, c.Queued, c.Stored, c.Revised} {
		b = binary.AppendVarint(b, n)
	}
	codes := len(c.Rejected)
	if c.Lost != 0 {
		codes++
	}
	b = binary.AppendUvarint(b, uint64(codes))
	if c.Lost != 0 {
		b = binary.AppendVarint(appendBytes(b, lostCode), c.Lost)
	}
	for _, code := range slices.Sorted(maps.Keys(c.Rejected)) {
		b = appendBytes(b, string(code))
		b = binary.AppendVarint(b, c.Rejected[code])
	}
	return b
}

// scanCounts reads counts from s and adds them to c, unless c is nil.
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
		switch {
		case c == nil || n == 0:
		case string(code) == lostCode:
			c.Lost += n
		default:
			c.Reject(nhip.Code(code), n)
		}
	}
}
