package gtfs_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nhip/geo/gtfs"
	"nhip/internal/memorytest"
	"nhip/internal/suitetest"
)

// generate returns an archive in which a file has the rows that write makes.
func generate(t *testing.T, files map[string]string, name string, write func(w io.Writer)) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for other, text := range files {
		if other == name {
			continue
		}
		if w, err := z.Create(other); err != nil {
			t.Fatal(err)
		} else if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	w, err := z.CreateHeader(&zip.FileHeader{Name: name}) // stored: every bound but that of the ratio
	if err != nil {
		t.Fatal(err)
	}
	write(w)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// repeat returns a function that writes a header and then n copies of a text.
func repeat(header, text string, n int) func(io.Writer) {
	return func(w io.Writer) {
		block := strings.Repeat(text, 1000)
		io.WriteString(w, header)
		for range n / 1000 {
			io.WriteString(w, block)
		}
	}
}

// numbered returns a function that writes a header and then n rows, each made from its number.
func numbered(header, format string, n int) func(io.Writer) {
	return func(w io.Writer) {
		io.WriteString(w, header)
		for i := range n {
			fmt.Fprintf(w, format, i)
		}
	}
}

// hostile are archives that need many times their unpacked size of memory without a bound.
var hostile = map[string]struct {
	file  string
	write func(io.Writer)
}{
	"one row of 5 million commas":       {"stops.txt", repeat("stop_id,stop_name\n", ",", 5e6)},
	"a header of commas":                {"stops.txt", repeat("stop_id", ",", 5e6)},
	"one quoted field of 5 MB":          {"stops.txt", repeat("stop_id,stop_name,stop_lat,stop_lon\n\"", "x\n", 4e6)},
	"a row of 5 MB in an unused column": {"routes.txt", repeat("route_id,route_type,x\n", "y", 5e6)},
	"agencies without an id": {
		"agency.txt", numbered("agency_id,agency_name,agency_url,agency_timezone\n", "%d,a,u,Asia/Ho_Chi_Minh\n", 200e3),
	},
	"stops of 14 bytes": {"stops.txt", numbered("stop_id,stop_name,stop_lat,stop_lon\n", "%d,a,1,1\n", 250e3)},
	"trips of 13 bytes": {"trips.txt", numbered("trip_id,route_id,service_id\n", "%d,r1,wd\n", 250e3)},
	"translations": {
		"translations.txt", numbered("table_name,field_name,language,record_id,translation\n", "a,b,c,%d,d\n", 200e3),
	},
	"services of one day": {
		"calendar_dates.txt", numbered("service_id,date,exception_type\n", "%d,20260101,1\n", 200e3),
	},
	"shapes of one point": {
		"shapes.txt", numbered("shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\n", "%d,1,1,1\n", 200e3),
	},
	"stop times of 8 bytes": {
		"stop_times.txt", repeat("trip_id,stop_id,stop_sequence,arrival_time,departure_time\n", "t1,s1,0,,\n", 3e6),
	},
	"a frequency of a second": {
		"frequencies.txt", repeat("trip_id,start_time,end_time,headway_secs\n", "t1,00:00:00,240:00:00,1\n", 200e3),
	},
}

// TestHostileTimetablesNeedLittleMemory reads each archive in a process of its own.
func TestHostileTimetablesNeedLittleMemory(t *testing.T) {
	for name, h := range hostile {
		t.Run(name, func(t *testing.T) {
			var path string
			if dir := os.Getenv("NHIP_MEMORY_DIR"); dir != "" {
				path = filepath.Join(dir, "feed.zip")
			} else {
				dir := t.TempDir()
				t.Setenv("NHIP_MEMORY_DIR", dir)
				path = filepath.Join(dir, "feed.zip")
				if err := os.WriteFile(path, generate(t, small, h.file, h.write), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			peak, measured := memorytest.Peak(t, func() {
				_, err := gtfs.ReadFile(path)
				if err != nil && len(err.Error()) > 100<<10 {
					t.Errorf("an error of %d bytes", len(err.Error()))
				}
				t.Logf("%.300v", err)
			})
			if !measured {
				return
			}
			t.Logf("%d MB", peak>>20)
			if most := int64(80 << 20); peak > most {
				t.Errorf("%d MB of memory, want at most %d", peak>>20, most>>20)
			}
		})
	}
}

// TestTimetableIsReadWithinFourTimesItsSize reads a valid timetable of which most is stop times.
func TestTimetableIsReadWithinFourTimesItsSize(t *testing.T) {
	trips := suitetest.Pick(4_000, 100_000)
	const calls = 40
	path := filepath.Join(t.TempDir(), "feed.zip")
	if dir := os.Getenv("NHIP_MEMORY_DIR"); dir != "" {
		path = filepath.Join(dir, "feed.zip")
	} else {
		t.Setenv("NHIP_MEMORY_DIR", filepath.Dir(path))
		var names, times strings.Builder
		names.WriteString("route_id,service_id,trip_id,trip_headsign\n")
		times.WriteString("trip_id,arrival_time,departure_time,stop_id,stop_sequence\n")
		for i := range trips {
			fmt.Fprintf(&names, "r1,wd,trip-%d-weekday,Bến xe Mỹ Đình\n", i)
			for k := range calls {
				fmt.Fprintf(&times, "trip-%d-weekday,%02d:%02d:00,%02d:%02d:20,s%d,%d\n", i, 6+i%17, k, 6+i%17, k, 1+k%3, k)
			}
		}
		raw := generate(t, with(map[string]string{"trips.txt": names.String()}), "stop_times.txt", func(w io.Writer) {
			io.WriteString(w, times.String())
		})
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	peak, measured := memorytest.Peak(t, func() {
		f, err := gtfs.ReadFile(path)
		if err != nil || len(f.Trips) != trips || len(f.Trips[trips-1].StopTimes) != calls {
			t.Error(err)
		}
	})
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	size := info.Size() // stop times are stored, and the rest is small
	if t.Logf("%d MB for %d MB", peak>>20, size>>20); measured && peak > 4*size+processMemory {
		t.Errorf("%d MB of memory for %d MB, want at most four times", peak>>20, size>>20)
	}
}

// processMemory is what a process needs that reads nothing, bytes.
const processMemory = 8 << 20

// TestMain removes what the tests of memory have built.
func TestMain(m *testing.M) { memorytest.Main(m) }
