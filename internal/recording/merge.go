package recording

import (
	"errors"
	"io"
)

// Merge reads several recordings as one, in the order of their time stamps. Messages of one file stay in the file's
// order, even if its time stamps go backwards.
type Merge struct {
	readers []*Reader
	heads   []Entry
	err     error // of reading ahead; returned after the messages before it
}

// OpenAll opens all files, or none if one fails.
func OpenAll(paths []string) (*Merge, error) {
	m := &Merge{}
	for _, path := range paths {
		r, err := Open(path)
		if err != nil {
			return nil, errors.Join(err, m.Close())
		}
		m.readers = append(m.readers, r)
	}
	m.heads = make([]Entry, len(m.readers))
	for i := range m.readers {
		if err := m.advance(i); err != nil {
			return nil, errors.Join(err, m.Close())
		}
	}
	return m, nil
}

// advance reads the next message of file i. At the end of the file its head has no topic.
func (m *Merge) advance(i int) error {
	e, err := m.readers[i].Next()
	if errors.Is(err, io.EOF) {
		m.heads[i] = Entry{}
		return nil
	}
	m.heads[i] = e
	return err
}

// Next returns the earliest of the files' next messages. At the end of all files it returns io.EOF.
func (m *Merge) Next() (Entry, error) {
	if m.err != nil {
		return Entry{}, m.err
	}
	first := -1
	for i, h := range m.heads {
		if h.Topic != "" && (first < 0 || h.Time.Before(m.heads[first].Time)) {
			first = i
		}
	}
	if first < 0 {
		return Entry{}, io.EOF
	}
	e := m.heads[first]
	m.err = m.advance(first)
	return e, nil
}

// Size returns the size of all files in bytes.
func (m *Merge) Size() (n int64) {
	for _, r := range m.readers {
		n += r.Size()
	}
	return n
}

// Offset returns how many bytes of all files have been read.
func (m *Merge) Offset() (n int64) {
	for _, r := range m.readers {
		n += r.Offset()
	}
	return n
}

// Close closes all files.
func (m *Merge) Close() error {
	var errs []error
	for _, r := range m.readers {
		errs = append(errs, r.Close())
	}
	return errors.Join(errs...)
}
