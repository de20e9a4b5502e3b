package consume

import (
	"bytes"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func TestPacketsAreReleasedInTheOrderInWhichTheyCame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "packets")
		order := rapid.Permutation(numbers(n)).Draw(t, "outcomes")
		u := newUnacked(maxUnacked)
		var released []uint16
		settled, added := make(map[int]bool), 0
		for _, next := range order {
			for added <= next { // a packet has no outcome before it came
				if number, ok := u.add(uint16(added + 1)); !ok || number != uint64(added) {
					t.Fatalf("packet %d has number %d, %v", added, number, ok)
				}
				added++
			}
			u.settle(uint64(next), false)
			settled[next] = true
			if !settled[len(released)] {
				continue // release would wait
			}
			released, _, _ = u.release(released)
			for i, id := range released {
				if int(id) != i+1 || !settled[i] {
					t.Fatalf("released %v with %v settled", released, settled)
				}
			}
			if settled[len(released)] {
				t.Fatalf("%d is settled and not released", len(released))
			}
		}
		u.close()
		if _, _, ok := u.release(nil); ok || len(released) != n || u.len() != 0 {
			t.Fatalf("%d of %d are released, %d are left", len(released), n, u.len())
		}
	})
}

func numbers(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func TestReleaseTellsWhetherTheDoorTookAny(t *testing.T) {
	u := newUnacked(maxUnacked)
	for number, skipped := range []bool{true, true, false} {
		if _, ok := u.add(1); !ok {
			t.Fatal("not added")
		}
		u.settle(uint64(number), skipped)
		if _, taken, ok := u.release(nil); !ok || taken == skipped {
			t.Errorf("skipped %v, taken %v", skipped, taken)
		}
	}
}

func TestNothingIsReleasedOnceItIsDropped(t *testing.T) {
	u := newUnacked(maxUnacked)
	number, _ := u.add(7)
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, _, ok := u.release(nil); ok {
			t.Error("released")
		}
	})
	u.drop()
	wg.Wait()
	u.settle(number, false) // too late, and no harm
	if _, ok := u.add(8); ok {
		t.Error("added to what is dropped")
	}
}

func TestNoMoreAreInHandThanThereArePacketIDs(t *testing.T) {
	u := newUnacked(maxUnacked)
	for range maxUnacked {
		u.add(1)
	}
	var wg sync.WaitGroup
	added := make(chan bool, 1)
	wg.Go(func() { _, ok := u.add(2); added <- ok })
	u.settle(0, false)
	if ids, _, _ := u.release(nil); !slices.Equal(ids, []uint16{1}) || !<-added {
		t.Error("room is not used")
	}
	wg.Go(func() { _, ok := u.add(3); added <- ok })
	u.close()
	if <-added {
		t.Error("added to what is closed")
	}
	wg.Wait()
}

func TestTheInboxKeepsOrderAndSlowsASenderDown(t *testing.T) {
	b := newInbox(maxInbox)
	var wg sync.WaitGroup
	const n = 3 * maxInbox
	wg.Go(func() {
		for i := range n {
			b.put(delivery{id: uint16(i)})
		}
	})
	var batch []delivery
	for got := 0; got < n; {
		batch, _ = b.take(batch)
		if len(batch) > maxInbox {
			t.Fatalf("%d wait", len(batch))
		}
		for _, d := range batch {
			if d.id != uint16(got) {
				t.Fatalf("message %d has id %d", got, d.id)
			}
			got++
		}
	}
	wg.Wait()
	for range maxInbox {
		b.put(delivery{})
	}
	wg.Go(func() { b.put(delivery{}) }) // waits, until nothing is taken any more
	b.close()
	wg.Wait()
	if _, ok := b.take(nil); ok || b.len() != 0 {
		t.Error("a closed inbox gives")
	}
}

func TestPubacks(t *testing.T) {
	got := appendPubacks(nil, []uint16{1, 0, 0xABCD})
	if want := []byte{0x40, 2, 0, 1, 0x40, 2, 0xAB, 0xCD}; !bytes.Equal(got, want) {
		t.Errorf("got % x, want % x", got, want)
	}
}
