package jsonscan

import (
	"bytes"
	"hash/maphash"
)

// keySet is the set of the keys of one object. Most objects have few keys, which are faster to compare than to hash.
type keySet struct {
	bits uint64     // keyBit of all keys: most new keys need no comparison at all
	few  [32][]byte // the largest HFP event has 33 keys, all others have fewer
	n    int
	many hashSet
}

// add adds a key and reports whether it is new. The bytes must not change.
func (k *keySet) add(key []byte) bool {
	m := keyBit(key)
	if k.bits&m != 0 && k.has(key) {
		return false
	}
	k.bits |= m
	if k.n < len(k.few) {
		k.few[k.n] = key
		k.n++
		return true
	}
	k.many.add(key)
	return true
}

func (k *keySet) has(key []byte) bool {
	for _, known := range k.few[:k.n] {
		if bytes.Equal(known, key) {
			return true
		}
	}
	return k.many.has(key)
}

// keyBit returns one bit of 64 for a key from its first byte, its last byte and its length. With these factors the
// keys of HFP positions and of our own JSON rarely share a bit.
func keyBit(key []byte) uint64 {
	if len(key) == 0 {
		return 1
	}
	return 1 << ((uint(key[0])*7 ^ uint(key[len(key)-1])*35 ^ uint(len(key))*33) % 64)
}

// hashSet is a set of keys that, unlike a map, does not copy them. It uses linear probing and is at most three quarters
// full.
type hashSet struct {
	slots [][]byte // nil: free; the length is a power of two
	n     int
}

// firstSlots is the initial number of slots. The largest objects (a PurpleAir has about 110 keys) need one or two
// more steps.
const firstSlots = 64

// seed prevents that an attacker can choose keys that all hash to one slot.
var seed = maphash.MakeSeed()

func (t *hashSet) has(key []byte) bool {
	if t.n == 0 {
		return false
	}
	_, known := t.find(key)
	return known
}

// add adds a key that is not in the set.
func (t *hashSet) add(key []byte) {
	if 4*t.n >= 3*len(t.slots) {
		t.grow()
	}
	at, _ := t.find(key)
	t.slots[at] = key
	t.n++
}

// find returns the slot of a key, or the free slot for it.
func (t *hashSet) find(key []byte) (at uint64, known bool) {
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

func (t *hashSet) grow() {
	old := t.slots
	t.slots = make([][]byte, max(firstSlots, 2*len(old)))
	for _, key := range old {
		if key != nil {
			at, _ := t.find(key)
			t.slots[at] = key
		}
	}
}
