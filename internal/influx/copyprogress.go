package influx

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"nhip"
)

// copyProgress remembers which spans have been copied, in a file with a line of JSON for the two buckets and one for
// each span; the last line of a span counts.
type copyProgress struct {
	file  *os.File
	spans map[string]map[int64]digest // by measurement and begin, Unix seconds
	sort  map[string][]int64          // the begins in order, as they were when the file was opened
}

// copyHeader is the first line: the copy of another bucket has another file.
type copyHeader struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// copyRecord is the line of a span.
type copyRecord struct {
	Measurement string    `json:"measurement"`
	Begin       time.Time `json:"begin"`
	digest
}

func bucketAddress(o Options) string { return o.URL + " " + o.Org + " " + o.Bucket }

// openCopyProgress opens the file or makes it. A line that a crash has cut off is ignored: its span is copied again.
func openCopyProgress(path string, from, to Options) (*copyProgress, error) {
	header := copyHeader{From: bucketAddress(from), To: bucketAddress(to)}
	p := &copyProgress{spans: make(map[string]map[int64]digest), sort: make(map[string][]int64)}
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("can't read what has been copied: %w", err)
	}
	fresh := len(raw) == 0
	if p.file, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600); err != nil {
		return nil, fmt.Errorf("can't write what has been copied: %w", err)
	}
	if fresh {
		return p, p.append(header)
	}
	if err := p.load(path, header); err != nil {
		return nil, errors.Join(err, p.file.Close())
	}
	return p, nil
}

func (p *copyProgress) load(path string, want copyHeader) error {
	lines := bufio.NewReader(p.file)
	for n := 0; ; n++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && n > 0 {
			// The end of a record that a crash cut off would run together with the next one.
			if len(line) > 0 {
				_, err = p.file.Write([]byte("\n"))
				return p.index(err)
			}
			return p.index(nil)
		}
		var header copyHeader
		if n == 0 {
			if jsonErr := json.Unmarshal(line, &header); err != nil || jsonErr != nil || header != want {
				return nhip.Errorf(nhip.CodeInvalid, "", "%s is about a copy from %q to %q, not from %q to %q: name another file "+
					"with --progress", path, header.From, header.To, want.From, want.To)
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("can't read what has been copied: %w", err)
		}
		var r copyRecord
		if json.Unmarshal(line, &r) == nil && r.Measurement != "" {
			p.set(r)
		}
	}
}

func (p *copyProgress) index(err error) error {
	for measurement, spans := range p.spans {
		for begin, d := range spans {
			if d.Rows > 0 {
				p.sort[measurement] = append(p.sort[measurement], begin)
			}
		}
		slices.Sort(p.sort[measurement])
	}
	return err
}

func (p *copyProgress) set(r copyRecord) {
	if p.spans[r.Measurement] == nil {
		p.spans[r.Measurement] = make(map[int64]digest)
	}
	p.spans[r.Measurement][r.Begin.Unix()] = r.digest
}

// get returns the digest of a span that was copied.
func (p *copyProgress) get(s copySpan) (digest, bool) {
	d, ok := p.spans[s.measurement][s.begin.Unix()]
	return d, ok
}

// put records that a span has been copied.
func (p *copyProgress) put(s copySpan, d digest) error {
	r := copyRecord{s.measurement, s.begin, d}
	p.set(r)
	return p.append(r)
}

func (p *copyProgress) append(record any) error {
	raw, err := json.Marshal(record)
	if err == nil {
		_, err = p.file.Write(append(raw, '\n'))
	}
	if err = errors.Join(err, p.file.Sync()); err != nil {
		return fmt.Errorf("can't write what has been copied: %w", err)
	}
	return nil
}

// next returns the begin of the first span with rows, at or after a time, that an earlier run copied.
func (p *copyProgress) next(measurement string, at time.Time) (time.Time, bool) {
	begins := p.sort[measurement]
	i, _ := slices.BinarySearch(begins, at.Unix())
	if i == len(begins) {
		return time.Time{}, false
	}
	return time.Unix(begins[i], 0).UTC(), true
}

// withMeasurements returns names and the measurements that earlier runs copied.
func (p *copyProgress) withMeasurements(names []string) []string {
	all := slices.Clone(names)
	for measurement := range p.spans {
		all = append(all, measurement)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (p *copyProgress) close() error { return p.file.Close() }
