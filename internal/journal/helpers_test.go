package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// outcome has the arguments of done.
type outcome struct {
	seq uint64
	err error
}

func mustOpen(t testing.TB, dir string, o Options) *Journal {
	t.Helper()
	return mustOpenOn(t, dir, o, osFS{})
}

func mustOpenOn(t testing.TB, dir string, o Options, files fileSystem) *Journal {
	t.Helper()
	j, err := open(dir, o, files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func mustClose(t testing.TB, j *Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// appendOne appends a record and waits for the outcome.
func appendOne(j *Journal, record string) outcome {
	got := make(chan outcome, 1)
	j.Append([]byte(record), func(seq uint64, err error) { got <- outcome{seq, err} })
	return <-got
}

// mustAppend appends each record in a commit of its own.
func mustAppend(t testing.TB, j *Journal, records ...string) {
	t.Helper()
	for _, r := range records {
		if a := appendOne(j, r); a.err != nil {
			t.Fatal(a.err)
		}
	}
}

// appendBatch appends the records in one commit, except those that the bound rejects, and returns the outcome of each.
func appendBatch(j *Journal, records []string) []outcome {
	outcomes := make([]outcome, len(records))
	var wg sync.WaitGroup
	j.mu.Lock()
	for i, r := range records {
		if n := recordSize(len(r)); !j.fitsBound(n) {
			outcomes[i].err = j.reject(n)
			continue
		}
		wg.Add(1)
		j.pending.add([]byte(r), func(seq uint64, err error) {
			outcomes[i] = outcome{seq, err}
			wg.Done()
		})
	}
	j.workReady.Signal()
	j.mu.Unlock()
	wg.Wait()
	return outcomes
}

// entry is a record that was read.
type entry struct {
	Seq    uint64
	Record string
}

// readFrom returns all durable records from a seq on.
func readFrom(t testing.TB, j *Journal, from uint64) []entry {
	t.Helper()
	r := j.Reader(from)
	defer r.Close()
	var all []entry
	for {
		seq, record, ok, err := r.TryNext()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return all
		}
		all = append(all, entry{seq, string(record)})
	}
}

// entries numbers the records from a seq on.
func entries(from uint64, records ...string) []entry {
	var all []entry
	for i, r := range records {
		all = append(all, entry{from + uint64(i), r})
	}
	return all
}

// numbered returns n records that contain their number, starting with from.
func numbered(from, n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("record %d", from+i))
	}
	return all
}

func wantEntries(t testing.TB, j *Journal, want []entry) {
	t.Helper()
	if diff := cmp.Diff(want, readFrom(t, j, 0)); diff != "" {
		t.Errorf("records on disk (-want +got):\n%s", diff)
	}
}

// segmentNames returns the names of dir's segments, oldest first.
func segmentNames(t testing.TB, dir string) []string {
	t.Helper()
	return glob(t, dir, "*"+segmentSuffix)
}

// quarantinedNames returns the names of the quarantined segments, oldest first.
func quarantinedNames(t testing.TB, dir string) []string {
	t.Helper()
	return glob(t, dir, "*"+quarantineSuffix)
}

func glob(t testing.TB, dir, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	for i := range paths {
		paths[i] = filepath.Base(paths[i])
	}
	return paths
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func writeFile(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, fileMode); err != nil {
		t.Fatal(err)
	}
}
