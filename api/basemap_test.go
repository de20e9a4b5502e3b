package api

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pmtiles is a file with a right head and some bytes behind it.
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

func TestBasemap(t *testing.T) {
	path := pmtiles(t)
	a := newAPI(t, func(o *Options) { o.Map.PMTiles = path })
	part := get(t, a, basemapPath, "Range", "bytes=0-6")
	if part.Code != http.StatusPartialContent || part.Body.String() != "PMTiles" || part.Header().Get("ETag") == "" {
		t.Errorf("%d %q %v", part.Code, part.Body, part.Header())
	}
	if w := get(t, a, basemapPath, "Range", "bytes=9000-"); w.Code != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("beyond the end: %d", w.Code)
	}
	if w := get(t, a, basemapPath, "If-None-Match", part.Header().Get("ETag")); w.Code != http.StatusNotModified {
		t.Errorf("unchanged: %d", w.Code)
	}
	if w := get(t, a, "/v1/map"); !bytes.Contains(w.Body.Bytes(), []byte(`"pmtiles":"/basemap.pmtiles"`)) {
		t.Errorf("%s", w.Body)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if w := get(t, a, basemapPath); w.Code != http.StatusServiceUnavailable {
		t.Errorf("gone: %d", w.Code)
	}
	if w := get(t, newAPI(t), basemapPath); w.Code != http.StatusNotFound {
		t.Errorf("none: %d", w.Code)
	}
}

func TestCheckBasemap(t *testing.T) {
	if err := CheckBasemap(pmtiles(t)); err != nil {
		t.Error(err)
	}
	odd := filepath.Join(t.TempDir(), "odd")
	for text, want := range map[string]string{"": "no PMTiles", "PMTiles\x02": "no PMTiles", pmtilesMagic: "broken"} {
		if err := os.WriteFile(odd, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := CheckBasemap(odd); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := CheckBasemap(odd + "/none"); err == nil {
		t.Error("a file that is not there")
	}
}
