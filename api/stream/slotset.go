package stream

import (
	"math/bits"
	"slices"
)

// slotSet is a set of slots, such as those of the buses and stations on a client's map. A set of few slots is a sorted
// list of 4 bytes a slot, which is all that a phone needs; a set of many is a bitmap of 1 bit for each slot of the hub,
// 313 bytes with 2,500 buses. The zero set is empty.
type slotSet struct {
	few  []uint32 // sorted; nil once bitmap is used
	bits []uint64 // nil while few is used
	top  int      // no word of bits behind it has a bit
}

// minBitmap is the number of slots in a list from which a bitmap may replace it.
const minBitmap = 64

func (s *slotSet) has(slot uint32) bool {
	if s.bits != nil {
		word := int(slot / 64)
		return word < len(s.bits) && s.bits[word]&(1<<(slot%64)) != 0
	}
	_, found := slices.BinarySearch(s.few, slot)
	return found
}

// add adds a slot. slots is the number of slots of the hub.
func (s *slotSet) add(slot uint32, slots int) {
	if s.bits == nil && len(s.few) >= minBitmap && 32*len(s.few) > slots {
		s.toBitmap(slots)
	}
	if s.bits == nil {
		if i, found := slices.BinarySearch(s.few, slot); !found {
			s.few = slices.Insert(s.few, i, slot)
		}
		return
	}
	word := int(slot / 64)
	if word >= len(s.bits) {
		s.bits = append(s.bits, make([]uint64, word+1-len(s.bits))...)
	}
	s.bits[word] |= 1 << (slot % 64)
	s.top = max(s.top, word)
}

func (s *slotSet) toBitmap(slots int) {
	s.bits = make([]uint64, (slots+63)/64)
	for _, slot := range s.few {
		s.bits[slot/64] |= 1 << (slot % 64)
	}
	s.few, s.top = nil, len(s.bits)-1
}

// remove removes a slot that is in the set.
func (s *slotSet) remove(slot uint32) {
	if s.bits != nil {
		s.bits[slot/64] &^= 1 << (slot % 64)
		return
	}
	if i, found := slices.BinarySearch(s.few, slot); found {
		s.few = slices.Delete(s.few, i, i+1)
	}
}

// pop removes and returns the highest slot, and reports false if there is none.
func (s *slotSet) pop() (slot uint32, ok bool) {
	if last := len(s.few) - 1; last >= 0 {
		slot, s.few = s.few[last], s.few[:last]
		return slot, true
	}
	for ; s.bits != nil && s.top >= 0; s.top-- {
		if word := s.bits[s.top]; word != 0 {
			bit := bits.Len64(word) - 1
			s.bits[s.top] = word &^ (1 << bit)
			return uint32(64*s.top + bit), true
		}
	}
	s.bits, s.top = nil, 0
	return 0, false
}

// each calls f for every slot of the set.
func (s *slotSet) each(f func(slot uint32)) {
	for _, slot := range s.few {
		f(slot)
	}
	for i, word := range s.bits {
		for ; word != 0; word &= word - 1 {
			f(uint32(64*i + bits.TrailingZeros64(word)))
		}
	}
}
