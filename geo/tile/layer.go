package tile

import (
	"math"
	"slices"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
)

// This package has its own encoder. It is small, many times as fast as orb's general one, always writes ids, and
// never writes empty layers. Field numbers are those of vector_tile.proto 2.1.
const (
	tileLayers = 3

	layerName     = 1
	layerFeatures = 2
	layerKeys     = 3
	layerValues   = 4
	layerExtent   = 5
	layerVersion  = 15

	featureID       = 1
	featureTags     = 2
	featureType     = 3
	featureGeometry = 4

	valueString = 1
	valueDouble = 3
	valueUint   = 5
	valueSint   = 6
)

// version is the major version of MVT that the tiles conform to.
const version = 2

// layer collects the features of a layer.
type layer struct {
	name       string
	features   []byte
	keys       []string // few, so searched linearly
	values     []value
	valueSlots slots // indices into values
	ids        []uint64
	idSlots    slots // indices into ids

	tags, body []byte // scratch
}

// slots is an open-addressing hash table of list indices, each stored plus one; 0 is free. It takes a quarter of
// the time of a Go map here. Its length is a power of two, and at least half of it is free.
type slots []uint32

// grow returns the table with space for one more than n entries. If it has to be enlarged, the entries are
// inserted again by their hashes.
func (s slots) grow(n int, hash func(i int) uint64) slots {
	if 2*(n+1) <= len(s) {
		return s
	}
	grown := make(slots, max(64, 2*len(s)))
	for i := range n {
		at := hash(i) & uint64(len(grown)-1)
		for grown[at] != 0 {
			at = (at + 1) & uint64(len(grown)-1)
		}
		grown[at] = uint32(i + 1)
	}
	return grown
}

// value is a text or a number. Each distinct value is written once per layer.
type value struct {
	text     string
	number   float64
	isNumber bool
}

func text(s string) value    { return value{text: s} }
func number(v float64) value { return value{number: v, isNumber: true} }

type property struct {
	key   string
	value value
}

// layerPool holds idle layers: allocating their tables and buffers would take half the time of a tile.
var layerPool = sync.Pool{New: func() any { return &layer{features: make([]byte, 0, 4<<10)} }}

// maxSlots is the size up to which tables are reused: clearing larger ones takes longer than starting small.
const maxSlots = 1 << 14

// newLayer returns an empty layer from the pool. appendTo returns it.
func newLayer(name string) *layer {
	l := layerPool.Get().(*layer)
	if len(l.valueSlots)+len(l.idSlots) > maxSlots {
		l.valueSlots, l.idSlots = nil, nil
	}
	clear(l.keys)
	clear(l.values) // they would keep texts alive
	clear(l.valueSlots)
	clear(l.idSlots)
	*l = layer{
		name: name, features: l.features[:0], keys: l.keys[:0], values: l.values[:0], valueSlots: l.valueSlots,
		ids:     l.ids[:0],
		idSlots: l.idSlots, body: l.body[:0], tags: l.tags[:0],
	}
	return l
}

// point adds a point feature.
func (l *layer) point(id string, x, y int32, properties ...property) {
	start := l.begin(id, properties)
	gx, gy := uint64(zigzag(x)), uint64(zigzag(y))
	f := append(l.features, featureType<<3|byte(protowire.VarintType), pointKind,
		featureGeometry<<3|byte(protowire.BytesType),
		byte(1+protowire.SizeVarint(gx)+protowire.SizeVarint(gy)), byte(command(moveTo, 1)))
	l.features = protowire.AppendVarint(protowire.AppendVarint(f, gx), gy)
	l.end(start)
}

// add adds a feature with a number derived from its id. The geometry must not be empty.
func (l *layer) add(id string, g geometry, properties ...property) {
	start := l.begin(id, properties)
	size := 0
	for _, c := range g.commands {
		size += protowire.SizeVarint(uint64(c))
	}
	f := append(l.features, featureType<<3|byte(protowire.VarintType), byte(g.kind),
		featureGeometry<<3|byte(protowire.BytesType))
	f = protowire.AppendVarint(f, uint64(size))
	for _, c := range g.commands {
		f = protowire.AppendVarint(f, uint64(c))
	}
	l.features = f
	l.end(start)
}

// begin writes the number and the properties of a feature and returns where the feature starts. Before it there
// is one byte for its length, which is enough for most.
func (l *layer) begin(id string, properties []property) (start int) {
	f := append(l.features, layerFeatures<<3|byte(protowire.BytesType), 0)
	start = len(f)
	// Ids must be unique in a layer. A second feature with the same number is written without an id, which MVT allows.
	if n := number53(id); l.addID(n) {
		f = append(f, featureID<<3|byte(protowire.VarintType))
		f = protowire.AppendVarint(f, n)
	}
	tags := l.tags[:0]
	for i := range properties {
		tags = protowire.AppendVarint(tags, uint64(l.key(properties[i].key)))
		tags = protowire.AppendVarint(tags, uint64(l.value(&properties[i].value)))
	}
	if len(tags) > 0 {
		f = append(f, featureTags<<3|byte(protowire.BytesType))
		f = protowire.AppendVarint(f, uint64(len(tags)))
		f = append(f, tags...)
	}
	l.features, l.tags = f, tags
	return start
}

