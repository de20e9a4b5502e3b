package jsonscan

import (
	"bytes"
	"hash/maphash"
)

// keys are the keys of one object. Nearly all have few, and comparing those is faster than hashing.
type keys struct {
	few  [16][]byte
	n    int
	many table
}

// add reports whether the key is new. The bytes must not change.
func (k *keys) add(key []byte) bool {
	for _, known := range k.few[:k.n] {
		if bytes.Equal(known, key) {
			return false
		}
	}
	if k.n < len(k.few) {
		k.few[k.n] = key
		k.n++
		return true
	}
	return k.many.add(key)
}

// table is a set of keys that copies none of them, which a map can't be. It probes from the key's
// hash to the next free slot and is never more than three quarters full.
type table struct {
	slots [][]byte // nil where free; a power of two
	n     int
}

// firstSlots holds what the most talkative devices say (a PurpleAir has some 110 keys) with one or
// two growths.
const firstSlots = 64

// seed keeps an attacker from choosing keys that all hash to one slot.
var seed = maphash.MakeSeed()

func (t *table) add(key []byte) bool {
	if 4*t.n >= 3*len(t.slots) {
		t.grow()
	}
	at, known := t.find(key)
	if known {
		return false
	}
	t.slots[at] = key
	t.n++
	return true
}

// find returns the slot of a key, or the free one where it belongs.
func (t *table) find(key []byte) (at uint64, known bool) {
	mask := uint64(len(t.slots) - 1)
	at = maphash.Bytes(seed, key) & mask
	for t.slots[at] != nil {
		if bytes.Equal(t.slots[at], key) {
			return at, true
		}
		at = (at + 1) & mask
	}
	return at, false
}

func (t *table) grow() {
	old := t.slots
	t.slots = make([][]byte, max(firstSlots, 2*len(old)))
	for _, key := range old {
		if key != nil {
			at, _ := t.find(key)
			t.slots[at] = key
		}
	}
}
