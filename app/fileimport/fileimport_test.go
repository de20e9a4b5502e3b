package fileimport_test

import (
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/app"
	"nhip/app/fileimport"
	"nhip/collector/officetable"
	"nhip/internal/config"
)

// published collects messages by topic.
type published struct {
	topics   []string
	payloads []string
	fault    error // of every message
}

// Publish adds a message.
func (p *published) Publish(_ context.Context, topic string, payload []byte) error {
	if p.fault != nil {
		return p.fault
	}
	p.topics, p.payloads = append(p.topics, topic), append(p.payloads, string(payload))
	return nil
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func options(format string, out fileimport.Publisher) fileimport.Options {
	conf := config.Default()
	return fileimport.Options{Format: format, Feed: app.ImportFeed(&conf, format), Out: out}
}

// ownForm is a table in the platform's own form, with a faulty value in its third line.
const ownForm = "station,quantity,time,period,value\nhn-01,pm25,2001-02-16T08:00:00Z,1h,20\n" +
	"hn-01,pm25,2001-02-16T09:00:00Z,1h,much\nhn-02,pm10,2001-02-16T08:00:00Z,1h,30\n"

// TestFileIsPublishedAndCounted imports a table plain and as gzip: both give the same message, counts and fault.
func TestFileIsPublishedAndCounted(t *testing.T) {
	plain := writeFile(t, "hanoi.csv", ownForm)
	var packed strings.Builder
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(ownForm)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{plain, writeFile(t, "hanoi.csv.gz", packed.String())} {
		out := new(published)
		var faults, read []string
		o := options("csv", out)
		o.Rejected = func(fault string) { faults = append(faults, fault) }
		o.Read = func(r *nhip.Reading) { read = append(read, r.Station) }
		imp := fileimport.New(o)
		if err := imp.File(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(out.topics, []string{"nhip/in/import/csv/hanoi"}) || out.payloads[0] != ownForm {
			t.Errorf("%s: published %q to %q", path, out.payloads, out.topics)
		}
		if imp.Readings != 2 || imp.Rejected != 1 || imp.Stations["hn-01"] != 1 || imp.Stations["hn-02"] != 1 {
			t.Errorf("%s: %d readings of %v, %d rejected", path, imp.Readings, imp.Stations, imp.Rejected)
		}
		if !slices.Equal(read, []string{"hn-01", "hn-02"}) {
			t.Errorf("%s: read %q", path, read)
		}
		if len(faults) != 1 || !strings.HasPrefix(faults[0], path+":3: ") {
			t.Errorf("%s: faults %q", path, faults)
		}
	}
}

// TestOfficeTableIsPublishedInOwnForm imports a table of an office, and asks before publishing about one that leaves
// something open.
func TestOfficeTableIsPublishedInOwnForm(t *testing.T) {
	hanoi, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		t.Fatal(err)
	}
	path := writeFile(t, "old-site.csv", "Ngày;Giờ;PM2,5\n13/01/2001;1;20,5\n13/01/2001;24;21,5\n")
	out := new(published)
	o := options(fileimport.OfficeFormat, out)
	o.Table = &officetable.Options{Zone: hanoi}
	imp := fileimport.New(o)
	var notes []string
	if err := imp.CheckTables([]string{path}, func(note string) { notes = append(notes, note) }); err != nil {
		t.Fatal(err)
	}
	if len(notes) == 0 || !strings.HasPrefix(notes[0], path+": ") || len(out.topics) > 0 {
		t.Errorf("notes %q, %d messages before the import", notes, len(out.topics))
	}
	if err := imp.File(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if imp.Stations["old-site"] != 2 || len(out.payloads) != 1 || !strings.Contains(out.payloads[0], "old-site") {
		t.Errorf("stations %v, published %q", imp.Stations, out.payloads)
	}
	open := writeFile(t, "open.csv", "time,no2\n03/04/2001 08:00,1\n")
	if err := imp.CheckTables([]string{path, open}, nil); err == nil || !strings.HasPrefix(err.Error(), open+": ") {
		t.Errorf("a table without a unit: %v", err)
	}
}

// TestImportEndsWithThePublisher fails if a message that was not taken counts as imported.
func TestImportEndsWithThePublisher(t *testing.T) {
	gone := errors.New("the broker is gone")
	imp := fileimport.New(options("csv", &published{fault: gone}))
	if err := imp.File(t.Context(), writeFile(t, "hanoi.csv", ownForm)); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
	if err := imp.File(t.Context(), filepath.Join(t.TempDir(), "missing.csv")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
