package api

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"nhip"
)

// basemapPath is where the base map is served.
const basemapPath = "/basemap.pmtiles"

// PMTiles 3 begins with a header of 127 bytes.
const (
	pmtilesMagic  = "PMTiles\x03"
	pmtilesHeader = 127
)

// CheckBasemap refuses a file that is no PMTiles 3.
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
		return fmt.Errorf("%s is no PMTiles file of version 3", path)
	}
	if root := binary.LittleEndian.Uint64(head[8:]); root < pmtilesHeader {
		return fmt.Errorf("%s is a broken PMTiles file: its directory begins in its header", path)
	}
	return nil
}

// getBasemap answers GET /basemap.pmtiles, any range of it. A new file may be put in its place while we run.
func (a *API) getBasemap(w http.ResponseWriter, r *http.Request) {
	if a.o.Map.PMTiles == "" {
		a.problem(w, r, nhip.Errorf(nhip.NotFound, "", "there is no base map (map.pmtiles)"))
		return
	}
	f, err := os.Open(a.o.Map.PMTiles)
	if err != nil {
		a.log.Error("can't read the base map", "error", err)
		a.problem(w, r, nhip.Errorf(nhip.Unavailable, "", "the base map can't be read"))
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		a.problem(w, r, nhip.Errorf(nhip.Unavailable, "", "the base map can't be read"))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/vnd.pmtiles")
	h.Set("Cache-Control", "public, max-age=3600")
	h.Set("ETag", fmt.Sprintf(`"%x-%x"`, info.ModTime().UnixNano(), info.Size()))
	http.ServeContent(w, r, "", info.ModTime(), f)
}
