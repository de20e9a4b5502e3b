package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"nhip/api/web"
)

// browserTime bounds the browser's test: WebGL is drawn in software here.
const browserTime = 5 * time.Minute

// TestTheMapInABrowser opens the map of a simulated city in Chromium. The script waits for buses,
// sees them move, and leaves screenshots in TEST_OUTPUT.
func TestTheMapInABrowser(t *testing.T) {
	script := needBrowser(t, "map.mjs")
	inBrowser(t, up(t, filepath.Join(t.TempDir(), "data"), "--simulate"), script)
}

// TestABaseMapInABrowser has Chromium read a base map in one file, range by range.
func TestABaseMapInABrowser(t *testing.T) {
	script := needBrowser(t, "basemap.mjs")
	dir := t.TempDir()
	file := filepath.Join(dir, "base.pmtiles")
	if err := os.WriteFile(file, onePicture(t), 0o600); err != nil {
		t.Fatal(err)
	}
	inBrowser(t, up(t, filepath.Join(dir, "data"), "--config", writeYAML(t, fmt.Sprintf("map: {pmtiles: %q}", file))), script)
}

// onePicture is a PMTiles file of one picture, that of the whole world.
func onePicture(t *testing.T) []byte {
	t.Helper()
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewPaletted(image.Rect(0, 0, 256, 256), color.Palette{color.NRGBA{R: 200, G: 220, B: 200, A: 255}})); err != nil {
		t.Fatal(err)
	}
	directory := []byte{1, 0, 1} // one entry: tile 0, once
	directory = binary.AppendUvarint(directory, uint64(picture.Len()))
	directory = append(directory, 1) // at the beginning
	const head, metadata = 127, "{}"
	b := append([]byte("PMTiles"), 3)
	at := uint64(head)
	for _, size := range []int{len(directory), len(metadata), 0, picture.Len()} { // root, metadata, leaves, tiles
		b = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, at), uint64(size))
		at += uint64(size)
	}
	for range 3 { // one tile, one entry, one content
		b = binary.LittleEndian.AppendUint64(b, 1)
	}
	b = append(b, 1, 1, 1, 2, 0, 0) // clustered, nothing squeezed, PNG, zoom 0 to 0
	for _, degrees := range []int32{-180, -85, 180, 85} {
		b = binary.LittleEndian.AppendUint32(b, uint32(degrees*1e7))
	}
	b = append(b, make([]byte, head-len(b))...) // its middle
	return append(append(append(b, directory...), metadata...), picture.Bytes()...)
}

// inBrowser runs a script against a running nhip.
func inBrowser(t *testing.T, p *running, script string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), browserTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", script)
	cmd.Env = append(os.Environ(), "NHIP_URL="+p.HTTP)
	if os.Getenv("TEST_OUTPUT") == "" {
		cmd.Env = append(cmd.Env, "TEST_OUTPUT="+t.TempDir())
	}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("the browser's test fails: %v\nnhip said:\n%s", err, p.stderr)
	}
}

// needBrowser returns the script, or skips the test and says what is missing.
func needBrowser(t *testing.T, script string) string {
	t.Helper()
	root, err := filepath.Abs("../../api/web")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := web.Files().Open("index.html"); err != nil {
		t.Skip("the web map is not built: run make build")
	}
	if _, err := os.Stat(filepath.Join(root, "node_modules", "playwright-core")); err != nil {
		t.Skip("playwright-core is not installed: run make build")
	}
	for _, program := range []string{"node", "chromium"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed: run make deps", program)
		}
	}
	return filepath.Join(root, "e2e", script)
}
