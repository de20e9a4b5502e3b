package sim

import (
	"bytes"
	"testing"
	"time"

	"github.com/paulmach/orb/geo"

	"nhip/geo/gtfs"
)

func TestDump(t *testing.T) {
	s := time.Now()
	n, err := City()
	if err != nil {
		t.Fatal(err)
	}
	f, err := n.Feed()
	if err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(s), len(f.Stops), len(f.Trips), len(f.Shapes))
	calls := 0
	for _, tr := range f.Trips {
		calls += len(tr.StopTimes)
	}
	pts := 0
	for _, sh := range f.Shapes {
		pts += len(sh.Line)
	}
	t.Log("calls", calls, "pts", pts)
	for key, e := range n.edges {
		if l := lengthOf(e.middle); len(e.stops) > 0 && (l/float64(len(e.stops)) < 380 || l/float64(len(e.stops)) > 620) {
			t.Log("edge", key, l, len(e.stops))
		}
	}
	for _, l := range n.lines {
		for i := range l.ways {
			w := &l.ways[i]
			p := newPath(w.shape)
			al := p.stopsAlong(w.stops)
			calls := w.calls(al, 13*3600)
			d := calls[len(calls)-1].Arrival - calls[0].Departure
			rush := w.calls(al, 17*3600)
			dr := rush[len(calls)-1].Arrival - rush[0].Departure
			t.Logf("line %s-%d %.1f km %d stops, %d min (%.1f km/h) rush %d (%.1f)", l.number, i, p.length()/1000, len(w.stops), d/60, p.length()/float64(d)*3.6, dr/60, p.length()/float64(dr)*3.6)
			for k := 1; k < len(al); k++ {
				pt, _ := p.at(al[k], 0)
				off := geo.DistanceHaversine(pt, w.stops[k].Point)
				g := al[k] - al[k-1]
				if off > 15 || g < 400 || g > 600 {
					t.Logf("   %s-%d gap %.0f off %.0f %d/%d  %s -> %s", l.number, i, g, off, k, len(al)-1, w.stops[k-1].Name, w.stops[k].Name)
				}
			}
		}
	}
	var b bytes.Buffer
	s = time.Now()
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	t.Log(b.Len(), time.Since(s))
	if _, err := gtfs.Read(bytes.NewReader(b.Bytes()), int64(b.Len())); err != nil {
		t.Fatal(err)
	}
}
