package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

func TestReaderStartsAtSeq(t *testing.T) {
	j := mustOpen(t, t.TempDir(), Options{SegmentBytes: 150})
	records := numbered(1, 20)
	appendBatch(j, records[:7])
	mustAppend(t, j, records[7:]...)
	for from := range uint64(23) {
		var want []entry
		if begin := max(from, 1); begin <= 20 {
			want = entries(begin, records[begin-1:]...)
		}
		if diff := cmp.Diff(want, readFrom(t, j, from)); diff != "" {
			t.Errorf("from %d (-want +got):\n%s", from, diff)
		}
	}
}

func TestReaderContinuesAfterRelease(t *testing.T) {
	j := mustOpen(t, t.TempDir(), Options{SegmentBytes: 1})
	mustAppend(t, j, "a", "b", "c", "d")
	r := j.Reader(1)
	defer r.Close()
	if seq, _, ok, err := r.TryNext(); seq != 1 || !ok || err != nil {
		t.Fatalf("first = %d, %v, %v", seq, ok, err)
	}
	if err := j.Release(3); err != nil {
		t.Fatal(err)
	}
	if seq, record, ok, err := r.TryNext(); seq != 4 || string(record) != "d" || !ok || err != nil {
		t.Errorf("after the release: %d %q, %v, %v, want 4 \"d\"", seq, record, ok, err)
	}
}

func TestNextWaitsForRecord(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		j := mustOpen(t, dir, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		r := j.Reader(2) // the first record must not wake it
		defer r.Close()
		got := make(chan string)
		go func() {
			for {
				seq, record, err := r.Next(ctx)
				got <- fmt.Sprint(seq, string(record), err)
				if err != nil {
					return
				}
			}
		}()
		wantWaiting := func() {
			synctest.Wait()
			select {
			case s := <-got:
				t.Errorf("Next returned %s too early", s)
			default:
			}
		}
		wantWaiting()
		mustAppend(t, j, "a")
		wantWaiting()
		mustAppend(t, j, "b")
		if s := <-got; s != "2b<nil>" {
			t.Errorf("Next = %s", s)
		}
		wantWaiting()
		cancel()
		if s := <-got; s != "0context canceled" {
			t.Errorf("Next = %s", s)
		}
	})
}

func TestNextReturnsEOFAfterClose(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		j := mustOpen(t, dir, Options{})
		r := j.Reader(1)
		end := make(chan error)
		go func() {
			_, _, err := r.Next(t.Context())
			end <- err
		}()
		synctest.Wait()
		mustClose(t, j)
		if err := <-end; err != io.EOF {
			t.Errorf("Next = %v, want EOF", err)
		}
		if err := errors.Join(r.Close(), r.Close()); err != nil {
			t.Error(err)
		}
		if _, _, err := r.Next(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("Next of a closed reader = %v, want %v", err, ErrClosed)
		}
	})
}
