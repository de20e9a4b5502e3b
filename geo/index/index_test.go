package index

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"nhip"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
)

// checkTree holds the tree to its own rules.
func checkTree(t interface{ Fatalf(string, ...any) }, x *Index[thing], want int) {
	var walk func(tr tree[thing], slot cell) int
	walk = func(tr tree[thing], slot cell) int {
		if tr.fork == nil {
			if len(tr.spots) > leafSize {
				t.Fatalf("a leaf of %d", len(tr.spots))
			}
			for _, s := range tr.spots {
				if !covers(&slot, s.e) {
					t.Fatalf("%s at %v is not in its cell %v", s.e.id, s.e.point, slot)
				}
			}
			return len(tr.spots)
		}
		n, full := 0, 0
		for q, k := range tr.kids {
			size := walk(k, tr.child(q))
			n += size
			if size > 0 {
				full++
			}
		}
		if n != tr.count || n <= leafSize/2 || tr.spatial() && full < 2 {
			t.Fatalf("a fork of %d counts %d in %d kids", n, tr.count, full)
		}
		return n
	}
	if got := walk(x.tree(), world); got != want || x.Len() != want {
		t.Fatalf("the tree holds %d, Len says %d, want %d", got, x.Len(), want)
	}
}

func TestSetMovesAndRemoves(t *testing.T) {
	x := New[string]()
	set := func(id string, p orb.Point, item string) {
		t.Helper()
		if err := x.Set(id, p, item); err != nil {
			t.Fatal(err)
		}
	}
	set("a", orb.Point{105.8, 21}, "first")
	set("b", orb.Point{105.9, 21}, "other")
	set("a", orb.Point{2.35, 48.85}, "second")

	if got, ok := x.Get("a"); !ok || got != "second" {
		t.Errorf("Get = %q, %v", got, ok)
	}
	want := []Hit[string]{{"a", "second", orb.Point{2.35, 48.85}, 0}}
	if diff := cmp.Diff(want, x.Nearest(nil, orb.Point{2.35, 48.85}, 1, 10, nil)); diff != "" {
		t.Error(diff)
	}
	if got := x.Nearest(nil, orb.Point{105.8, 21}, 5, 10, nil); len(got) != 0 {
		t.Errorf("a is still where it was: %v", got)
	}
	if !x.Remove("a") || x.Remove("a") || x.Remove("never") {
		t.Error("Remove must report whether there was one")
	}
	if _, ok := x.Get("a"); ok || x.Len() != 1 {
		t.Errorf("a is still there, of %d", x.Len())
	}
}

func TestSetRefusesWhatIsNoPlace(t *testing.T) {
	x := New[int]()
	if err := x.Set("a", orb.Point{105.8, 21}, 1); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		id    string
		p     orb.Point
		code  nhip.Code
		field string
	}{
		{"", orb.Point{105.8, 21}, nhip.Missing, "id"},
		{"a", orb.Point{105.8, 90.01}, nhip.OutOfRange, "lat"},
		{"a", orb.Point{-180.01, 21}, nhip.OutOfRange, "lon"},
		{"a", orb.Point{math.NaN(), 21}, nhip.OutOfRange, "lon"},
		{"a", orb.Point{105.8, math.Inf(1)}, nhip.OutOfRange, "lat"},
	} {
		err := x.Set(c.id, c.p, 2)
		if e, ok := err.(*nhip.Error); !ok || e.Code != c.code || e.Field != c.field {
			t.Errorf("Set(%q, %v): %v, want %s of %s", c.id, c.p, err, c.code, c.field)
		}
	}
	if got, _ := x.Get("a"); got != 1 || x.Len() != 1 {
		t.Errorf("a refused Set changed the index: %d of %d", got, x.Len())
	}
}

// TestDepot parks 5,000 things in one spot and drives them away again.
func TestDepot(t *testing.T) {
	x := New[thing]()
	depot := orb.Point{105.8, 21}
	for i := range 5000 {
		if err := x.Set(fmt.Sprintf("%04d", i), depot, thing{}); err != nil {
			t.Fatal(err)
		}
	}
	checkTree(t, x, 5000)
	got := x.Nearest(nil, orb.Point{105.81, 21}, 3, math.Inf(1), nil)
	if diff := cmp.Diff([]string{"0000", "0001", "0002"}, ids(got)); diff != "" {
		t.Error("equally far things go by id:", diff)
	}
	for i := range 5000 {
		if err := x.Set(fmt.Sprintf("%04d", i), orb.Point{105.8, 21.1 + float64(i)/1e5}, thing{}); err != nil {
			t.Fatal(err)
		}
	}
	checkTree(t, x, 5000)
	for i := range 5000 {
		x.Remove(fmt.Sprintf("%04d", i))
	}
	checkTree(t, x, 0)
}

// TestFarAway: the nearest is found when it is the only one, at the other end of the world.
func TestFarAway(t *testing.T) {
	x := New[int]()
	if err := x.Set("far", orb.Point{-74.2, -21}, 0); err != nil {
		t.Fatal(err)
	}
	if got := x.Nearest(nil, orb.Point{105.8, 21}, 10, math.Inf(1), nil); len(got) != 1 || got[0].Metres < 2e7 {
		t.Errorf("got %v", got)
	}
}

// TestReadersSeeOneMoment moves things about while others read. Under -race it also shows that
// nothing is shared without care.
func TestReadersSeeOneMoment(t *testing.T) {
	const n, moves = 500, 20_000
	x := New[int]()
	r := rand.New(rand.NewPCG(1, 1))
	for i := range n {
		if err := x.Set(fmt.Sprint(i), hanoi.random(r), i); err != nil {
			t.Fatal(err)
		}
	}
	var left atomic.Int64
	left.Store(moves)
	var wg sync.WaitGroup
	for seed := range uint64(2) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, 2))
			for left.Add(-1) >= 0 {
				id, p := fmt.Sprint(r.IntN(n/2)*2+int(seed)), hanoi.random(r)
				if err := x.Set(id, p, 0); err != nil {
					t.Error(err)
				}
				if got := x.Nearest(nil, p, 1, 1, func(*int) bool { return true }); len(got) == 0 {
					t.Errorf("%s is not found where it was set", id)
				}
			}
		})
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, 3))
			var hits []Hit[int]
			for left.Load() > 0 {
				if hits = x.Within(hits, Box{-180, -90, 180, 90}, nil); len(hits) != n {
					t.Errorf("a reader sees %d things of %d", len(hits), n)
				}
				if hits = x.Nearest(hits, hanoi.random(r), n, math.Inf(1), nil); len(hits) != n {
					t.Errorf("a reader finds %d things of %d", len(hits), n)
				}
				if _, ok := x.Get(fmt.Sprint(r.IntN(n))); !ok {
					t.Error("a thing that moves is not found by its id")
				}
			}
		})
	}
	wg.Wait()
}
