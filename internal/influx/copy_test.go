package influx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"

	"pgregory.net/rapid"
)

// copied is a copy of a bucket with rows of every kind: those of nhip, and rows of other programs with characters that
// have a meaning, with numbers at the ends of their ranges, and with times that are no whole milliseconds.
type copied struct {
	server *influxtest.Instance
	from   *influx.DB
	o      influx.CopyOptions
}

func newCopied(t *testing.T, server *influxtest.Instance, name string) *copied {
	t.Helper()
	c := &copied{server: server, from: influxtest.Open(t, server, name+" from")}
	c.o = influx.CopyOptions{
		From: server.Options(t, name+" from"), To: server.Options(t, name+" to"),
		Progress: filepath.Join(t.TempDir(), "progress"),
	}
	return c
}

func (c *copied) write(t *testing.T, lines []byte) {
	t.Helper()
	if err := c.from.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
}

func (c *copied) copy(t *testing.T) influx.CopyProgress {
	t.Helper()
	done, err := influx.Copy(t.Context(), c.o)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// same compares the two buckets by what InfluxDB itself answers.
func (c *copied) same(t *testing.T, when string, measurements ...string) {
	t.Helper()
	for _, m := range measurements {
		statement := fmt.Sprintf("SELECT * FROM %q GROUP BY *; SHOW FIELD KEYS FROM %q", m, m)
		want := influxtest.Answer(t, c.o.From, statement)
		got := influxtest.Answer(t, c.o.To, statement)
		if !bytes.Contains(want, []byte("fieldKey")) && when == "after a copy" {
			t.Errorf("%s has no rows: %s", m, want)
		}
		if !bytes.Equal(want, got) {
			t.Errorf("%s: %s differs:\n%.2000s\n%.2000s", when, m, want, got)
		}
	}
}

// cityRows returns rows of every measurement of nhip.
func cityRows() []byte {
	var lines []byte
	for i, p := range rapid.SliceOfN(positions(), 100, 100).Example(3) {
		p.Time = noon.Add(time.Duration(i) * 37 * time.Second)
		lines = influx.AppendPosition(lines, &p, received)
	}
	for i, r := range rapid.SliceOfN(readings(), 100, 100).Example(4) {
		r.Time = noon.Add(-time.Duration(i) * 13 * time.Hour)
		lines = influx.AppendReading(lines, &r, received)
	}
	a, at := fullArrival(), noon.Add(-time.Hour)
	lines = influx.AppendArrival(lines, &a)
	lines = influx.AppendMarker(lines, &influx.Marker{Collector: "main", ID: "x", Time: at})
	lines = influx.AppendDeletion(lines, &influx.Deletion{Measurement: influx.ReadingMeasurement, Until: at, Time: at})
	lines = influx.AppendRollup(lines, &nhip.Rollup{
		Station: `a "b"\`, Quantity: nhip.PM25, Period: nhip.PeriodHour, Quality: nhip.QualityRaw, Time: noon,
		RollupStats: nhip.RollupStats{Mean: 1.0 / 3, Max: 7, Count: 3},
	}, influx.NetworkHour{Typical: nhip.Some(6.5), Tests: "neighbours=4"}, at)
	lines = append(lines, "reading,period=1h,quantity=pm25,station=hn-01 auto=3i,corrected=7,rule=\"\",tests=\"spike=4\" "+
		"1772452800000\n"...)
	lines = append(lines, "position_revision,agency=hanoi,event=vp,revision=1,vehicle=7 lat=21,lon=105.8,received=1i "+
		"1772452800000\n"...)
	lines = append(lines, "reading_revision,period=1h,quantity=pm25,revision=2,station=hn-01 value=8,received=1i "+
		"1772452800000\n"...)
	lines = append(lines, "review,id=r1,station=hn-01 action=\"annotate\",why=\"đốt \\\"rác\\\" \\\\ x\",received=1i "+
		"1772452800000\n"...)
	lines = append(lines, "ack,alert=a\\ b by=\"Lan\",received=1i 1772452800000\n"...)
	return lines
}

// foreignRows are rows of other programs, with times in ns.
const foreignRows = `odd\ name\,x,tag\ \=\,k=v\ \=\,v,ü=＼- f\ \=\,1="a\"b\\c",g=1,h=-0` +
	`,i=9223372036854775807i,j=-9223372036854775808i,k=t,l=1e300,m=5e-324,n=0.1 1772452800000000001
odd\ name\,x n=3 1772452800000000002
odd\ name\,x f\ \=\,1="two
lines, = and \\n" 0
cpu,host=a usage=0.30000000000000004 1600000000123456789
`

var cityMeasurements = []string{
	influx.PositionMeasurement, influx.PositionRevision, influx.ReadingMeasurement, influx.ReadingRevision,
	influx.ArrivalMeasurement, influx.RollupMeasurement, influx.ReviewMeasurement, influx.AckMeasurement,
	influx.MarkerMeasurement, influx.DeletionMeasurement, "odd name,x", "cpu",
}

// TestCopy copies a bucket of a real InfluxDB.
func TestCopy(t *testing.T) {
	t.Parallel()
	server := influxtest.Server(t)
	for name, test := range map[string]func(*testing.T, *influxtest.Instance){
		"every row": copyEveryRow, "changes": copyChanges, "interrupted": copyInterrupted, "foreign rows": copyForeign,
		"unavailable": copyUnavailable, "two types": copyTwoTypes, "other file": copyOtherFile,
		"strange times": copyStrangeTimes, "rate": copyRate,
	} {
		t.Run(name, func(t *testing.T) { test(t, server) })
	}
}

func copyEveryRow(t *testing.T, server *influxtest.Instance) {
	c := newCopied(t, server, `it's "every"`)
	c.write(t, cityRows())
	server.WriteIn(t, `it's "every" from`, "ns", foreignRows)
	done := c.copy(t)
	c.same(t, "after a copy", cityMeasurements...)
	if done.Read < 213 || done.Written != done.Read || done.Deleted != 0 {
		t.Errorf("%+v", done)
	}
	if again := c.copy(t); again.Written != 0 || again.Read != done.Read {
		t.Errorf("a second run: %+v", again)
	}
}

// copyChanges changes rows of the source between two runs: new rows, other values of old rows, rows that are gone, a
// measurement that is gone.
func copyChanges(t *testing.T, server *influxtest.Instance) {
	c := newCopied(t, server, "changes")
	c.write(t, cityRows())
	c.copy(t)
	c.write(t, []byte("reading,period=1h,quantity=pm25,station=hn-01 auto=1i,corrected=6.5,rule=\"x\",tests=\"\" "+
		"1772452800000\n"+
		"position,agency=hanoi,vehicle=new lat=21,lon=105.8,received=1i 1772452801000\n"+
		"later,agency=hanoi lat=21 1772452801000\n"))
	server.Delete(t, "changes from", influxtest.Deletion{
		Measurement: influx.PositionMeasurement, From: noon.Add(20 * time.Minute),
	})
	server.Delete(t, "changes from", influxtest.Deletion{Measurement: influx.AckMeasurement})
	done := c.copy(t)
	c.same(t, "after changes", append(cityMeasurements, "later")...)
	if done.Deleted == 0 || done.Written == 0 || done.Written >= done.Read {
		t.Errorf("%+v", done)
	}
	if again := c.copy(t); again.Written != 0 || again.Deleted != 0 {
		t.Errorf("afterwards: %+v", again)
	}
	c.o.Since = noon.Add(24 * time.Hour)
	if recent := c.copy(t); recent.Read >= done.Read {
		t.Errorf("a run over recent spans reads %d rows", recent.Read)
	}
}

// copyInterrupted ends a copy after each of its spans, tears the last record of its file, and goes on.
func copyInterrupted(t *testing.T, server *influxtest.Instance) {
	c := newCopied(t, server, "interrupted")
	c.write(t, cityRows())
	written := int64(0)
	for spans := 1; ; spans += 7 {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		c.o.Notify = func(influx.CopyProgress) {
			if n++; n == spans {
				cancel()
			}
		}
		done, err := influx.Copy(ctx, c.o)
		cancel()
		written += done.Written
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(c.o.Progress)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(c.o.Progress, raw[:len(raw)-5], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.same(t, "after interruptions", cityMeasurements[:10]...)
	if written > 2*213 {
		t.Errorf("%d rows written", written)
	}
}

// copyForeign copies to a bucket that another program writes to. Its rows must not be deleted.
func copyForeign(t *testing.T, server *influxtest.Instance) {
	c := newCopied(t, server, "foreign")
	c.write(t, cityRows())
	c.copy(t)
	const line = "position,agency=hanoi,vehicle=foreign lat=1,received=1i 1772452805000\n"
	other := influxtest.Open(t, server, "foreign to")
	if err := other.Write(t.Context(), []byte(line)); err != nil {
		t.Fatal(err)
	}
	if done := c.copy(t); done.Written > 0 || done.Deleted > 0 {
		t.Errorf("without changes of the source: %+v", done)
	}
	server.Delete(t, "foreign from", influxtest.Deletion{
		Measurement: influx.PositionMeasurement, From: noon.Add(20 * time.Minute),
	})
	_, err := influx.Copy(t.Context(), c.o)
	if nhip.ErrorCode(err) != nhip.CodeInvalid ||
		!strings.Contains(fmt.Sprint(err), "has other rows than those that were copied") {
		t.Errorf("with a row of another program: %v", err)
	}
	got := influxtest.Answer(t, c.o.To, "SELECT lat FROM position WHERE vehicle = 'foreign'")
	if !bytes.Contains(got, []byte("1772452805000000000")) {
		t.Errorf("the row of the other program is gone: %s", got)
	}
}

// copyUnavailable copies through a proxy that fails every third request, cuts answers off and refuses connections.
func copyUnavailable(t *testing.T, server *influxtest.Instance) {
	c := newCopied(t, server, "unavailable")
	c.write(t, cityRows())
	target, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(target)
	pass.Transport = &http.Transport{}
	var n atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/write") {
			switch n.Add(1) % 5 {
			case 0:
				http.Error(w, "busy", http.StatusServiceUnavailable)
				return
			case 1:
				panic(http.ErrAbortHandler)
			}
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	c.o.To.URL = proxy.URL
	for { // a copy that can't even open the bucket ends, and is started again
		_, err := influx.Copy(t.Context(), c.o)
		if err == nil {
			break
		}
		if nhip.ErrorCode(err) != nhip.CodeUnavailable {
			t.Fatal(err)
		}
	}
	c.o.To.URL = server.URL()
	c.same(t, "through a bad proxy", cityMeasurements[:10]...)
}

func copyStrangeTimes(t *testing.T, server *influxtest.Instance) {
	for i, at := range []string{"-1", "7258118400000000000"} {
		name := fmt.Sprint("times ", i)
		c := newCopied(t, server, name)
		server.WriteIn(t, name+" from", "ns", "m f=1 "+at+"\nm f=1 1772452800000000000\n")
		_, err := influx.Copy(t.Context(), c.o)
		if nhip.ErrorCode(err) != nhip.CodeInvalid ||
			!strings.Contains(fmt.Sprint(err), "m: has rows before 1970 or after 2199") {
			t.Errorf("with a row at %s: %v", at, err)
		}
	}
}

func copyTwoTypes(t *testing.T, server *influxtest.Instance) {
	c := newCopied(t, server, "types")
	c.write(t, []byte("m f=1 1772452800000\n"))
	c.write(t, []byte("m f=\"x\" 1572452800000\n")) // in another shard
	_, err := influx.Copy(t.Context(), c.o)
	if nhip.ErrorCode(err) != nhip.CodeInvalid || !strings.Contains(fmt.Sprint(err), "has two types in the database") {
		t.Errorf("%v", err)
	}
}

func copyOtherFile(t *testing.T, server *influxtest.Instance) {
	c := newCopied(t, server, "file")
	c.write(t, []byte("m f=1 1772452800000\n"))
	c.copy(t)
	c.o.To = server.Options(t, "file to another")
	_, err := influx.Copy(t.Context(), c.o)
	if nhip.ErrorCode(err) != nhip.CodeInvalid || !strings.Contains(fmt.Sprint(err), "name another file with --progress") {
		t.Errorf("%v", err)
	}
	c.o.To = c.o.From
	if _, err := influx.Copy(t.Context(), c.o); !strings.Contains(fmt.Sprint(err), "must be another bucket") {
		t.Errorf("onto itself: %v", err)
	}
}

func copyRate(t *testing.T, server *influxtest.Instance) {
	c := newCopied(t, server, "rate")
	var lines []byte
	for i := range 15_000 {
		lines = fmt.Appendf(lines, "m f=%d %d\n", i, noon.UnixMilli()+int64(i))
	}
	c.write(t, lines)
	c.o.Rate = 20_000 // read, written and read again: 30,000 rows, of which the first 20,000 at once
	began := time.Now()
	c.copy(t)
	if took := time.Since(began); took < 450*time.Millisecond {
		t.Errorf("30,000 rows took %s at 20,000 a second", took)
	}
}
