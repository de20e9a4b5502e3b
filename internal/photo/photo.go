// Package photo makes pictures of strangers safe to keep and to show: it decodes a JPEG, PNG or WebP within bounds of
// bytes, pixels, memory and time, turns it upright, and encodes it again as a small JPEG without any metadata.
package photo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"time"

	"nhip"

	"golang.org/x/image/webp"
)

// Bounds of what is taken and of what is made.
const (
	MaxUpload = 10 << 20  // bytes of a picture as sent
	MaxBytes  = 256 << 10 // bytes of a picture as kept
	MaxSide   = 1280      // pixels of the longer side as kept

	maxDecoded = 128 << 20 // bytes of a picture in memory
	maxScans   = 100       // of a progressive JPEG, each of which visits the whole picture
	minSide    = 16        // pixels of the shorter side: a smaller picture shows nothing
	maxAspect  = 10        // longer side by shorter side
)

// decodeTime is how long the decoder may read.
const decodeTime = 10 * time.Second

// Processor re-encodes pictures, one at a time: each may take maxDecoded bytes. It is safe for concurrent use.
type Processor struct {
	slot    chan struct{}
	waiting chan struct{}
}

// maxWaiting is the number of callers that wait for the slot; their uploads are in memory.
const maxWaiting = 4

// NewProcessor returns a processor.
func NewProcessor() *Processor {
	return &Processor{slot: make(chan struct{}, 1), waiting: make(chan struct{}, maxWaiting+1)}
}

// ErrBusy is the error while too many pictures wait.
var ErrBusy = nhip.Errorf(nhip.CodeUnavailable, "media", "too many photos are being processed; try again")

// Process returns a picture as JPEG of at most MaxBytes and at most MaxSide pixels a side, without metadata, upright by
// the orientation that the picture states. Its errors are *nhip.Error of the field media, or ctx's.
func (p *Processor) Process(ctx context.Context, raw []byte) ([]byte, error) {
	select {
	case p.waiting <- struct{}{}:
		defer func() { <-p.waiting }()
	default:
		return nil, ErrBusy
	}
	select {
	case p.slot <- struct{}{}:
		defer func() { <-p.slot }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return reencode(raw)
}

// reencode is Process without the slot. A panic of a decoder is an error of the picture.
func reencode(raw []byte) (out []byte, err error) {
	defer func() {
		if recover() != nil {
			out, err = nil, errUndecodable
		}
	}()
	format, err := check(raw)
	if err != nil {
		return nil, err
	}
	in := &timedReader{r: bytes.NewReader(raw), until: time.Now().Add(decodeTime)}
	img, err := format.decode(in)
	switch {
	case errors.Is(err, errSlow):
		return nil, errSlow
	case err != nil:
		return nil, errUndecodable
	}
	return encode(turn(shrink(img, MaxSide), orientation(raw)))
}

// Errors of pictures.
var (
	errUndecodable = nhip.Errorf(nhip.CodeInvalid, "media", "can't be decoded as a picture")
	errSlow        = nhip.Errorf(nhip.CodeInvalid, "media", "takes too long to decode")
	errFormat      = nhip.Errorf(nhip.CodeInvalid, "media", "must be a JPEG, PNG or WebP picture")
)

// format is a file format of pictures.
type format struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	weight func(raw []byte, c image.Config) int // bytes of memory a pixel, at most
}

// formatOf returns the format of a file by its first bytes.
func formatOf(raw []byte) (format, bool) {
	switch {
	case bytes.HasPrefix(raw, []byte("\xff\xd8\xff")):
		return format{jpeg.DecodeConfig, jpeg.Decode, jpegWeight}, true
	case bytes.HasPrefix(raw, []byte("\x89PNG\r\n\x1a\n")):
		return format{png.DecodeConfig, png.Decode, pngWeight}, true
	case len(raw) > 12 && string(raw[:4]) == "RIFF" && string(raw[8:12]) == "WEBP":
		return format{webp.DecodeConfig, webp.Decode, webpWeight}, true
	}
	return format{}, false
}

// check returns the format of a picture whose size and cost are within the bounds, before anything is decoded.
func check(raw []byte) (format, error) {
	if len(raw) > MaxUpload {
		return format{}, nhip.Errorf(nhip.CodeTooLarge, "media", "must have at most %d bytes", MaxUpload)
	}
	f, ok := formatOf(raw)
	if !ok {
		return f, errFormat
	}
	c, err := f.config(bytes.NewReader(raw))
	if err != nil {
		return f, errUndecodable
	}
	switch short, long := min(c.Width, c.Height), max(c.Width, c.Height); {
	case short < minSide:
		return f, nhip.Errorf(nhip.CodeInvalid, "media", "must be at least %d pixels wide and high", minSide)
	case long > maxAspect*short:
		return f, nhip.Errorf(nhip.CodeInvalid, "media", "must not be longer than %d times its shorter side", maxAspect)
	case int64(c.Width)*int64(c.Height) > maxDecoded/int64(f.weight(raw, c)):
		return f, nhip.Errorf(nhip.CodeTooLarge, "media", "has too many pixels: %d x %d", c.Width, c.Height)
	case bytes.Count(raw, startOfScan) > maxScans:
		return f, nhip.Errorf(nhip.CodeInvalid, "media", "must have at most %d scans", maxScans)
	}
	return f, nil
}

// Markers of JPEG. Within a scan, a byte 0xff is never followed by these.
var (
	startOfScan        = []byte("\xff\xda")
	startOfProgressive = []byte("\xff\xc2")
)

// jpegWeight counts three bytes a pixel, and for a progressive JPEG four more bytes a coefficient.
func jpegWeight(raw []byte, _ image.Config) int {
	if bytes.Contains(raw, startOfProgressive) {
		return 4 + 4*4
	}
	return 4
}

// pngWeight counts the bytes of a pixel: at most 4 channels of 8 or 16 bits.
func pngWeight(raw []byte, _ image.Config) int {
	if const16 := 24; len(raw) > const16 && raw[const16] == 16 { // bit depth in IHDR
		return 8
	}
	return 4
}

func webpWeight([]byte, image.Config) int { return 8 } // a picture and its alpha, decoded apart

// timedReader fails at a time, so that a decoder that works for long on few bytes ends.
type timedReader struct {
	r     io.Reader
	until time.Time
}

func (t *timedReader) Read(p []byte) (int, error) {
	if time.Now().After(t.until) {
		return 0, errSlow
	}
	return t.r.Read(p[:min(len(p), readStep)])
}

// readStep is the most that a decoder reads between two looks at the time, bytes.
const readStep = 4 << 10

// attempts are tried in turn to make a picture fit into MaxBytes.
var attempts = []struct{ side, quality int }{
	{MaxSide, 82}, {MaxSide, 70}, {1024, 70}, {800, 65}, {640, 55}, {480, 45},
}

// encode returns a picture as JPEG of at most MaxBytes.
func encode(img *image.RGBA) ([]byte, error) {
	for _, a := range attempts {
		img = shrink(img, a.side)
		var out bytes.Buffer
		if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: a.quality}); err != nil {
			return nil, fmt.Errorf("can't encode a photo: %w", err)
		}
		if out.Len() <= MaxBytes {
			return out.Bytes(), nil
		}
	}
	return nil, nhip.Errorf(nhip.CodeInvalid, "media", "can't be made small enough")
}
