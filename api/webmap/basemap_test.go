package webmap

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nhip/api/resttest"
)

// pmtiles returns the path of a file with a valid header.
func pmtiles(t *testing.T) string {
	t.Helper()
	head := make([]byte, 4000)
	copy(head, pmtilesMagic)
	head[8] = pmtilesHeader
	path := filepath.Join(t.TempDir(), "hanoi.pmtiles")
	if err := os.WriteFile(path, head, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCheckBasemapRefusesOtherFiles(t *testing.T) {
	if err := CheckBasemap(pmtiles(t)); err != nil {
		t.Error(err)
	}
	bad := filepath.Join(t.TempDir(), "bad")
	for text, want := range map[string]string{
		"": "not a PMTiles 3", "PMTiles\x02": "not a PMTiles 3", pmtilesMagic: "corrupt",
	} {
		if err := os.WriteFile(bad, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := CheckBasemap(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if err := CheckBasemap(bad + "/none"); err == nil {
		t.Error("a missing file is accepted")
	}
}

func TestBasemap(t *testing.T) {
	path := pmtiles(t)
	s := newServer(t, Config{PMTiles: path})
	part := resttest.Get(s, "/basemap.pmtiles", "Range", "bytes=0-6")
	if part.Code != http.StatusPartialContent || part.Body.String() != "PMTiles" || part.Header().Get("ETag") == "" {
		t.Errorf("%d %q %v", part.Code, part.Body, part.Header())
	}
	if w := resttest.Get(s, "/basemap.pmtiles", "Range",
		"bytes=9000-"); w.Code != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("beyond the end: %d", w.Code)
	}
	if w := resttest.Get(s, "/basemap.pmtiles", "If-None-Match",
		part.Header().Get("ETag")); w.Code != http.StatusNotModified {
		t.Errorf("unchanged: %d", w.Code)
	}
	if w := resttest.Get(s, "/v1/map"); !bytes.Contains(w.Body.Bytes(), []byte(`"pmtiles":"/basemap.pmtiles"`)) {
		t.Errorf("%s", w.Body)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if w := resttest.Get(s, "/basemap.pmtiles"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("removed: %d", w.Code)
	}
	if w := resttest.Get(newServer(t, Config{}), "/basemap.pmtiles"); w.Code != http.StatusNotFound {
		t.Errorf("not configured: %d", w.Code)
	}
}
