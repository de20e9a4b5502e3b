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

// checkTree checks the invariants of the tree.
func checkTree(t interface{ Fatalf(string, ...any) }, x *Index[thing], want int) {
	var walk func(tr tree[thing], slot cell) int
	walk = func(tr tree[thing], slot cell) int {
		if tr.node == nil {
			if len(tr.points) > leafSize {
				t.Fatalf("leaf with %d points", len(tr.points))
			}
			for _, s := range tr.points {
				if !covers(&slot, s.e) {
					t.Fatalf("%s at %v lies outside its cell %v", s.e.id, s.e.point, slot)
				}
			}
			return len(tr.points)
		}
		n, full := 0, 0
		for q, k := range tr.children {
			size := walk(k, tr.child(q))
			n += size
			if size > 0 {
				full++
			}
		}
		if n != tr.count || n <= leafSize/2 || tr.spatial() && full < 2 {
			t.Fatalf("node with %d points has the count %d and %d non-empty children", n, tr.count, full)
		}
		return n
	}
	if got := walk(x.tree(), world); got != want || x.Len() != want {
		t.Fatalf("%d points in the tree, Len is %d, want %d", got, x.Len(), want)
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
		t.Errorf("a is still found at its old place: %v", got)
	}
	if !x.Remove("a") || x.Remove("a") || x.Remove("never") {
		t.Error("Remove does not report whether there was an item")
	}
	if _, ok := x.Get("a"); ok || x.Len() != 1 {
		t.Errorf("a is still found, Len is %d", x.Len())
	}
}

func TestSetRejectsInvalidCoordinates(t *testing.T) {
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
		{"", orb.Point{105.8, 21}, nhip.CodeMissing, "id"},
		{"a", orb.Point{105.8, 90.01}, nhip.CodeOutOfRange, "lat"},
		{"a", orb.Point{-180.01, 21}, nhip.CodeOutOfRange, "lon"},
		{"a", orb.Point{math.NaN(), 21}, nhip.CodeOutOfRange, "lon"},
		{"a", orb.Point{105.8, math.Inf(1)}, nhip.CodeOutOfRange, "lat"},
	} {
		err := x.Set(c.id, c.p, 2)
		if e, ok := err.(*nhip.Error); !ok || e.Code != c.code || e.Field != c.field {
			t.Errorf("Set(%q, %v): %v, want error %s of field %s", c.id, c.p, err, c.code, c.field)
		}
	}
	if got, _ := x.Get("a"); got != 1 || x.Len() != 1 {
		t.Errorf("rejected Set changed the index: %d, Len %d", got, x.Len())
	}
}

// 5,000 items are set at one point and then move away.
func TestManyItemsAtOnePlace(t *testing.T) {
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
		t.Error("items at equal distance are not ordered by id:", diff)
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

// The nearest item is found even if it is the only one, at the other end of the world.
func TestNearestFarAway(t *testing.T) {
	x := New[int]()
	if err := x.Set("far", orb.Point{-74.2, -21}, 0); err != nil {
		t.Fatal(err)
	}
	if got := x.Nearest(nil, orb.Point{105.8, 21}, 10, math.Inf(1), nil); len(got) != 1 || got[0].Metres < 2e7 {
		t.Errorf("got %v", got)
	}
}

// Items move while other goroutines read. With -race the test also detects unsynchronised access.
func TestReadersSeeConsistentState(t *testing.T) {
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
					t.Errorf("%s is not found at its place", id)
				}
			}
		})
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, 3))
			var hits []Hit[int]
			for left.Load() > 0 {
				if hits = x.Within(hits, Box{-180, -90, 180, 90}, nil); len(hits) != n {
					t.Errorf("Within returned %d of %d items", len(hits), n)
				}
				if hits = x.Nearest(hits, hanoi.random(r), n, math.Inf(1), nil); len(hits) != n {
					t.Errorf("Nearest returned %d of %d items", len(hits), n)
				}
				if _, ok := x.Get(fmt.Sprint(r.IntN(n))); !ok {
					t.Error("moving item is not found by its id")
				}
			}
		})
	}
	wg.Wait()
}
