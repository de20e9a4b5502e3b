package jsonscan

import (
	"bytes"
	"hash/maphash"
)

// keys are the keys of one object. Nearly all have few, and comparing those is faster than hashing.
type keys struct {
	marks uint64     // of the keys so far, see mark: most new ones need not be compared at all
	few   [32][]byte // the richest HFP event has 33, all others fewer
	n     int
	many  table
}

// add reports whether the key is new. The bytes must not change.
func (k *keys) add(key []byte) bool {
	m := mark(key)
	if k.marks&m != 0 && k.has(key) {
		return false
	}
	k.marks |= m
	if k.n < len(k.few) {
		k.few[k.n] = key
		k.n++
		return true
	}
	k.many.add(key)
	return true
}

func (k *keys) has(key []byte) bool {
	for _, known := range k.few[:k.n] {
		if bytes.Equal(known, key) {
			return true
		}
	}
	return k.many.has(key)
}

// mark returns one bit of 64 for a key, by its first letter, its last and its length. The factors are
// those under which the keys of HFP's positions and of our own JSON hardly ever share a bit.
func mark(key []byte) uint64 {
	if len(key) == 0 {
		return 1
	}
	return 1 << ((uint(key[0])*7 ^ uint(key[len(key)-1])*35 ^ uint(len(key))*33) % 64)
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

func (t *table) has(key []byte) bool {
	if t.n == 0 {
		return false
	}
	_, known := t.find(key)
	return known
}

// add takes in a key that it does not have.
func (t *table) add(key []byte) {
	if 4*t.n >= 3*len(t.slots) {
		t.grow()
	}
	at, _ := t.find(key)
	t.slots[at] = key
	t.n++
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
