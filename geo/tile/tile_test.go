package tile

import (
	"errors"
	"math"
	"testing"
	"time"

	"nhip"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/maptile"
	"google.golang.org/protobuf/encoding/protowire"
)

var now = time.Date(2026, 2, 16, 16, 0, 0, 0, time.UTC)

// hanoi is a place well inside the tile hanoiTile.
var hanoi = orb.Point{105.8542, 21.0285}

func tileAt(p orb.Point, zoom maptile.Zoom) maptile.Tile { return maptile.At(p, zoom) }

// decode checks a tile with checkTile, decodes it with orb and returns its layers by name.
func decode(t testing.TB, b []byte) map[string]*mvt.Layer {
	t.Helper()
	checkTile(t, b)
	layers, err := mvt.Unmarshal(b)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*mvt.Layer{}
	for _, l := range layers {
		if byName[l.Name] != nil {
			t.Fatalf("two layers %q", l.Name)
		}
		if l.Version != 2 || l.Extent != extent {
			t.Fatalf("layer %q has version %d and extent %d", l.Name, l.Version, l.Extent)
		}
		byName[l.Name] = l
	}
	return byName
}

// checkTile checks a tile against MVT 2.1 at the wire level, which decoders do not enforce: no empty layers,
// unique ids, valid geometry, and tags within their tables.
func checkTile(t testing.TB, b []byte) {
	t.Helper()
	each(t, b, func(field protowire.Number, l []byte, _ uint64) {
		if field != tileLayers {
			t.Fatalf("field %d in a tile", field)
		}
		var features [][]byte
		keys, values := 0, 0
		each(t, l, func(field protowire.Number, b []byte, _ uint64) {
			switch field {
			case layerFeatures:
				features = append(features, b)
			case layerKeys:
				keys++
			case layerValues:
				values++
			}
		})
		if len(features) == 0 {
			t.Fatal("empty layer")
		}
		ids := map[uint64]bool{}
		for _, f := range features {
			checkFeature(t, f, ids, keys, values)
		}
	})
}

func checkFeature(t testing.TB, b []byte, ids map[uint64]bool, keys, values int) {
	t.Helper()
	var kind uint64
	var tags, commands []uint64
	each(t, b, func(field protowire.Number, b []byte, v uint64) {
		switch field {
		case featureID:
			if ids[v] || v >= 1<<53 {
				t.Fatalf("id %d is a duplicate or exceeds 53 bits", v)
			}
			ids[v] = true
		case featureType:
			kind = v
		case featureTags:
			tags = unpack(t, b)
		case featureGeometry:
			commands = unpack(t, b)
		}
	})
	if len(tags)%2 != 0 {
		t.Fatalf("%d tags", len(tags))
	}
	for i, tag := range tags {
		if i%2 == 0 && tag >= uint64(keys) || i%2 == 1 && tag >= uint64(values) {
			t.Fatalf("tag %d has no key or value", i)
		}
	}
	checkGeometry(t, kind, commands)
}

// checkGeometry checks the rules of MVT 2.1 §4.3.4, and that the geometry stays within the buffer.
func checkGeometry(t testing.TB, kind uint64, c []uint64) {
	t.Helper()
	if len(c) == 0 {
		t.Fatal("feature without geometry")
	}
	var pen vertex
	var ring []vertex
	rings := 0
	for len(c) > 0 {
		what, count := c[0]&7, int(c[0]>>3)
		c = c[1:]
		if what == closePath {
			if kind != polygonKind || count != 1 || len(ring) < 3 {
				t.Fatalf("ClosePath %d after %d points in kind %d", count, len(ring), kind)
			}
			// An outer ring comes first. It may be followed by its holes or by the next outer ring.
			if area := doubleArea(ring); area == 0 || rings == 0 && area < 0 {
				t.Fatalf("ring %d has area %d", rings, area)
			}
			rings++
			ring = nil
			continue
		}
		if count == 0 || what == moveTo && count != 1 || what == lineTo && (kind == pointKind || len(ring) != 1) {
			t.Fatalf("command %d, count %d, after %d points in kind %d", what, count, len(ring), kind)
		}
		if what == moveTo {
			if kind == polygonKind && ring != nil || kind == lineKind && len(ring) == 1 {
				t.Fatal("MoveTo before the previous part was complete")
			}
			ring = nil
		}
		for range count {
			dx, dy := protowire.DecodeZigZag(c[0]), protowire.DecodeZigZag(c[1])
			c = c[2:]
			if what == lineTo && dx == 0 && dy == 0 {
				t.Fatal("LineTo of length zero")
			}
			pen = vertex{pen.x + int32(dx), pen.y + int32(dy)}
			if pen.x < -buffer || pen.x > extent+buffer || pen.y < -buffer || pen.y > extent+buffer {
				t.Fatalf("%v lies beyond the buffer", pen)
			}
			ring = append(ring, pen)
		}
	}
	if kind == polygonKind && ring != nil || kind == lineKind && len(ring) < 2 {
		t.Fatalf("kind %d ends after %d points", kind, len(ring))
	}
}

// each calls f for every field of a message, with its bytes or its number.
func each(t testing.TB, b []byte, f func(protowire.Number, []byte, uint64)) {
	t.Helper()
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		var v uint64
		var inner []byte
		switch kind {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			inner, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(field, kind, b)
		}
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		f(field, inner, v)
	}
}

func unpack(t testing.TB, b []byte) []uint64 {
	t.Helper()
	var numbers []uint64
	for len(b) > 0 {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		numbers = append(numbers, v)
		b = b[n:]
	}
	return numbers
}

func TestAddress(t *testing.T) {
	for _, c := range []struct {
		z, x, y int
		field   string
	}{
		{0, 0, 0, ""},
		{10, 813, 451, ""},
		{MaxZoom, 1<<MaxZoom - 1, 0, ""},
		{-1, 0, 0, "z"},
		{MaxZoom + 1, 0, 0, "z"},
		{math.MaxInt, 0, 0, "z"},
		{0, 1, 0, "x"},
		{3, -1, 0, "x"},
		{3, 0, 8, "y"},
		{3, 0, math.MinInt, "y"},
	} {
		got, err := Address(c.z, c.x, c.y)
		if c.field == "" {
			if want := maptile.New(uint32(c.x), uint32(c.y), maptile.Zoom(c.z)); err != nil || got != want {
				t.Errorf("Address(%d, %d, %d) = %v, %v", c.z, c.x, c.y, got, err)
			}
			continue
		}
		var e *nhip.Error
		if !errors.As(err, &e) || e.Code != nhip.CodeNotFound || e.Field != c.field {
			t.Errorf("Address(%d, %d, %d): %v, want not_found of %s", c.z, c.x, c.y, err, c.field)
		}
	}
}

func TestInvalidTileIsAnError(t *testing.T) {
	n := &TransitMap{Stops: []Stop{{"s", "Stop", hanoi}}}
	for _, bad := range []maptile.Tile{
		maptile.New(1, 0, 0), maptile.New(0, 1024, 10), maptile.New(0, 0, MaxZoom+1), maptile.New(0, 0, 77),
	} {
		if _, err := n.Tile(bad); nhip.ErrorCode(err) != nhip.CodeNotFound {
			t.Errorf("TransitMap.Tile(%v): %v", bad, err)
		}
		if _, err := stationsTile(bad, nil); nhip.ErrorCode(err) != nhip.CodeNotFound {
			t.Errorf("AirScene.Tile(%v): %v", bad, err)
		}
	}
}
