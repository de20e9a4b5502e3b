package jsonscan

import "bytes"

// keys are the keys of one object. Nearly all have few, and comparing those is faster than hashing.
type keys struct {
	marks uint64     // of the keys so far, see mark: most new ones need not be compared at all
	few   [32][]byte // the richest HFP event has 33, all others fewer
	n     int
	many  map[string]bool
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
	if k.many == nil {
		k.many = make(map[string]bool)
	}
	k.many[string(key)] = true
	return true
}

func (k *keys) has(key []byte) bool {
	for _, known := range k.few[:k.n] {
		if bytes.Equal(known, key) {
			return true
		}
	}
	return k.many[string(key)]
}

// mark returns one bit of 64 for a key, by its first letter, its last and its length. The factors are
// those under which the keys of HFP's positions and of our own JSON hardly ever share a bit.
func mark(key []byte) uint64 {
	if len(key) == 0 {
		return 1
	}
	return 1 << ((uint(key[0])*7 ^ uint(key[len(key)-1])*35 ^ uint(len(key))*33) % 64)
}
