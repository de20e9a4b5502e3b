package collector

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"nhip/internal/influx"
	"nhip/internal/wait"
)

// The database may refuse a few rows, such as those of one bus whose field has another type, or everything, for example
// because its retention is shorter than the data are old. Refused rows become dead letters, so that they don't hold up
// others. If it refuses everything, the rows stay in the outbox, where they need no one to replay them.
const (
	// maxRefusedInARow is how many rows in a row may be refused, with none accepted in between, until this counts as a
	// refusal of everything.
	maxRefusedInARow = 20

	// probeRows is the number of rows of a refused batch that are tried one by one before it is divided: if all of them
	// are refused, division would only find out at the cost of two requests a row that everything is.
	probeRows = 8

	// freshRequests bounds the requests to find the bad rows of a fresh batch. A batch that needs more is left to the
	// backlog writer, so that it doesn't delay the rows behind it.
	freshRequests = 100

	// sampleFor is how long after its acceptance a row can show that the database still accepts rows like it.
	sampleFor = time.Minute
)

// errManyRequests is the result of a pass that needs more requests than it may make.
var errManyRequests = errors.New("too many requests to find the bad rows of a batch")

// heldError says why rows are kept in the outbox although the database answers.
type heldError struct{ reason string }

func (e *heldError) Error() string { return e.reason }

// refusals counts what the database refuses, over both readers of the outbox.
type refusals struct {
	mu       sync.Mutex
	accepted uint64 // writes
	inARow   int    // refused rows since the last accepted write

	sample   []byte // an accepted row
	sampleAt time.Time
}

// accept records that the database has accepted lines.
func (r *refusals) accept(lines []byte, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.accepted++
	r.inARow = 0
	r.sample = append(r.sample[:0], lines[bytes.LastIndexByte(lines[:len(lines)-1], '\n')+1:]...)
	r.sampleAt = now
}

// sampleRow returns a row that was accepted lately, or nil.
func (r *refusals) sampleRow(now time.Time) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.sampleAt) > sampleFor {
		return nil
	}
	return bytes.Clone(r.sample)
}

// acceptSample records that the database has accepted the row of sampleRow again.
func (r *refusals) acceptSample() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.accepted++
	r.inARow = 0
}

func (r *refusals) refuse(rows int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inARow += rows
}

// acceptances returns the number of accepted writes, and the number of refused rows since the last one.
func (r *refusals) acceptances() (accepted uint64, refusedSince int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.accepted, r.inARow
}

// pass is one attempt to write a batch, in as many requests as it takes to find the rows that the database refuses.
type pass struct {
	w      *dbWriter
	lane   *lane
	batch  *batch
	number int    // of passes of this batch before
	since  uint64 // acceptances before the first pass
	limit  int    // of requests; 0: none

	order              []int // rows in the order in which they are divided; nil: that of the batch
	lines              []byte
	requests           int
	accepted, rejected int // rows
}

// run writes the batch and marks the rows that the database refuses. Its error is that of ctx, errManyRequests, or a
// heldError if the database refuses everything.
func (p *pass) run(ctx context.Context) error {
	for i := range p.batch.rows {
		p.batch.rows[i].rejected = false
	}
	n := len(p.batch.rows)
	if n == 0 {
		return nil
	}
	refusal, err := p.send(ctx, 0, n)
	if err != nil || refusal == nil {
		return err
	}
	if err := p.divide(ctx, 0, n, refusal); err != nil {
		return err
	}
	if p.accepted == 0 && p.rejected > 0 && p.everythingRefused() {
		return refusedAll(refusal)
	}
	p.w.refusals.refuse(p.rejected)
	return nil
}

// everythingRefused reports whether the refusal of this batch and of the rows before it looks like a refusal of
// everything: nothing was accepted since the batch was refused for the first time.
func (p *pass) everythingRefused() bool {
	accepted, inARow := p.w.refusals.acceptances()
	return accepted == p.since && inARow+len(p.batch.rows) > maxRefusedInARow
}

func refusedAll(refusal *influx.WriteError) error {
	return &heldError{"InfluxDB refuses all rows; they wait in the outbox: " + refusal.Error()}
}

// divide finds the refused rows among [from, to), which were refused together.
func (p *pass) divide(ctx context.Context, from, to int, refusal *influx.WriteError) error {
	n := to - from
	if n == 1 || refusal.Dropped == n {
		p.reject(from, to, refusal)
		return nil
	}
	if p.order == nil {
		p.sortFor(refusal)
		if err := p.probe(ctx, refusal); err != nil {
			return err
		}
	}
	middle := (from + to) / 2
	for _, half := range [][2]int{{from, middle}, {middle, to}} {
		refusal, err := p.send(ctx, half[0], half[1])
		if err != nil {
			return err
		}
		if refusal == nil {
			continue
		}
		if err := p.divide(ctx, half[0], half[1], refusal); err != nil {
			return err
		}
	}
	return nil
}

