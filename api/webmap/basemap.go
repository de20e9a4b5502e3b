package webmap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"nhip"
	"nhip/api/rest"
)

// basemapPath is where the base map is served.
const basemapPath = "/basemap.pmtiles"

// PMTiles 3 begins with a header of 127 bytes.
const (
	pmtilesMagic  = "PMTiles\x03"
	pmtilesHeader = 127
)

// CheckBasemap returns an error if a file can't be read or is not PMTiles 3. It checks only the header.
func CheckBasemap(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var head [pmtilesHeader]byte
	if _, err := io.ReadFull(f, head[:]); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	if string(head[:len(pmtilesMagic)]) != pmtilesMagic {
		return fmt.Errorf("%s is not a PMTiles 3 file", path)
	}
	if root := binary.LittleEndian.Uint64(head[8:]); root < pmtilesHeader {
		return fmt.Errorf("%s is a corrupt PMTiles file: its root directory overlaps its header", path)
	}
	return nil
}

// getBasemap answers GET /basemap.pmtiles and ranges of it. The file may be replaced while the process runs.
func (h *Handler) getBasemap(w http.ResponseWriter, r *http.Request) error {
	if h.Config.PMTiles == "" {
		return nhip.Errorf(nhip.CodeNotFound, "", "no base map is configured (map.pmtiles)")
	}
	f, err := os.Open(h.Config.PMTiles)
	if err != nil {
		h.Logger.Error("unreadable base map", "error", err)
		return nhip.Errorf(nhip.CodeUnavailable, "", "the base map can't be read")
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nhip.Errorf(nhip.CodeUnavailable, "", "the base map can't be read")
	}
	header := w.Header()
	header.Set("Content-Type", "application/vnd.pmtiles")
	header.Set("Cache-Control", "public, max-age=3600")
	header.Set("ETag", fmt.Sprintf(`"%x-%x"`, info.ModTime().UnixNano(), info.Size()))
	if r, ok := rest.BoundRange(w, r, info.Size()); ok {
		http.ServeContent(w, r, "", info.ModTime(), f)
	}
	return nil
}
