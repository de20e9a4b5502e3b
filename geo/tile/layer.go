package tile

import (
	"hash/fnv"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The encoder is our own: it is small, ten times as fast as the general one, and cannot leave out
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
)

// version is the MVT major version that the tiles keep to.
const version = 2

// layer collects features.
type layer struct {
	name     string
	features []byte
	keys     []string
	values   []value
	keyAt    map[string]uint32
	valueAt  map[value]uint32
	ids      map[uint64]bool
}

// value is a text or a number; comparable, so that each is written once a layer.
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

func newLayer(name string) *layer {
	return &layer{name: name, keyAt: map[string]uint32{}, valueAt: map[value]uint32{}, ids: map[uint64]bool{}}
}

// add writes a feature, whose number comes from its id. The geometry must not be empty.
func (l *layer) add(id string, g geometry, properties []property) {
	var f []byte
	// Ids must be unique in a layer. The second with a number goes without one, which is allowed.
	if n := number53(id); !l.ids[n] {
		l.ids[n] = true
		f = protowire.AppendTag(f, featureID, protowire.VarintType)
		f = protowire.AppendVarint(f, n)
	}
	tags := make([]uint32, 0, 2*len(properties))
	for _, p := range properties {
		tags = append(tags, l.key(p.key), l.value(p.value))
	}
	f = appendPacked(f, featureTags, tags)
	f = protowire.AppendTag(f, featureType, protowire.VarintType)
	f = protowire.AppendVarint(f, uint64(g.kind))
	f = appendPacked(f, featureGeometry, g.commands)
	l.features = protowire.AppendTag(l.features, layerFeatures, protowire.BytesType)
	l.features = protowire.AppendBytes(l.features, f)
}

// number53 returns FNV-1a of the id, of which the low 53 bits are kept: JavaScript holds no more.
func number53(id string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(id)) // never fails
	return h.Sum64() & (1<<53 - 1)
}

func (l *layer) key(s string) uint32 {
	at, ok := l.keyAt[s]
	if !ok {
		at = uint32(len(l.keys))
		l.keyAt[s] = at
		l.keys = append(l.keys, s)
	}
	return at
}

func (l *layer) value(v value) uint32 {
	at, ok := l.valueAt[v]
	if !ok {
		at = uint32(len(l.values))
		l.valueAt[v] = at
		l.values = append(l.values, v)
	}
	return at
}

// appendTo writes the layer to a tile; an empty layer is not written, as the standard asks.
func (l *layer) appendTo(tile []byte) []byte {
	if len(l.features) == 0 {
		return tile
	}
	b := protowire.AppendTag(nil, layerVersion, protowire.VarintType)
	b = protowire.AppendVarint(b, version)
	b = protowire.AppendTag(b, layerName, protowire.BytesType)
	b = protowire.AppendString(b, l.name)
	b = append(b, l.features...)
	for _, k := range l.keys {
		b = protowire.AppendTag(b, layerKeys, protowire.BytesType)
		b = protowire.AppendString(b, k)
	}
	for _, v := range l.values {
		b = protowire.AppendTag(b, layerValues, protowire.BytesType)
		b = protowire.AppendBytes(b, v.wire())
	}
	b = protowire.AppendTag(b, layerExtent, protowire.VarintType)
	b = protowire.AppendVarint(b, extent)
	tile = protowire.AppendTag(tile, tileLayers, protowire.BytesType)
	return protowire.AppendBytes(tile, b)
}

func (v value) wire() []byte {
	if v.isNumber {
		b := protowire.AppendTag(nil, valueDouble, protowire.Fixed64Type)
		return protowire.AppendFixed64(b, math.Float64bits(v.number))
	}
	b := protowire.AppendTag(nil, valueString, protowire.BytesType)
	return protowire.AppendString(b, v.text)
}

func appendPacked(b []byte, field protowire.Number, numbers []uint32) []byte {
	var packed []byte
	for _, n := range numbers {
		packed = protowire.AppendVarint(packed, uint64(n))
	}
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return protowire.AppendBytes(b, packed)
}
