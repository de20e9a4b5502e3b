package tile

import (
	"math"
	"slices"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
)

// The encoder is our own: it is small, many times as fast as the general one, and cannot leave out
// an id or write an empty layer. Field numbers are those of vector_tile.proto 2.1.
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

// version is the MVT major version that the tiles keep to.
const version = 2

// layer collects features.
type layer struct {
	name     string
	features []byte
	keys     []string // few: looked through
	values   []value
	valueAt  slots // places in values
	ids      []uint64
	idAt     slots // places in ids

	tags, body []byte // scratch
}

// slots is an open hash table of places in a list, each one more than it is; 0 is free. It is a quarter of what the
// language's own map costs here. Its length is a power of two, and half of it is free.
type slots []uint32

// room returns the table with room for one more than n, filled again by put where it had to grow.
func (s slots) room(n int, hash func(i int) uint64) slots {
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

// value is a text or a number; each is written once a layer.
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

// layers are at rest: their tables and buffers are as large as tiles are, and cost half of a tile to make.
var layers = sync.Pool{New: func() any { return &layer{features: make([]byte, 0, 4<<10)} }}

// mostSlots is how many are kept: to clear more than these costs more than to begin small.
const mostSlots = 1 << 14

// newLayer returns an empty layer, which appendTo ends.
func newLayer(name string) *layer {
	l := layers.Get().(*layer)
	if len(l.valueAt)+len(l.idAt) > mostSlots {
		l.valueAt, l.idAt = nil, nil
	}
	clear(l.keys)
	clear(l.values) // they hold on to texts
	clear(l.valueAt)
	clear(l.idAt)
	*l = layer{
		name: name, features: l.features[:0], keys: l.keys[:0], values: l.values[:0], valueAt: l.valueAt, ids: l.ids[:0],
		idAt: l.idAt, body: l.body[:0], tags: l.tags[:0],
	}
	return l
}

// point writes a point.
func (l *layer) point(id string, x, y int32, properties ...property) {
	start := l.begin(id, properties)
	gx, gy := uint64(zigzag(x)), uint64(zigzag(y))
	f := append(l.features, featureType<<3|byte(protowire.VarintType), pointKind, featureGeometry<<3|byte(protowire.BytesType),
		byte(1+protowire.SizeVarint(gx)+protowire.SizeVarint(gy)), byte(command(moveTo, 1)))
	l.features = protowire.AppendVarint(protowire.AppendVarint(f, gx), gy)
	l.end(start)
}

// add writes a feature, whose number comes from its id. The geometry must not be empty.
func (l *layer) add(id string, g geometry, properties ...property) {
	start := l.begin(id, properties)
	size := 0
	for _, c := range g.commands {
		size += protowire.SizeVarint(uint64(c))
	}
	f := append(l.features, featureType<<3|byte(protowire.VarintType), byte(g.kind), featureGeometry<<3|byte(protowire.BytesType))
	f = protowire.AppendVarint(f, uint64(size))
	for _, c := range g.commands {
		f = protowire.AppendVarint(f, uint64(c))
	}
	l.features = f
	l.end(start)
}

// begin writes a feature's number and properties, and returns where the feature starts. Before it is room for a
// length of one byte, which is what most have.
func (l *layer) begin(id string, properties []property) (start int) {
	f := append(l.features, layerFeatures<<3|byte(protowire.BytesType), 0)
	start = len(f)
	// Ids must be unique in a layer. The second with a number goes without one, which is allowed.
	if n := number53(id); l.fresh(n) {
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

// end writes the length of the feature that starts there.
func (l *layer) end(start int) {
	n := uint64(len(l.features) - start)
	if more := protowire.SizeVarint(n) - 1; more > 0 {
		l.features = append(l.features, make([]byte, more)...)
		copy(l.features[start+more:], l.features[start:])
	}
	protowire.AppendVarint(l.features[:start-1], n)
}

// number53 returns FNV-1a of the id, of which the low 53 bits are kept: JavaScript holds no more.
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

// fresh notes a feature's number, and reports whether it is the first with it.
func (l *layer) fresh(n uint64) bool {
	l.idAt = l.idAt.room(len(l.ids), func(i int) uint64 { return l.ids[i] })
	mask := uint64(len(l.idAt) - 1)
	at := n & mask
	for ; l.idAt[at] != 0; at = (at + 1) & mask {
		if l.ids[l.idAt[at]-1] == n {
			return false
		}
	}
	l.ids = append(l.ids, n)
	l.idAt[at] = uint32(len(l.ids))
	return true
}

func (l *layer) value(v *value) uint32 {
	l.valueAt = l.valueAt.room(len(l.values), func(i int) uint64 { return l.values[i].hash() })
	mask := uint64(len(l.valueAt) - 1)
	at := v.hash() & mask
	for ; l.valueAt[at] != 0; at = (at + 1) & mask {
		if l.values[l.valueAt[at]-1] == *v {
			return l.valueAt[at] - 1
		}
	}
	l.values = append(l.values, *v)
	l.valueAt[at] = uint32(len(l.values))
	return uint32(len(l.values) - 1)
}

// hash spreads values over the slots.
func (v *value) hash() uint64 {
	if v.isNumber {
		h := math.Float64bits(v.number)
		h = (h ^ h>>33) * 0x9E3779B97F4A7C15 // 2⁶⁴ by the golden ratio; short numbers have nothing in their low bits
		return h ^ h>>33
	}
	return number53(v.text)
}

// appendTo writes the layer to a tile and ends it; an empty layer is not written, as the standard asks.
func (l *layer) appendTo(tile []byte) []byte {
	defer layers.Put(l)
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

// appendTo writes a value with its length. Whole numbers are as short as they can be.
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