// probe tries some rows one by one, of as many devices as possible. It returns a heldError if the database refuses all
// of them and everything else.
func (p *pass) probe(ctx context.Context, refusal *influx.WriteError) error {
	if len(p.batch.rows) <= probeRows*probeRows || refusal.Dropped > 0 || !p.everythingRefused() {
		return nil
	}
	for _, i := range p.probes() {
		refusal, err := p.sendLines(ctx, p.batch.span(i, i+1), 1)
		if err != nil || refusal == nil {
			return err
		}
	}
	if !p.everythingRefused() {
		return nil
	}
	return refusedAll(refusal)
}

// probes returns the rows to try, others in each pass.
func (p *pass) probes() []int {
	const stride = 7919 // a prime, so that the rows of a device are tried in a scattered order
	var devices []string
	rows := make(map[string][]int)
	for i := range p.batch.rows {
		device := p.batch.rows[i].device
		if rows[device] == nil {
			devices = append(devices, device)
		}
		rows[device] = append(rows[device], i)
	}
	var out []int
	for n := p.number * probeRows; len(out) < probeRows; n++ {
		of := rows[devices[n%len(devices)]]
		out = append(out, of[n/len(devices)*stride%len(of)])
	}
	return out
}

func (p *pass) reject(from, to int, refusal *influx.WriteError) {
	for i := from; i < to; i++ {
		p.batch.reject(p.row(i), refusal)
	}
	p.rejected += to - from
}

// row returns the index in the batch of the i-th row in p.order.
func (p *pass) row(i int) int {
	if p.order == nil {
		return i
	}
	return p.order[i]
}

// span returns the lines of rows [from, to) in p.order.
func (p *pass) span(from, to int) []byte {
	if p.order == nil {
		return p.batch.span(from, to)
	}
	p.lines = p.lines[:0]
	for _, i := range p.order[from:to] {
		p.lines = append(p.lines, p.batch.span(i, i+1)...)
	}
	return p.lines
}

// send writes rows [from, to) in p.order.
func (p *pass) send(ctx context.Context, from, to int) (*influx.WriteError, error) {
	return p.sendLines(ctx, p.span(from, to), to-from)
}

// sendLines writes lines and retries until the database accepts or refuses them, or ctx ends.
func (p *pass) sendLines(ctx context.Context, lines []byte, rows int) (*influx.WriteError, error) {
	if p.requests++; p.limit > 0 && p.requests > p.limit {
		return nil, errManyRequests
	}
	backoff := minBackoff
	for {
		began := time.Now()
		err := p.w.store.Write(ctx, lines)
		var writeErr *influx.WriteError
		refused := errors.As(err, &writeErr) && writeErr.Kind != influx.Retry
		switch {
		case err == nil:
			p.w.metrics.writeTime.Observe(time.Since(began).Seconds())
			p.accepted += rows
			p.w.refusals.accept(lines, time.Now())
			p.w.answered(p.lane)
			return nil, nil
		case refused:
			return writeErr, nil
		}
		p.w.metrics.writeErrors.Inc()
		p.w.fault(ctx, p.lane, err)
		delay := backoff
		if writeErr != nil {
			delay = max(delay, min(writeErr.RetryAfter, influx.MaxRetryAfter))
		}
		if err := wait.Sleep(ctx, delay); err != nil {
			return nil, err
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// sortFor orders the rows so that those that a refusal is about are likely to be neighbours: division then needs few
// requests.
func (p *pass) sortFor(refusal *influx.WriteError) {
	keys := make([]sortKey, len(p.batch.rows))
	p.order = make([]int, len(keys))
	about := conflictIn(refusal.Err.Error())
	for i := range keys {
		line := p.batch.span(i, i+1)
		p.order[i], keys[i] = i, sortKey{line: line, concerned: about.concerns(line)}
		keys[i].ms, _ = parseRow(strings.TrimSuffix(string(line), "\n"))
	}
	byTime := about.field != "" || strings.Contains(refusal.Err.Error(), "retention policy")
	slices.SortStableFunc(p.order, func(a, b int) int {
		x, y := &keys[a], &keys[b]
		if byTime {
			return cmp.Or(cmp.Compare(x.concerned, y.concerned), cmp.Compare(x.ms, y.ms))
		}
		return bytes.Compare(x.line, y.line) // by series
	})
}

type sortKey struct {
	line      []byte
	concerned int // 1 if the refusal names the row's measurement and field
	ms        int64
}

// conflict is what InfluxDB's message about a conflict of field types names.
type conflict struct{ field, measurement string }

// conflictIn returns what a message names, as in: partial write: field type conflict: input field "lat" on measurement
// "position" is type float, already exists as type string dropped=600.
func conflictIn(message string) conflict {
	var c conflict
	_, rest, ok := strings.Cut(message, "input field ")
	if !ok {
		return c
	}
	if _, err := fmt.Sscanf(rest, "%q on measurement %q", &c.field, &c.measurement); err != nil {
		return conflict{}
	}
	return c
}

func (c conflict) concerns(line []byte) int {
	if c.field == "" || !bytes.HasPrefix(line, []byte(c.measurement+",")) {
		return 0
	}
	if bytes.Contains(line, []byte(" "+c.field+"=")) || bytes.Contains(line, []byte(","+c.field+"=")) {
		return 1
	}
	return 0
}
