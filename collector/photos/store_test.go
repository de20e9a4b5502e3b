package photos

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip"

	"github.com/prometheus/client_golang/prometheus"
)

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func open(t *testing.T, dir string, c nhip.Clock, maxBytes int64) *Store {
	t.Helper()
	s, err := Open(Options{Dir: dir, Clock: c, MaxBytes: maxBytes, Registry: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func jpegOf(size int) []byte {
	return append([]byte("\xff\xd8\xff"), bytes.Repeat([]byte{7}, size-3)...)
}

// put sends a photo in parts.
func put(s *Store, id string, data []byte) error {
	for at := 0; ; at += nhip.MaxPhotoChunk {
		end := min(len(data), at+nhip.MaxPhotoChunk)
		c := nhip.PhotoChunk{Report: id, Offset: at, Data: data[at:end], Last: end == len(data)}
		if _, err := s.Put(context.Background(), c); err != nil || c.Last {
			return err
		}
	}
}

// get reads a photo in parts.
func get(t *testing.T, s *Store, id string) []byte {
	t.Helper()
	var out []byte
	for {
		part, err := s.Get(context.Background(), nhip.PhotoQuery{Report: id, Offset: len(out)})
		if nhip.ErrorCode(err) == nhip.CodeNotFound {
			return nil
		}
		if err != nil {
			t.Fatal(err)
		}
		if out = append(out, part.Data...); len(out) >= part.Size {
			return out
		}
	}
}

func TestPhotosOutliveRestarts(t *testing.T) {
	dir, c := t.TempDir(), &clock{time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)}
	s := open(t, dir, c, 0)
	want := jpegOf(100_000)
	if err := put(s, "ABCDEFGH", want); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "2026-02-16", "ABCDEFGI.jpg.tmp123")
	if err := os.WriteFile(broken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, c, 0)
	if got := get(t, s, "ABCDEFGH"); !bytes.Equal(got, want) || s.bytes != 100_000 {
		t.Errorf("%d bytes, %d counted", len(got), s.bytes)
	}
	if _, err := os.Stat(broken); err == nil {
		t.Error("a file that a crash left behind stays")
	}
	if _, err := s.Remove(context.Background(), nhip.PhotoQuery{Report: "ABCDEFGH"}); err != nil || s.bytes != 0 {
		t.Error(err, s.bytes)
	}
	if get(t, open(t, dir, c, 0), "ABCDEFGH") != nil {
		t.Error("a removed photo is back")
	}
}

func TestPhotosAreBounded(t *testing.T) {
	c := &clock{time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)}
	s := open(t, t.TempDir(), c, 300_000)
	if err := put(s, "AAAAAAAA", jpegOf(200_000)); err != nil {
		t.Fatal(err)
	}
	if err := put(s, "BBBBBBBB", jpegOf(200_000)); nhip.ErrorCode(err) != nhip.CodeUnavailable {
		t.Errorf("a day beyond the bound: %v", err)
	}
	c.now = c.now.AddDate(0, 0, 1)
	if err := put(s, "BBBBBBBB", jpegOf(200_000)); err != nil {
		t.Error(err)
	}
	if get(t, s, "AAAAAAAA") != nil || len(get(t, s, "BBBBBBBB")) != 200_000 || s.bytes != 200_000 {
		t.Errorf("the older photo does not go for the newer one; %d bytes", s.bytes)
	}
	c.now = c.now.Add(DefaultKeep + 48*time.Hour)
	if days, err := s.Prune(); err != nil || len(days) != 1 || get(t, s, "BBBBBBBB") != nil || s.bytes != 0 {
		t.Errorf("%v %v", days, err)
	}
}

func TestBadPartsAreRefused(t *testing.T) {
	s := open(t, t.TempDir(), &clock{time.Unix(1e9, 0)}, 0)
	for name, c := range map[string]struct {
		part nhip.PhotoChunk
		want string
	}{
		"path":    {nhip.PhotoChunk{Report: "../../../etc/passwd", Data: jpegOf(9), Last: true}, "must be the id"},
		"gap":     {nhip.PhotoChunk{Report: "AAAAAAAA", Offset: 5, Data: jpegOf(9), Last: true}, "not received whole"},
		"no JPEG": {nhip.PhotoChunk{Report: "AAAAAAAA", Data: []byte("<html>"), Last: true}, "must be a JPEG"},
		"large":   {nhip.PhotoChunk{Report: "AAAAAAAA", Data: jpegOf(maxPhoto + 1), Last: true}, "at most"},
	} {
		if _, err := s.Put(context.Background(), c.part); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range maxUploads {
		id := "AAAAAAA" + string(rune('A'+i%26)) + string(rune('A'+i/26))
		if _, err := s.Put(context.Background(), nhip.PhotoChunk{Report: id, Data: jpegOf(9)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(s, "ZZZZZZZZ", jpegOf(9)); nhip.ErrorCode(err) != nhip.CodeUnavailable {
		t.Errorf("too many uploads: %v", err)
	}
}