// end writes the length of the feature that begins at start.
func (l *layer) end(start int) {
	n := uint64(len(l.features) - start)
	if more := protowire.SizeVarint(n) - 1; more > 0 {
		l.features = append(l.features, make([]byte, more)...)
		copy(l.features[start+more:], l.features[start:])
	}
	protowire.AppendVarint(l.features[:start-1], n)
}

// number53 returns the low 53 bits of FNV-1a of the id, as JavaScript cannot represent more.
func number53(id string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	return h & (1<<53 - 1)
}

func (l *layer) key(s string) uint32 {
	for at, k := range l.keys {
		if k == s {
			return uint32(at)
		}
	}
	l.keys = append(l.keys, s)
	return uint32(len(l.keys) - 1)
}

// addID records the number of a feature and reports whether it is new.
func (l *layer) addID(n uint64) bool {
	l.idSlots = l.idSlots.grow(len(l.ids), func(i int) uint64 { return l.ids[i] })
	mask := uint64(len(l.idSlots) - 1)
	at := n & mask
	for ; l.idSlots[at] != 0; at = (at + 1) & mask {
		if l.ids[l.idSlots[at]-1] == n {
			return false
		}
	}
	l.ids = append(l.ids, n)
	l.idSlots[at] = uint32(len(l.ids))
	return true
}

func (l *layer) value(v *value) uint32 {
	l.valueSlots = l.valueSlots.grow(len(l.values), func(i int) uint64 { return l.values[i].hash() })
	mask := uint64(len(l.valueSlots) - 1)
	at := v.hash() & mask
	for ; l.valueSlots[at] != 0; at = (at + 1) & mask {
		if l.values[l.valueSlots[at]-1] == *v {
			return l.valueSlots[at] - 1
		}
	}
	l.values = append(l.values, *v)
	l.valueSlots[at] = uint32(len(l.values))
	return uint32(len(l.values) - 1)
}

// hash returns the hash of a value.
func (v *value) hash() uint64 {
	if v.isNumber {
		h := math.Float64bits(v.number)
		h = (h ^ h>>33) * 0x9E3779B97F4A7C15 // 2⁶⁴ divided by the golden ratio; the low bits of short numbers are zero
		return h ^ h>>33
	}
	return number53(v.text)
}

// appendTo appends the layer to a tile and returns it to the pool. Empty layers are not written, as MVT requires.
func (l *layer) appendTo(tile []byte) []byte {
	defer layerPool.Put(l)
	if len(l.features) == 0 {
		return tile
	}
	b := protowire.AppendTag(l.body, layerVersion, protowire.VarintType)
	b = protowire.AppendVarint(b, version)
	b = protowire.AppendTag(b, layerName, protowire.BytesType)
	b = protowire.AppendString(b, l.name)
	b = append(b, l.features...)
	for _, k := range l.keys {
		b = protowire.AppendTag(b, layerKeys, protowire.BytesType)
		b = protowire.AppendString(b, k)
	}
	for i := range l.values {
		b = l.values[i].appendTo(b)
	}
	b = protowire.AppendTag(b, layerExtent, protowire.VarintType)
	b = protowire.AppendVarint(b, extent)
	l.body = b
	tile = slices.Grow(tile, len(b)+10)
	tile = protowire.AppendTag(tile, tileLayers, protowire.BytesType)
	return protowire.AppendBytes(tile, b)
}

// appendTo appends a value with its length, whole numbers in the shortest form.
func (v *value) appendTo(b []byte) []byte {
	b = append(b, layerValues<<3|byte(protowire.BytesType))
	switch whole := v.number == math.Trunc(v.number) && math.Abs(v.number) < 1<<53; {
	case !v.isNumber:
		n := len(v.text)
		b = protowire.AppendVarint(b, uint64(1+protowire.SizeVarint(uint64(n))+n))
		b = append(b, valueString<<3|byte(protowire.BytesType))
		return protowire.AppendString(b, v.text)
	case whole && v.number >= 0:
		n := uint64(v.number)
		b = append(b, byte(1+protowire.SizeVarint(n)), valueUint<<3|byte(protowire.VarintType))
		return protowire.AppendVarint(b, n)
	case whole:
		n := protowire.EncodeZigZag(int64(v.number))
		b = append(b, byte(1+protowire.SizeVarint(n)), valueSint<<3|byte(protowire.VarintType))
		return protowire.AppendVarint(b, n)
	}
	b = append(b, 9, valueDouble<<3|byte(protowire.Fixed64Type))
	return protowire.AppendFixed64(b, math.Float64bits(v.number))
}
