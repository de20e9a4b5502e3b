package air

import (
	"time"

	"nhip"
)

// rowBuffer holds rows that are to be written, in chunks of about writeBytes, so that no call copies much.
type rowBuffer struct {
	chunks [][]byte
	bytes  int
}

// add adds rows. It keeps lines.
func (b *rowBuffer) add(lines []byte) {
	n := len(b.chunks)
	switch {
	case len(lines) == 0:
		return
	case n > 0 && len(b.chunks[n-1])+len(lines) <= writeBytes:
		b.chunks[n-1] = append(b.chunks[n-1], lines...)
	default:
		b.chunks = append(b.chunks, lines)
	}
	b.bytes += len(lines)
}

// take removes all rows.
func (b *rowBuffer) take() [][]byte {
	out := b.chunks
	*b = rowBuffer{}
	return out
}

// putBack returns rows that were taken. They come before those that were added since.
func (b *rowBuffer) putBack(chunks [][]byte) {
	for _, c := range chunks {
		b.bytes += len(c)
	}
	b.chunks = append(chunks, b.chunks...)
}

// results are what was computed for one station without a lock, until Processor.keep adds it to the state.
type results struct {
	view
	now     time.Time
	lines   []byte
	rows    int64
	hourly  []hourlyResult
	summed  spans
	changed spans // hours with changed assessments

	compared spans // hours that are processed because of the comparison with other monitors only
}

// hourlyResult is an hour of one quantity.
type hourlyResult struct {
	quantityHour
	stats nhip.RollupStats
}

// keep adds results to the state of their station. p.mu must be held.
func (p *Processor) keep(s *station, r *results) {
	p.rows.add(r.lines)
	p.rowsWritten += r.rows
	for _, x := range r.hourly {
		s.setHourly(x.quantity, x.hour, x.stats)
	}
	s.days, s.months = s.days.addAll(r.summed), s.months.addAll(r.summed)
	s.sending = s.sending.addAll(r.summed).addAll(r.changed)
	p.comparison.mark(r.summed.without(r.compared))
}
