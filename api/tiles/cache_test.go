package tiles

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestCacheDrawsTileOnce(t *testing.T) {
	c, draws := NewCache(), 0
	draw := func() ([]byte, error) { draws++; return []byte("body"), nil }
	for range 3 {
		if got, err := c.get(tileKey{kind: "air"}, true, draw); err != nil || string(got.plain()) != "body" {
			t.Errorf("%v, %v", got, err)
		}
	}
	if draws != 1 || c.Len() != 1 {
		t.Errorf("%d draws, %d tiles", draws, c.Len())
	}
}

func TestCacheDropsFailedTile(t *testing.T) {
	c, failure := NewCache(), errors.New("failed")
	if _, err := c.get(tileKey{}, true, func() ([]byte, error) { return nil, failure }); !errors.Is(err, failure) {
		t.Errorf("error %v", err)
	}
	if _, err := c.get(tileKey{}, true, func() ([]byte, error) { return nil, nil }); err != nil || c.Len() != 1 {
		t.Errorf("after a failure: %v, %d tiles", err, c.Len())
	}
}

// encodingOf returns the name of an encoding, "" for none.
func encodingOf(v *variant) string { return strings.Join(v.encoding, "") }

func TestTileEncodings(t *testing.T) {
	body := bytes.Repeat([]byte("nhip"), 100)
	tile := newCachedTile(body, true)
	const both = "gzip, br"
	for i, want := range []string{"gzip", "gzip", "br", "br"} { // brotli from the third request on
		if encoding := encodingOf(tile.encoded(both)); encoding != want {
			t.Errorf("request %d: %q, want %q", i+1, encoding, want)
		}
	}
	tags := make(map[string]bool)
	for _, accept := range []string{"", "gzip", "br"} {
		v := tile.encoded(accept)
		got, encoding, etag := v.body, encodingOf(v), v.etag[0]
		if accept != encoding || accept == "" && !bytes.Equal(got, body) {
			t.Errorf("Accept-Encoding %q: %q", accept, encoding)
		}
		if same, ok := tile.matchingETag(etag); !ok || same != etag {
			t.Errorf("%s does not match", etag)
		}
		tags[etag] = true
	}
	if len(tags) != 3 {
		t.Errorf("encodings share an ETag: %v", tags)
	}
	if _, ok := tile.matchingETag(`"other"`); ok {
		t.Error("a foreign ETag matches")
	}
	if encoding := encodingOf(newCachedTile([]byte("small"), true).encoded(both)); encoding != "" {
		t.Errorf("a small tile is sent with %q", encoding)
	}
}
