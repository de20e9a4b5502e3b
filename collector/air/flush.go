package air

import (
	"context"
	"fmt"

	"nhip/internal/influx"
)

const (
	writeBytes = 1 << 20  // size of one write
	maxBuffer  = 64 << 20 // bytes of rows that wait while the database is unavailable
)

// flush writes the buffered rows. Rows that fail with a temporary error stay in the buffer; rows that the database
// refuses for good are logged and dropped.
func (p *Processor) flush(ctx context.Context) error {
	p.mu.Lock()
	chunks := p.rows.take()
	for _, s := range p.all {
		s.inFlight, s.sending = s.sending, nil
	}
	p.mu.Unlock()
	rest, err := p.writeChunks(ctx, chunks)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.all {
		if err != nil {
			s.sending = s.sending.addAll(s.inFlight)
		}
		s.inFlight = nil
	}
	if err != nil {
		p.rows.putBack(rest)
		return fmt.Errorf("can't write assessments and roll-ups: %w", err)
	}
	if len(chunks) > 0 { // their hours can be compared now
		wake(p.wakeCompare)
	}
	return nil
}

// writeChunks writes rows. After an error it returns those that are not written.
func (p *Processor) writeChunks(ctx context.Context, chunks [][]byte) ([][]byte, error) {
	for i, lines := range chunks {
		rest, err := p.writeLines(ctx, lines)
		if err != nil {
			chunks[i] = rest
			return chunks[i:], err
		}
	}
	return nil, nil
}

// limitRows drops the rows that wait if they are more than maxBuffer, and marks their hours to be processed again.
func (p *Processor) limitRows() {
	p.mu.Lock()
	full := p.rows.bytes > maxBuffer
	if full {
		p.rows.take()
		for _, s := range p.all {
			s.dirty, s.sending = s.dirty.addAll(s.sending), nil
			if len(s.dirty) > 0 {
				s.assessFrom = min(s.assessFrom, max(startOf(s.dirty[0].From), startOf(p.recentHour())))
			}
		}
	}
	all := p.all
	p.mu.Unlock()
	if full {
		for _, s := range all {
			s.window.retractAssessments()
		}
	}
}

// writeLines writes lines in chunks. After an error it returns the lines that are not written.
func (p *Processor) writeLines(ctx context.Context, lines []byte) ([]byte, error) {
	for len(lines) > 0 {
		n := chunkLength(lines)
		refused, reason, err := influx.WriteDivided(ctx, lines[:n], p.o.Store.Write)
		if err != nil {
			return lines, err
		}
		if refused > 0 {
			p.log.Error("assessments and roll-ups refused by the database", "rows", refused, "error", reason)
			p.metrics.refused.Inc()
		}
		lines = lines[n:]
	}
	return nil, nil
}

// chunkLength returns the length of the whole lines in the first writeBytes or a little more.
func chunkLength(lines []byte) int {
	if len(lines) <= writeBytes {
		return len(lines)
	}
	n := writeBytes
	for lines[n-1] != '\n' {
		n++
	}
	return n
}
